import type { AccountPool } from './account.js'
import type { PoolOnDisk } from './pool-file.js'
import type { DataKey } from './seal.js'

/** The pool under the lock. */
export interface HeldPool extends PoolOnDisk {
  /**
   * Replaces the file in one step.
   * @param key seals it; undefined writes it plain
   * @returns the path of the copy that was written first because accounts disappear, if any do
   */
  write(pool: AccountPool, key: DataKey | undefined): Promise<string | undefined>
}

/**
 * The account file. `update` and `transact` are the only ways to write: they lock, read afresh, work on what is really on
 * disk, and replace the file atomically.
 */
export interface AccountStore {
  /** Absolute path of the file this store reads and writes. */
  readonly path: string
  /**
   * The pool. A read of an unchanged file costs one `stat`; a missing file is an empty pool.
   * @throws CodexError `store_unreadable` (corrupt files are quarantined first), `store_newer`, `keychain_unreachable`
   */
  read(): Promise<AccountPool>
  /**
   * The pool as last read or written, without touching the disk; undefined before the first `read`.
   * Turns stale (undefined) when the directory watch reports a change by another process.
   */
  peek(): AccountPool | undefined
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
  ): Promise<AccountPool>
  /**
   * Runs `work` under the lock, for changes that touch more than the pool: the key of the file, copies of it.
   * @throws CodexError as `update`, and what `work` throws
   */
  transact<T>(work: (held: HeldPool) => Promise<T>): Promise<T>
  /** The key the file is sealed with now; undefined for a plain one. @throws CodexError as `read` */
  key(): Promise<DataKey | undefined>
  /** Stops watching. Idempotent. */
  close(): void
}
