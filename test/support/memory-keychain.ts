import type { Keychain } from '../../lib/accounts/keychain/keychain.js'
import { unavailable } from '../../lib/accounts/keychain/keychain.js'

/** A keychain in memory that counts and can be locked or broken. */
export interface MemoryKeychain extends Keychain {
  readonly items: Map<string, string>
  reads: number
  /** What every call fails with; undefined works. */
  broken: boolean
}

export function memoryKeychain(): MemoryKeychain {
  const items = new Map<string, string>()
  const check = (): void => {
    if (chain.broken) throw unavailable('The OS keychain could not be read (memory).')
  }
  const chain: MemoryKeychain = {
    via: 'memory',
    items,
    reads: 0,
    broken: false,
    async get(name) {
      chain.reads += 1
      check()
      return items.get(name)
    },
    async set(name, secret) {
      check()
      items.set(name, secret)
    },
    async delete(name) {
      check()
      return items.delete(name)
    },
  }
  return chain
}
