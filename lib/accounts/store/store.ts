import { rename } from 'node:fs/promises'
import path from 'node:path'
import type { Clock } from '../../kernel/clock.js'
import { CodexError } from '../../kernel/errors.js'
import { sameStamp, stampOf, writeFileAtomic } from '../../kernel/files/json-file.js'
import { type HeldLock, withFileLock } from '../../kernel/lock/lock.js'
import { realPathOrSame } from '../../kernel/files/real-path.js'
import { type FileWatch, watchFiles } from '../../kernel/files/watch-files.js'
import type { AccountPool } from '../account.js'
import { dropOldest, timestamp, writeBackup } from './backups.js'
import { closeFolder } from '../project/own-folders.js'
import {
  MovedAside,
  NotAnAccountFile,
  type PoolOnDisk,
  poolText,
  readPoolFile,
} from './pool-file.js'
import { rewriteCopies } from '../keychain/sealed-files.js'
import type { DataKey } from '../keychain/seal.js'
import type { Vault } from '../keychain/vault.js'

/**
 * The earlier plugin locks `<file>.transaction`; the same name keeps both out of each other's way
 * (docs/development/facts/other-plugins.md#locks). At the real path of the file: homes that are linked to one account
 * file share one lock.
 */
const LOCK_SUFFIX = '.transaction'
const LOCK_STALE_MS = 4_000
const LOCK_WAIT_MS = 10_000
/** A file that is damaged, mended and damaged again is looked at this often before the caller hears of it. */
const MAX_LOOKS = 3
/** A watch can fall silent (network drives, exhausted limits): this often a look at the disk checks on it, in the background. */
const RECHECK_MS = 10_000

export interface StoreDeps {
  /** Absolute path of the account file. */
  readonly path: string
  /** Where copies go before accounts are removed. */
  readonly backupsDir: string
  /** Older name of the file; taken over, and renamed with the first write. */
  readonly legacyPath?: string
  readonly clock: Clock
  /** Watch the folder, so that `peek` may answer. Off for one-shot commands. */
  readonly watch?: boolean
  /** Opens and seals secrets. Without it those of a sealed file stay sealed: for who needs metadata alone. */
  readonly vault?: Vault
  /** Hears that a damaged file was moved aside, whoever came upon it: background work has nobody to tell. */
  readonly onMovedAside?: (moved: MovedAside) => void
}

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
  readonly #folder: string
  readonly #changes: FileWatch
  #cached: Pick<PoolOnDisk, 'pool' | 'stamp' | 'keyId'> | undefined
  /** When the disk was last looked at, epoch ms; 0 after a change was reported. */
  #checkedAtMs = 0
  /** Changes reported by the watch; tells whether one came while a read was under way. */
  #reported = 0
  #rechecking = false
  /** Ends when the last queued transaction of this process has ended. */
  #queue: Promise<unknown> = Promise.resolve()

  constructor(deps: StoreDeps) {
    this.path = deps.path
    this.#deps = deps
    this.#folder = path.dirname(deps.path)
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
    return this.transact(async (held) => {
      const after = change(held.pool)
      if (after === held.pool) return after
      const copy = await held.write(after, await this.#keyFor(held, after))
      if (copy !== undefined) onCopy?.(copy)
      return after
    })
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
    return this.#attempt(work, 1)
  }

  /** Stops watching. Idempotent. */
  close(): void {
    this.#changes.close()
  }

  #readFresh(): Promise<PoolOnDisk> {
    return readPoolFile(this.path, this.#deps.legacyPath, this.#deps.vault)
  }

  /**
   * What cannot be an account file is moved aside, never overwritten; under the lock, so that a writer is not surprised.
   * Resolves when another process has done so meanwhile, and the file can be read again.
   * @throws MovedAside, once for each caller who found the file damaged
   */
  async #quarantine(): Promise<void> {
    return this.#locked(async () => {
      try {
        await this.#readFresh()
      } catch (error) {
        if (!(error instanceof NotAnAccountFile)) throw error
        const aside = `${this.path}.corrupt-${timestamp(this.#deps.clock.now())}`
        await rename(this.path, aside).catch((cause: unknown) => {
          throw new CodexError(
            'store_unreadable',
            `${this.path} cannot be used because ${error.why}, and it cannot be moved aside.`,
            { cause },
          )
        })
        await dropOldest(this.#folder, (name) =>
          name.startsWith(`${path.basename(this.path)}.corrupt-`),
        )
        const moved = new MovedAside(this.path, path.basename(aside), error.why)
        this.#deps.onMovedAside?.(moved)
        throw moved
      }
    })
  }

  async #look(looks: number): Promise<AccountPool> {
    if (this.#deps.watch === true) this.#changes.start()
    const seen = this.#reported
    const stamp = await stampOf(this.path)
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
      await this.#quarantine()
      if (looks >= MAX_LOOKS) throw this.#changing()
      return this.#look(looks + 1)
    }
    return this.#cached.pool
  }

  #changing(): CodexError {
    return new CodexError('store_busy', `${this.path} changed while it was being read.`)
  }

  #locked<T>(work: (lock: HeldLock) => Promise<T>): Promise<T> {
    const options = { staleMs: LOCK_STALE_MS, waitMs: LOCK_WAIT_MS, what: 'the account file' }
    const run = this.#queue.then(() =>
      withFileLock(realPathOrSame(this.path) + LOCK_SUFFIX, options, work),
    )
    this.#queue = run.catch(() => undefined)
    return run
  }

  /** The key to write with: that of the file, or a new one for a first write of a user who wants that. */
  async #keyFor(before: PoolOnDisk, after: AccountPool): Promise<DataKey | undefined> {
    if (this.#deps.vault === undefined) return undefined
    if (before.keyId !== undefined) return this.#deps.vault.key(before.keyId)
    const isNew = before.pool.accounts.length === 0 && after.accounts.length > 0
    return isNew && this.#deps.vault.optedIn ? this.#deps.vault.create() : undefined
  }

  async #attempt<T>(work: (held: HeldPool) => Promise<T>, looks: number): Promise<T> {
    const result = await this.#locked(async (lock) => {
      const before = await this.#readFresh().catch((error: unknown) => {
        if (!(error instanceof NotAnAccountFile)) throw error
        return undefined
      })
      if (before === undefined) return undefined
      this.#cached = before
      const write: HeldPool['write'] = async (after, key) => {
        const copy = await this.#keepCopy(before, after)
        const text = poolText(after, key)
        if (!lock.isHeld())
          throw new CodexError(
            'store_busy',
            'The lock on the account file was lost while it was being changed.',
          )
        // A folder made by another program may be open to others; ours is not.
        await closeFolder(this.#folder)
        const stamp = await writeFileAtomic(this.path, text)
        this.#cached = { pool: after, stamp, keyId: key?.id }
        if (before.stamp === undefined) await this.#retireLegacy()
        if (this.#deps.vault !== undefined && key?.opensUnbound === true)
          await this.#bindKey(this.#deps.vault, key)
        return copy
      }
      return { done: await work({ ...before, write }) }
    })
    if (result !== undefined) return result.done
    await this.#quarantine()
    if (looks >= MAX_LOOKS) throw this.#changing()
    return this.#attempt(work, looks + 1)
  }

  /** Before accounts disappear, and before a file of the odd version 2 is rewritten. */
  async #keepCopy(before: PoolOnDisk, after: AccountPool): Promise<string | undefined> {
    if (before.text === undefined) return undefined
    const left = new Set(after.accounts.map((account) => account.uid))
    const removes = before.pool.accounts.some((account) => !left.has(account.uid))
    if (removes)
      return writeBackup(this.#deps.backupsDir, 'accounts', before.text, this.#deps.clock.now())
    if (before.fromVersion === 2)
      await writeBackup(this.#deps.backupsDir, 'accounts-v2', before.text, this.#deps.clock.now())
    return undefined
  }

  /** The file is sealed the new way; its copies follow, and then nothing of the earlier way opens any more. */
  async #bindKey(keys: Vault, key: DataKey): Promise<void> {
    const { left } = await rewriteCopies(this.#deps.backupsDir, keys, key, 'again')
    // Tried again with the next write: until then the file opens as before.
    if (left.length === 0) await keys.bind(key).catch(() => undefined)
  }

  async #retireLegacy(): Promise<void> {
    if (this.#deps.legacyPath === undefined) return
    await rename(this.#deps.legacyPath, `${this.#deps.legacyPath}.migrated`).catch(() => undefined)
  }

  #recheck(): void {
    if (this.#rechecking) return
    this.#rechecking = true
    void this.read()
      .catch(() => undefined)
      .finally(() => (this.#rechecking = false))
  }
}

/** The pool under the lock. */
interface HeldPool extends PoolOnDisk {
  /**
   * Replaces the file in one step.
   * @param key seals it; undefined writes it plain
   * @returns the path of the copy that was written first because accounts disappear, if any do
   */
  write(pool: AccountPool, key: DataKey | undefined): Promise<string | undefined>
}
