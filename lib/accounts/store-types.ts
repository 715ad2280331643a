import type { AccountPool } from './account.js'

/**
 * The account file. `update` is the only way to write: it locks, reads afresh, applies the change to what is really on
 * disk, and replaces the file atomically.
 */
export interface AccountStore {
  /** Absolute path of the file this store reads and writes. */
  readonly path: string
  /**
   * The pool. A read of an unchanged file costs one `stat`; a missing file is an empty pool.
   * @throws CodexError `store_unreadable` (corrupt files are quarantined first), `store_newer`
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
   * @throws CodexError `store_busy`, `store_unreadable`, `store_newer`, `store_not_written`; nothing is changed then
   */
  update(change: (pool: AccountPool) => AccountPool): Promise<AccountPool>
  /** Stops watching. Idempotent. */
  close(): void
}
