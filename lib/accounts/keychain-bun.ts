import { type Keychain, KEYCHAIN_SERVICE } from './keychain.js'

/** The part of `Bun.secrets` that is used (Bun 1.3). */
interface BunSecrets {
  get(options: { service: string; name: string }): Promise<string | null>
  set(options: { service: string; name: string; value: string }): Promise<void>
  delete(options: { service: string; name: string }): Promise<boolean>
}

/** The keychain through the runtime of the host. */
export function bunKeychain(secrets: unknown): Keychain {
  const bun = secrets as BunSecrets
  const service = KEYCHAIN_SERVICE
  return {
    via: 'Bun.secrets',
    get: async (name) => (await bun.get({ service, name })) ?? undefined,
    set: (name, value) => bun.set({ service, name, value }),
    delete: (name) => bun.delete({ service, name }),
  }
}
