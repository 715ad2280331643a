import type { AccountPool } from '../account.js'
import { sameStamp, stampOf } from '../../kernel/files/json-file.js'
import { type FileWatch, watchFiles } from '../../kernel/files/watch-files.js'
import { type Lazy, lazily } from '../../kernel/lazy.js'
import type { DataKey } from '../keychain/data-key.js'
import { changing, MAX_LOOKS, NotAnAccountFile } from './moved-aside.js'
import { type PoolOnDisk, readPoolFile } from './pool-file.js'
import type { HeldPool, PoolTransactions, StoreDeps } from './transactions.js'

/** A watch can fall silent (network drives, exhausted limits): this often a look at the disk checks on it, in the background. */
const RECHECK_MS = 10_000

/** Creates a store; nothing is read or watched before the first call. */
export function createAccountStore(deps: StoreDeps): AccountStore {
  return new FileStore(deps)
}

export type AccountStore = Pick<FileStore, keyof FileStore>

/**
 * The account file. `update` and `transact` are the only ways to write: they lock, read afresh, work on what is really on
 * disk, and replace the file atomically.
 */
class FileStore {
  /** Absolute path of the file this store reads and writes. */
  readonly path: string
  readonly #deps: StoreDeps
  readonly #changes: FileWatch
  #cached: Pick<PoolOnDisk, 'pool' | 'stamp' | 'keyId'> | undefined
  /** When the disk was last looked at, epoch ms; 0 after a change was reported. */
  #checkedAtMs = 0
  /** Changes reported by the watch; tells whether one came while a read was under way. */
  #reported = 0
  #rechecking = false
  #wasRead = false
  /** What writes; loaded with the first change. */
  readonly #transactions: Lazy<PoolTransactions>

  constructor(deps: StoreDeps) {
    this.path = deps.path
    this.#deps = deps
    this.#transactions = lazily(async () => {
      const { PoolTransactions } = await import('./transactions.js')
      return new PoolTransactions({
        ...deps,
        found: (cached) => (this.#cached = cached),
      })
    })
    this.#changes = watchFiles([deps.path], () => {
      this.#reported += 1
      this.#checkedAtMs = 0
    })
  }

  /**
   * The pool. A read of an unchanged file costs one `stat`; a missing file is an empty pool.
   * @throws CodexError `store_unreadable` (corrupt files are quarantined first), `store_newer`, `keychain_unreachable`
   */
  read(): Promise<AccountPool> {
    return this.#look(1)
  }

  /** The next `read` opens the file whatever `stat` says: a network drive may tell what was there a minute ago. */
  forget(): void {
    this.#cached = undefined
  }

  /**
   * The pool as last read or written, without touching the disk; undefined before the first `read`.
   * Turns stale (undefined) when the directory watch reports a change by another process.
   */
  peek(): AccountPool | undefined {
    if (!this.#changes.isWatching() || this.#cached === undefined || this.#checkedAtMs === 0)
      return undefined
    if (Math.abs(this.#deps.clock.now() - this.#checkedAtMs) > RECHECK_MS) this.#recheck()
    return this.#cached.pool
  }

  /**
   * Reads under the lock, applies `change`, writes what it returns and answers with the pool on disk afterwards.
   * `change` is pure and synchronous; returning its argument writes nothing.
   * @param onCopy hears the path of the copy that is written before accounts disappear
   * @throws CodexError `store_busy`, `store_unreadable`, `store_newer`, `store_not_written`, `keychain_unreachable`;
   * nothing is changed then
   */
  update(
    change: (pool: AccountPool) => AccountPool,
    onCopy?: (file: string) => void,
  ): Promise<AccountPool> {
    return this.#transactions().then((it) => it.update(change, onCopy))
  }

  /** The key the file is sealed with now; undefined for a plain one. @throws CodexError as `read` */
  async key(): Promise<DataKey | undefined> {
    await this.read()
    return this.#cached?.keyId === undefined ? undefined : this.#deps.vault?.key(this.#cached.keyId)
  }

  /**
   * Runs `work` under the lock, for changes that touch more than the pool: the key of the file, copies of it.
   * @throws CodexError as `update`, and what `work` throws
   */
  transact<T>(work: (held: HeldPool) => Promise<T>): Promise<T> {
    return this.#transactions().then((it) => it.transact(work))
  }

  /** Stops watching. Idempotent. */
  close(): void {
    this.#changes.close()
  }

  #readFresh(): Promise<PoolOnDisk> {
    // A start waits for the first read: done at once, it takes less than to ask for it and wait.
    const atOnce = !this.#wasRead
    this.#wasRead = true
    return readPoolFile(this.path, this.#deps.legacyPath, { vault: this.#deps.vault, atOnce })
  }

  async #look(looks: number): Promise<AccountPool> {
    if (this.#deps.watch === true) this.#changes.start()
    const seen = this.#reported
    const stamp = this.#cached === undefined ? undefined : await stampOf(this.path)
    this.#checkedAtMs = seen === this.#reported ? this.#deps.clock.now() : 0
    if (this.#cached !== undefined && stamp !== undefined && sameStamp(this.#cached.stamp, stamp)) {
      if (this.#cached.keyId !== undefined) void this.#deps.vault?.ensureStored(this.#cached.keyId)
      return this.#cached.pool
    }
    try {
      this.#cached = await this.#readFresh()
    } catch (error) {
      this.#cached = undefined
      if (!(error instanceof NotAnAccountFile)) throw error
      await (await this.#transactions()).quarantine()
      if (looks >= MAX_LOOKS) throw changing(this.path)
      return this.#look(looks + 1)
    }
    return this.#cached.pool
  }

  #recheck(): void {
    if (this.#rechecking) return
    this.#rechecking = true
    void this.read()
      .catch(() => undefined)
      .finally(() => (this.#rechecking = false))
  }
}
