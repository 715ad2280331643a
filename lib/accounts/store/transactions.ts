import { rename } from 'node:fs/promises'
import path from 'node:path'

import type { Clock } from '../../kernel/clock.js'
import { CodexError } from '../../kernel/errors.js'
import { patiently } from '../../kernel/files/patience.js'
import { realPathOrSame } from '../../kernel/files/real-path.js'
import { writeFileAtomic } from '../../kernel/files/replace-file.js'
import { type HeldLock, withFileLock } from '../../kernel/lock/lock.js'
import type { AccountPool } from '../account.js'
import type { DataKey } from '../keychain/data-key.js'
import { poolText } from '../keychain/seal.js'
import { rewriteCopies } from '../keychain/sealed-files.js'
import type { Vault } from '../keychain/vault.js'
import { closeFolder } from '../project/own-folders.js'
import { dropOldest, timestamp, writeBackup } from './backups.js'
import { changing, MAX_LOOKS, MovedAside, NotAnAccountFile } from './moved-aside.js'
import { type PoolOnDisk, readPoolFile } from './pool-file.js'

/**
 * The earlier plugin locks `<file>.transaction`; the same name keeps both out of each other's way
 * (docs/development/facts/other-plugins.md#locks). At the real path of the file: homes that are linked to one account
 * file share one lock.
 */
const LOCK_SUFFIX = '.transaction'
const LOCK_STALE_MS = 4_000
const LOCK_WAIT_MS = 10_000

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

/** The pool under the lock. */
export interface HeldPool extends PoolOnDisk {
  /**
   * Replaces the file in one step.
   * @param key seals it; undefined writes it plain
   * @returns the path of the copy that was written first because accounts disappear, if any do
   */
  write(pool: AccountPool, key: DataKey | undefined): Promise<string | undefined>
}

interface TransactionDeps extends StoreDeps {
  /** Hears what is on the disk now. */
  readonly found: (pool: Pick<PoolOnDisk, 'pool' | 'stamp' | 'keyId'>) => void
}

/** What changes an account file: under its lock, on what is really on the disk, in one step. */
export class PoolTransactions {
  readonly #deps: TransactionDeps
  /** Ends when the last queued transaction of this process has ended. */
  #queue: Promise<unknown> = Promise.resolve()

  constructor(deps: TransactionDeps) {
    this.#deps = deps
  }

  /** As `AccountStore.update`. */
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

  /** As `AccountStore.transact`. */
  transact<T>(work: (held: HeldPool) => Promise<T>): Promise<T> {
    return this.#attempt(work, 1)
  }

  /**
   * What cannot be an account file is moved aside, never overwritten; under the lock, so that a writer is not surprised.
   * Resolves when another process has done so meanwhile, and the file can be read again.
   * @throws MovedAside, once for each caller who found the file damaged
   */
  async quarantine(): Promise<void> {
    return this.#locked(async () => {
      try {
        await this.#readFresh()
      } catch (error) {
        if (!(error instanceof NotAnAccountFile)) throw error
        const aside = `${this.#deps.path}.corrupt-${timestamp(this.#deps.clock.now())}`
        const move = patiently('change', () => rename(this.#deps.path, aside))
        await move.catch((cause: unknown) => {
          throw new CodexError(
            'store_unreadable',
            `${this.#deps.path} cannot be used because ${error.why}, and it cannot be moved aside.`,
            { cause },
          )
        })
        await dropOldest(path.dirname(this.#deps.path), (name) =>
          name.startsWith(`${path.basename(this.#deps.path)}.corrupt-`),
        )
        const moved = new MovedAside(this.#deps.path, path.basename(aside), error.why)
        this.#deps.onMovedAside?.(moved)
        throw moved
      }
    })
  }

  #readFresh(): Promise<PoolOnDisk> {
    return readPoolFile(this.#deps.path, this.#deps.legacyPath, { vault: this.#deps.vault })
  }

  #locked<T>(work: (lock: HeldLock) => Promise<T>): Promise<T> {
    const options = { staleMs: LOCK_STALE_MS, waitMs: LOCK_WAIT_MS, what: 'the account file' }
    const run = this.#queue.then(() =>
      withFileLock(realPathOrSame(this.#deps.path) + LOCK_SUFFIX, options, work),
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
      this.#deps.found(before)
      const write: HeldPool['write'] = async (after, key) => {
        const copy = await this.#keepCopy(before, after)
        const text = poolText(after, key)
        if (!lock.isHeld())
          throw new CodexError(
            'store_busy',
            'The lock on the account file was lost while it was being changed.',
          )
        // A folder made by another program may be open to others; ours is not.
        await closeFolder(path.dirname(this.#deps.path))
        const stamp = await writeFileAtomic(this.#deps.path, text)
        this.#deps.found({ pool: after, stamp, keyId: key?.id })
        if (before.stamp === undefined) await this.#retireLegacy()
        if (this.#deps.vault !== undefined && key?.opensUnbound === true)
          await this.#bindKey(this.#deps.vault, key)
        return copy
      }
      return { done: await work({ ...before, write }) }
    })
    if (result !== undefined) return result.done
    await this.quarantine()
    if (looks >= MAX_LOOKS) throw changing(this.#deps.path)
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
    const { legacyPath } = this.#deps
    await patiently('change', () => rename(legacyPath, `${legacyPath}.migrated`)).catch(
      () => undefined,
    )
  }
}
