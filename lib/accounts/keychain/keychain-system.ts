import { lazily } from '../../kernel/lazy.js'
import type { Keychain, KeychainPlace, Waiting } from './keychain.js'
import type { KeyMemory } from './vault.js'

/**
 * The keychain of this system. Nothing is loaded, started or asked before the first call: `Bun.secrets` inside OpenCode,
 * else `secret-tool` on Linux, `security` on macOS, else the package `@napi-rs/keyring` where the user installed it. All
 * of them read what the others wrote.
 */
export function systemKeychain(place: KeychainPlace, waiting?: Waiting): Keychain {
  const via = viaOf(place)
  const opened = lazily(async () => {
    const { openKeychain } = await import('./keychain-open.js')
    return openKeychain(place, via, waiting)
  })
  return {
    via,
    get: async (name) => (await opened()).get(name),
    has: async (name) => (await opened()).has(name),
    set: async (name, secret) => (await opened()).set(name, secret),
    delete: async (name) => (await opened()).delete(name),
  }
}

/** The place this process runs at. */
export function currentPlatform(env: NodeJS.ProcessEnv): KeychainPlace {
  const host = globalThis as { Bun?: { secrets?: unknown } }
  return { env, platform: process.platform, secrets: host.Bun?.secrets }
}

/** By what each program has one of. Every project that OpenCode has open is a runtime of its own. */
const MEMORIES = new WeakMap<object, KeyMemory>()

/** What all vaults of this program remember together; undefined where it has only one. */
export function memoryOfProgram({ secrets }: KeychainPlace): KeyMemory | undefined {
  if (typeof secrets !== 'object' || secrets === null) return undefined
  const memory = MEMORIES.get(secrets) ?? new Map<string, never>()
  MEMORIES.set(secrets, memory)
  return memory
}

function viaOf({ secrets, platform }: KeychainPlace): string {
  if (secrets !== undefined) return 'Bun.secrets'
  if (platform === 'linux') return 'secret-tool'
  return platform === 'darwin' ? 'security' : '@napi-rs/keyring'
}
