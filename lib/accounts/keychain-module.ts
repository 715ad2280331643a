import * as z from 'zod'

import { type Keychain, KEYCHAIN_SERVICE } from './keychain.js'

/** The part of `@napi-rs/keyring` that is used. */
interface Entry {
  getSecret(): ArrayLike<number> | null
  setSecret(secret: Uint8Array): void
  deletePassword(): boolean
}
interface KeyringModule {
  readonly Entry: { withTarget(target: string, service: string, name: string): Entry }
}

const moduleSchema = z.looseObject({ Entry: z.custom<KeyringModule['Entry']>((value) => typeof value === 'function' && 'withTarget' in value) })
/** Not a literal at the import, so that no bundler takes it in: it is there only where the user installed it. */
const PACKAGE: string = '@napi-rs/keyring'

/** The keychain through the optional package, mainly for the command line on Windows; undefined without the package. */
export async function moduleKeychain(): Promise<Keychain | undefined> {
  const loaded: unknown = await import(PACKAGE).catch(() => undefined)
  const parsed = moduleSchema.safeParse(loaded)
  if (!parsed.success) return undefined
  // The target and the bytes are those of Bun.secrets on Windows.
  const entry = (name: string): Entry => parsed.data.Entry.withTarget(`${KEYCHAIN_SERVICE}/${name}`, KEYCHAIN_SERVICE, name)
  return {
    via: PACKAGE,
    async get(name) {
      const secret = entry(name).getSecret()
      return secret === null ? undefined : new TextDecoder().decode(Uint8Array.from(secret))
    },
    async set(name, secret) {
      entry(name).setSecret(new TextEncoder().encode(secret))
    },
    delete: async (name) => entry(name).deletePassword(),
  }
}
