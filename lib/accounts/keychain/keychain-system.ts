import { guarded, type Keychain, KEYCHAIN_SERVICE, unavailable } from './keychain.js'

/** What a choice depends on; the fields of the running process by default. */
export interface KeychainPlace {
  readonly env: NodeJS.ProcessEnv
  readonly platform: NodeJS.Platform
  /** `Bun.secrets` of the host, where there is one. */
  readonly secrets: unknown
}

/**
 * The keychain of this system. Nothing is loaded, started or asked before the first call: `Bun.secrets` inside OpenCode,
 * else `secret-tool` on Linux, `security` on macOS, else the package `@napi-rs/keyring` where the user installed it. All
 * of them read what the others wrote.
 */
export function systemKeychain(place: KeychainPlace): Keychain {
  let chosen: Promise<Keychain> | undefined
  const inner = (): Promise<Keychain> => (chosen ??= choose(place))
  return guarded({
    via: viaOf(place),
    get: async (name) => (await inner()).get(name),
    set: async (name, secret) => (await inner()).set(name, secret),
    delete: async (name) => (await inner()).delete(name),
  })
}

/** The place this process runs at. */
export function currentPlatform(env: NodeJS.ProcessEnv): KeychainPlace {
  const host = globalThis as { Bun?: { secrets?: unknown } }
  return { env, platform: process.platform, secrets: host.Bun?.secrets }
}

function viaOf({ secrets, platform }: KeychainPlace): string {
  if (secrets !== undefined) return 'Bun.secrets'
  if (platform === 'linux') return 'secret-tool'
  return platform === 'darwin' ? 'security' : '@napi-rs/keyring'
}

async function choose(place: KeychainPlace): Promise<Keychain> {
  if (place.secrets !== undefined) return bunKeychain(place.secrets)
  if (place.platform === 'linux' || place.platform === 'darwin') {
    const { secretToolKeychain, securityKeychain } = await import('./keychain-command.js')
    return place.platform === 'linux' ? secretToolKeychain(place.env) : securityKeychain(place.env)
  }
  const keychain = await (await import('./keychain-module.js')).moduleKeychain()
  if (keychain !== undefined) return keychain
  throw unavailable(
    'The OS keychain cannot be reached from Node on this system without the package @napi-rs/keyring; inside OpenCode it can.',
  )
}

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
