import { isRecord } from '../../kernel/text/json.js'
import { type Keychain, KEYCHAIN_SERVICE, unavailable } from './keychain.js'

/** The part of `@napi-rs/keyring` that is used. */
interface Entry {
  getSecret(): ArrayLike<number> | null
  setSecret(secret: Uint8Array): void
  deletePassword(): boolean
}
type EntryClass = new (service: string, user: string) => Entry

/** Not a literal at the import, so that no bundler takes it in: it is there only where the user installed it. */
const PACKAGE: string = '@napi-rs/keyring'

/** The keychain through the optional package, mainly for the command line on Windows; undefined without the package. Items without a dot in their name do not exist for it. */
export async function moduleKeychain(
  load: () => Promise<unknown> = () => import(PACKAGE),
): Promise<Keychain | undefined> {
  const loaded: unknown = await load().catch(() => undefined)
  if (!isRecord(loaded) || typeof loaded.Entry !== 'function') return undefined
  const Item = loaded.Entry as EntryClass
  // On Windows an item goes by its target alone: that of Bun.secrets is `<service>/<name>`, that of this package `<user>.<service>`.
  // A name with a dot is the same item to both. `Entry.withTarget` must not be used: it writes an empty secret over the item.
  const entry = (name: string): Entry | undefined => {
    const dot = name.lastIndexOf('.')
    return dot < 0
      ? undefined
      : new Item(name.slice(dot + 1), `${KEYCHAIN_SERVICE}/${name.slice(0, dot)}`)
  }
  return {
    via: PACKAGE,
    async get(name) {
      const secret = entry(name)?.getSecret() ?? null
      return secret === null ? undefined : new TextDecoder().decode(Uint8Array.from(secret))
    },
    async set(name, secret) {
      const item = entry(name)
      if (item === undefined)
        throw unavailable(`The item ${name} cannot be written through ${PACKAGE}.`)
      item.setSecret(new TextEncoder().encode(secret))
    },
    delete: async (name) => entry(name)?.deletePassword() ?? false,
  }
}
