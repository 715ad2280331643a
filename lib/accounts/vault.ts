import type { Clock } from '../kernel/clock.js'
import type { AccountPool } from './account.js'
import { type Keychain, unavailable } from './keychain.js'
import { type DataKey, keyFromText, keyIdOf, newDataKey, openedPool, textOfKey } from './seal.js'

/** The keys of sealed account files, kept in the OS keychain and, once read, in memory. */
export interface Vault {
  readonly keychain: Keychain
  /** The user wants accounts sealed (`CODEX_KEYCHAIN=1`): a new account file is sealed from its first write on. */
  readonly optedIn: boolean
  /** The key of that id. One question to the keychain per process. @throws CodexError `keychain_unreachable` */
  key(id: string): Promise<DataKey>
  /** A new key that the keychain has and gives back. @throws CodexError `keychain_unreachable` */
  create(): Promise<DataKey>
  /** Asks the keychain anew, past the memory. @throws CodexError `keychain_unreachable` */
  reread(id: string): Promise<DataKey>
  /** Shows that the keychain keeps and gives back an item. @throws CodexError `keychain_unreachable` */
  prove(): Promise<void>
  /** Deletes the key for good: whatever is still sealed with it is lost. @throws CodexError `keychain_unreachable` */
  forget(id: string): Promise<void>
  /** The pool with its secrets in the clear; a plain one costs nothing. @throws CodexError `keychain_unreachable`, `store_unreadable` */
  open(pool: AccountPool, where: string): Promise<AccountPool>
}

/** A keychain that failed is left alone for this long: it may take its whole time limit to fail again. */
const FAILURE_PAUSE_MS = 5_000

/** An item that is made to see whether the keychain works, and deleted again. */
const PROBE_ITEM = 'probe'

const IF_LOST = 'Nothing was changed. Unlock the keychain of your desktop session and try again; if the key is lost for good, move the account file away and sign in again: opencode auth login'

/** Name of the keychain item with the key of that id. */
export function keyItemName(id: string): string {
  return `pool-key-${id}`
}

/** Creates a vault that has asked for nothing yet. */
export function createVault(deps: { keychain: Keychain; clock: Clock; optedIn: boolean }): Vault {
  const { keychain, clock, optedIn } = deps
  const known = new Map<string, Promise<DataKey>>()
  const failed = new Map<string, { error: Error; atMs: number }>()

  async function reread(id: string): Promise<DataKey> {
    const text = await keychain.get(keyItemName(id))
    if (text === undefined) throw unavailable(`The OS keychain is locked or has no item ${keyItemName(id)} (${keychain.via}), and without it the accounts cannot be opened.`, { hint: IF_LOST })
    const key = keyFromText(id, text)
    if (key === undefined) throw unavailable(`The item ${keyItemName(id)} in the OS keychain is not a key of this plugin.`, { hint: IF_LOST })
    return key
  }

  function key(id: string): Promise<DataKey> {
    const failure = failed.get(id)
    if (failure !== undefined && Math.abs(clock.now() - failure.atMs) < FAILURE_PAUSE_MS) return Promise.reject(failure.error)
    const running = known.get(id)
    if (running !== undefined) return running
    const asked = reread(id)
    known.set(id, asked)
    asked.then(
      () => failed.delete(id),
      (error: unknown) => {
        known.delete(id)
        if (error instanceof Error) failed.set(id, { error, atMs: clock.now() })
      },
    )
    return asked
  }

  return {
    keychain,
    optedIn,
    key,
    reread,
    async create() {
      const made = newDataKey()
      await keychain.set(keyItemName(made.id), textOfKey(made))
      const stored = await reread(made.id)
      if (!stored.bytes.equals(made.bytes)) throw unavailable(`The OS keychain did not give back what was stored in it (${keychain.via}).`)
      known.set(made.id, Promise.resolve(stored))
      return stored
    },
    async prove() {
      const text = textOfKey(newDataKey())
      await keychain.set(PROBE_ITEM, text)
      if ((await keychain.get(PROBE_ITEM)) !== text) throw unavailable(`The OS keychain did not give back what was stored in it (${keychain.via}).`)
      await keychain.delete(PROBE_ITEM)
    },
    async forget(id) {
      const wasThere = await keychain.delete(keyItemName(id))
      if (!wasThere) throw unavailable(`The OS keychain did not find the item ${keyItemName(id)} to delete it (${keychain.via}).`)
      known.delete(id)
    },
    async open(pool, where) {
      const id = keyIdOf(pool)
      return id === undefined ? pool : openedPool(pool, await key(id), where)
    },
  }
}
