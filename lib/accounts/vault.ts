import type { Clock } from '../kernel/clock.js'
import type { Logger } from '../kernel/logger.js'
import type { AccountPool } from './account.js'
import { type Keychain, unavailable } from './keychain.js'
import {
  type DataKey,
  keyFromText,
  keyIdOf,
  nameless,
  newDataKey,
  openedPool,
  textOfKey,
} from './seal.js'

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
  /**
   * Looks whether the item of a key that is in memory is still there, and writes the key back where it is gone or empty; an
   * item with anything in it is never written over. Costs nothing within a minute of the last look, unless `now` is said.
   * Never throws.
   */
  tend(id: string, when?: 'now'): Promise<Tended>
  /** From now on this key opens bound records alone: nothing is sealed the earlier way any more. @throws CodexError `keychain_unreachable` */
  bind(key: DataKey): Promise<void>
  /** The pool with its secrets in the clear; a plain one costs nothing. @throws CodexError `keychain_unreachable`, `store_unreadable` */
  open(pool: AccountPool, where: string): Promise<AccountPool>
}

/** A keychain that failed is left alone for this long: it may take its whole time limit to fail again. */
const FAILURE_PAUSE_MS = 5_000

const IF_LOST =
  'Nothing was changed. Unlock the keychain of your desktop session and try again. An OpenCode that is still open has the key and puts it back: run /codex-doctor there. If the key is lost for good, move the account file away and sign in again: opencode auth login'

/** A key in memory is compared with its item this often at most, ms. */
const TEND_EVERY_MS = 60_000

/** After a look that failed: a locked keychain may ask its owner something each time, ms. */
const TEND_AGAIN_MS = 30 * 60_000

/** An item that is made to see whether the keychain works, and deleted again. */
export const PROBE_ITEM = 'pool-key.probe'

/** Name of the keychain item with the key of that id. With its dot it is the same item to Bun and to Node on Windows. */
export function keyItemName(id: string): string {
  return `pool-key.${id}`
}

/** Name that the item had before; a key that lies there alone may open records that are not bound to where they are sent. */
function earlierItemName(id: string): string {
  return `pool-key-${id}`
}

/** What became of a look after a key that is in memory. */
export type Tended = 'fine' | 'rescued' | 'unknown'

/** Creates a vault that has asked for nothing yet. */
export function createVault(deps: {
  keychain: Keychain
  clock: Clock
  optedIn: boolean
  log?: Logger
}): Vault {
  const { clock, optedIn, log } = deps
  const keychain = deps.keychain
  /** When a key in memory is looked after next, epoch ms. */
  const tendAtMs = new Map<string, number>()
  const known = new Map<string, Promise<DataKey>>()
  const failed = new Map<string, { error: Error; atMs: number }>()

  async function reread(id: string): Promise<DataKey> {
    const bound = await secretAt(keyItemName(id))
    const text = bound ?? (await secretAt(earlierItemName(id)))
    if (text === undefined)
      throw unavailable(
        `The OS keychain is locked or has no item ${keyItemName(id)} (${keychain.via}), and without it the accounts cannot be opened.`,
        { hint: IF_LOST },
      )
    const key = keyFromText(id, text)
    if (key === undefined)
      throw unavailable(
        `The item ${keyItemName(id)} in the OS keychain is not a key of this plugin.`,
        { hint: IF_LOST },
      )
    return bound === undefined ? { ...key, opensUnbound: true } : key
  }

  /** An empty secret is none. */
  async function secretAt(name: string): Promise<string | undefined> {
    const text = await keychain.get(name)
    return text === undefined || text.trim() === '' ? undefined : text
  }

  /** Never over anything: what stands in an item may be the only key of somebody's accounts. */
  async function put(name: string, text: string): Promise<void> {
    const there = await secretAt(name)
    if (there === undefined) await keychain.set(name, text)
    if ((await secretAt(name)) !== text)
      throw unavailable(
        `The OS keychain did not give back what was stored in it (${keychain.via}).`,
      )
  }

  async function tend(id: string, when?: 'now'): Promise<Tended> {
    const held = known.get(id)
    if (held === undefined) return 'unknown'
    const nowMs = clock.now()
    const dueMs = tendAtMs.get(id) ?? 0
    if (when !== 'now' && nowMs < dueMs && dueMs - nowMs <= TEND_AGAIN_MS) return 'unknown'
    tendAtMs.set(id, nowMs + TEND_EVERY_MS)
    try {
      const inMemory = await held
      const name = inMemory.opensUnbound === true ? earlierItemName(id) : keyItemName(id)
      if ((await secretAt(name)) !== undefined) return 'fine'
      await put(name, textOfKey(inMemory))
      log?.log(
        'warn',
        `The key of the sealed accounts was gone from the OS keychain (item ${name}) and was put back from memory.`,
      )
      return 'rescued'
    } catch {
      tendAtMs.set(id, nowMs + TEND_AGAIN_MS)
      return 'unknown'
    }
  }

  function key(id: string): Promise<DataKey> {
    const failure = failed.get(id)
    if (failure !== undefined && Math.abs(clock.now() - failure.atMs) < FAILURE_PAUSE_MS)
      return Promise.reject(failure.error)
    const running = known.get(id)
    if (running !== undefined) return running
    const asked = reread(id)
    known.set(id, asked)
    asked.then(
      () => {
        failed.delete(id)
        tendAtMs.set(id, clock.now() + TEND_EVERY_MS)
      },
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
      await put(keyItemName(made.id), textOfKey(made))
      const stored = await reread(made.id)
      known.set(made.id, Promise.resolve(stored))
      tendAtMs.set(made.id, clock.now() + TEND_EVERY_MS)
      return stored
    },
    async prove() {
      const text = textOfKey(newDataKey())
      await keychain.set(PROBE_ITEM, text)
      if ((await keychain.get(PROBE_ITEM)) !== text)
        throw unavailable(
          `The OS keychain did not give back what was stored in it (${keychain.via}).`,
        )
      await keychain.delete(PROBE_ITEM)
    },
    async forget(id) {
      const deleted = [
        await keychain.delete(keyItemName(id)),
        await keychain.delete(earlierItemName(id)),
      ]
      const wasThere = deleted.includes(true)
      if (!wasThere)
        throw unavailable(
          `The OS keychain did not find the item ${keyItemName(id)} to delete it (${keychain.via}).`,
        )
      known.delete(id)
    },
    tend,
    async bind(unbound) {
      await put(keyItemName(unbound.id), textOfKey(unbound))
      known.set(unbound.id, Promise.resolve({ id: unbound.id, bytes: unbound.bytes }))
    },
    async open(pool, where) {
      const id = keyIdOf(pool)
      if (id !== undefined) return openedPool(pool, await key(id))
      if (pool.accounts.some(({ sealed }) => sealed !== undefined)) throw nameless(where)
      return pool
    },
  }
}
