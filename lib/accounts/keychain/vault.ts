import type { Clock } from '../../kernel/clock.js'
import { isCodexError } from '../../kernel/errors.js'
import type { Logger } from '../../kernel/logger.js'
import type { AccountPool } from '../account.js'
import { type Keychain, KeychainRefused, unavailable } from './keychain.js'
import {
  type DataKey,
  isSealed,
  keyFromText,
  keyIdOf,
  missingKeyName,
  newDataKey,
  textOfKey,
} from './data-key.js'

/** A keychain that failed is left alone for this long: it may take its whole time limit to fail again. */
const FAILURE_PAUSE_MS = 5_000
/** Requests follow each other; one no is an answer to all that come within this time, ms. */
const REFUSED_PAUSE_MS = 15_000

const IF_LOST =
  'Nothing was changed. Unlock the keychain of your desktop session and try again. An OpenCode that is still open has the key and puts it back: run {/doctor} there. If the key is lost for good, move the account file away and sign in again: {login}'

/** A key in memory is compared with its item this often at most, ms. */
const CHECK_EVERY_MS = 60_000

/** After a look that failed: a locked keychain may ask its owner something each time, ms. */
const CHECK_AFTER_FAILURE_MS = 30 * 60_000

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

interface VaultDeps {
  readonly keychain: Keychain
  readonly clock: Clock
  readonly optedIn: boolean
  readonly log?: Logger
  /** Shared by all vaults of a program, so that its owner is asked once; its own by default. */
  readonly memory?: KeyMemory | undefined
}

/** Keys that were read, by their id. */
export type KeyMemory = Map<string, Promise<DataKey>>

/** Creates a vault that has asked for nothing yet. */
export function createVault(deps: VaultDeps): Vault {
  return new KeychainVault(deps)
}

export type Vault = Pick<KeychainVault, keyof KeychainVault>

/** The keys of sealed account files, kept in the OS keychain and, once read, in memory. */
class KeychainVault {
  readonly keychain: Keychain
  /** The user wants accounts sealed (`CODEX_KEYCHAIN=1`): a new account file is sealed from its first write on. */
  readonly optedIn: boolean
  readonly #clock: Clock
  readonly #log: Logger | undefined
  /** When a key in memory is compared with its item next, epoch ms. */
  readonly #nextCheckMs = new Map<string, number>()
  readonly #known: KeyMemory
  readonly #failed = new Map<string, { error: Error; atMs: number }>()

  constructor({ keychain, clock, optedIn, log, memory = new Map() }: VaultDeps) {
    this.#known = memory
    this.keychain = keychain
    this.optedIn = optedIn
    this.#clock = clock
    this.#log = log
  }

  /** The key of that id. One question to the keychain per process. @throws CodexError `keychain_unreachable` */
  key(id: string): Promise<DataKey> {
    const failure = this.#failed.get(id)
    const pauseMs = failure?.error instanceof KeychainRefused ? REFUSED_PAUSE_MS : FAILURE_PAUSE_MS
    if (failure !== undefined && Math.abs(this.#clock.now() - failure.atMs) < pauseMs)
      return Promise.reject(failure.error)
    const running = this.#known.get(id)
    if (running !== undefined) return this.#shared(id, running)
    const asked = this.fetchKey(id)
    this.#known.set(id, asked)
    asked.then(
      () => {
        this.#failed.delete(id)
        this.#nextCheckMs.set(id, this.#clock.now() + CHECK_EVERY_MS)
      },
      (error: unknown) => {
        this.#known.delete(id)
        if (error instanceof Error) this.#failed.set(id, { error, atMs: this.#clock.now() })
      },
    )
    return asked
  }

  /** The answer to somebody else's question. When they give up, that is no answer to this one. */
  #shared(id: string, running: Promise<DataKey>): Promise<DataKey> {
    return running.catch((error: unknown) => {
      if (!isCodexError(error)) return this.key(id)
      this.#failed.set(id, { error, atMs: this.#clock.now() })
      throw error
    })
  }

  /** Asks the keychain, past the memory. @throws CodexError `keychain_unreachable` */
  async fetchKey(id: string): Promise<DataKey> {
    const bound = await this.#secretAt(keyItemName(id))
    const text = bound ?? (await this.#secretAt(earlierItemName(id)))
    if (text === undefined)
      throw unavailable(
        `The OS keychain is locked or has no item ${keyItemName(id)} (${this.keychain.via}), and without it the accounts cannot be opened.`,
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

  /** A new key that the keychain has and gives back. @throws CodexError `keychain_unreachable` */
  async create(): Promise<DataKey> {
    const made = newDataKey()
    await this.#put(keyItemName(made.id), textOfKey(made))
    const stored = await this.fetchKey(made.id)
    this.#known.set(made.id, Promise.resolve(stored))
    this.#nextCheckMs.set(made.id, this.#clock.now() + CHECK_EVERY_MS)
    return stored
  }

  /** Shows that the keychain keeps and gives back an item. @throws CodexError `keychain_unreachable` */
  async probe(): Promise<void> {
    const text = textOfKey(newDataKey())
    await this.keychain.set(PROBE_ITEM, text)
    if ((await this.keychain.get(PROBE_ITEM)) !== text) throw this.#notGivenBack()
    await this.keychain.delete(PROBE_ITEM)
  }

  /** Deletes the key for good: whatever is still sealed with it is lost. @throws CodexError `keychain_unreachable` */
  async forget(id: string): Promise<void> {
    const isDeleted = await this.keychain.delete(keyItemName(id))
    const isEarlierDeleted = await this.keychain.delete(earlierItemName(id))
    if (!isDeleted && !isEarlierDeleted)
      throw unavailable(
        `The OS keychain did not find the item ${keyItemName(id)} to delete it (${this.keychain.via}).`,
      )
    this.#known.delete(id)
  }

  /**
   * Looks whether the item of a key that is in memory is still there, and writes the key back where it is gone or empty; an
   * item with anything in it is never written over. Costs nothing within a minute of the last look, unless `now` is said.
   * Never throws.
   */
  async ensureStored(id: string, when?: 'now'): Promise<'fine' | 'rescued' | 'unknown'> {
    const held = this.#known.get(id)
    if (held === undefined) return 'unknown'
    const nowMs = this.#clock.now()
    const dueMs = this.#nextCheckMs.get(id) ?? 0
    if (when !== 'now' && nowMs < dueMs && dueMs - nowMs <= CHECK_AFTER_FAILURE_MS) return 'unknown'
    this.#nextCheckMs.set(id, nowMs + CHECK_EVERY_MS)
    try {
      const inMemory = await held
      const name = inMemory.opensUnbound === true ? earlierItemName(id) : keyItemName(id)
      if (await this.#isThere(name)) return 'fine'
      await this.#put(name, textOfKey(inMemory))
      this.#log?.log(
        'warn',
        `The key of the sealed accounts was gone from the OS keychain (item ${name}) and was put back from memory.`,
      )
      return 'rescued'
    } catch {
      this.#nextCheckMs.set(id, nowMs + CHECK_AFTER_FAILURE_MS)
      return 'unknown'
    }
  }

  /** From now on this key opens bound records alone: nothing is sealed the earlier way any more. @throws CodexError `keychain_unreachable` */
  async bind({ id, bytes }: DataKey): Promise<void> {
    const bound = { id, bytes }
    await this.#put(keyItemName(id), textOfKey(bound))
    this.#known.set(id, Promise.resolve(bound))
  }

  /** The pool with its secrets in the clear; a plain one costs nothing. @throws CodexError `keychain_unreachable`, `store_unreadable` */
  async open(pool: AccountPool, where: string): Promise<AccountPool> {
    const id = keyIdOf(pool)
    if (id !== undefined) {
      const [{ unsealPool }, key] = await Promise.all([import('./seal.js'), this.key(id)])
      return unsealPool(pool, key)
    }
    if (pool.accounts.some(isSealed)) throw missingKeyName(where)
    return pool
  }

  /** macOS asks its owner about each look at a secret, until they choose "Always Allow"; the item alone is looked for unasked. */
  async #isThere(name: string): Promise<boolean> {
    const { keychain } = this
    return keychain.has === undefined
      ? (await this.#secretAt(name)) !== undefined
      : keychain.has(name)
  }

  /** An empty secret is none. */
  async #secretAt(name: string): Promise<string | undefined> {
    const text = await this.keychain.get(name)
    return text === undefined || text.trim() === '' ? undefined : text
  }

  /** Never over anything: what stands in an item may be the only key of the accounts. */
  async #put(name: string, text: string): Promise<void> {
    if ((await this.#secretAt(name)) === undefined) await this.keychain.set(name, text)
    if ((await this.#secretAt(name)) !== text) throw this.#notGivenBack()
  }

  #notGivenBack(): Error {
    return unavailable(
      `The OS keychain did not give back what was stored in it (${this.keychain.via}).`,
    )
  }
}
