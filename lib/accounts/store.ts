import { type FSWatcher, watch } from 'node:fs'
import { rename } from 'node:fs/promises'
import path from 'node:path'

import type { Clock } from '../kernel/clock.js'
import { CodexError } from '../kernel/errors.js'
import {
  type FileStamp,
  mayBeChangeOf,
  sameStamp,
  stampOf,
  writeFileAtomic,
} from '../kernel/json-file.js'
import { type HeldLock, withFileLock } from '../kernel/lock.js'
import { realPathOrSame } from '../kernel/real-path.js'
import type { AccountPool } from './account.js'
import { dropOldest, timestamp, writeBackup } from './backups.js'
import { closeFolder } from './own-folders.js'
import { ForeignFile, MovedAside, type PoolOnDisk, poolText, readPoolFile } from './pool-file.js'
import { rewriteCopies } from './plain-copies.js'
import type { DataKey } from './seal.js'
import type { AccountStore, HeldPool } from './store-types.js'
import type { Vault } from './vault.js'

/**
 * The earlier plugin locks `<file>.transaction`; the same name keeps both out of each other's way (peer facts §2.4). At
 * the real path of the file: homes that are linked to one account file share one lock.
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

interface Cached {
  readonly pool: AccountPool
  readonly stamp: FileStamp | undefined
  readonly keyId: string | undefined
}

/** Creates a store; nothing is read or watched before the first call. */
export function createAccountStore(deps: StoreDeps): AccountStore {
  const { path: file, clock, vault } = deps
  const folder = path.dirname(file)
  let cached: Cached | undefined
  let watcher: FSWatcher | undefined
  /** When the disk was last looked at, epoch ms; 0 after a change was reported. */
  let checkedAtMs = 0
  /** Changes reported by the watch; tells whether one came while a read was under way. */
  let reported = 0
  let rechecking = false
  let closed = false
  /** Ends when the last queued transaction of this process has ended. */
  let queue: Promise<unknown> = Promise.resolve()

  const readFresh = (): Promise<PoolOnDisk> => readPoolFile(file, deps.legacyPath, vault)

  /**
   * What cannot be an account file is moved aside, never overwritten; under the lock, so that a writer is not surprised.
   * Resolves when somebody else has done so meanwhile, and the file can be read again.
   * @throws MovedAside, once for everybody who found the file damaged
   */
  async function quarantine(): Promise<void> {
    return locked(async () => {
      try {
        await readFresh()
      } catch (error) {
        if (!(error instanceof ForeignFile)) throw error
        const aside = `${file}.corrupt-${timestamp(clock.now())}`
        await rename(file, aside).catch((cause: unknown) => {
          throw new CodexError(
            'store_unreadable',
            `${file} cannot be used because ${error.why}, and it cannot be moved aside.`,
            { cause },
          )
        })
        await dropOldest(folder, (name) => name.startsWith(`${path.basename(file)}.corrupt-`))
        const moved = new MovedAside(file, path.basename(aside), error.why)
        deps.onMovedAside?.(moved)
        throw moved
      }
    })
  }

  async function read(looks = 1): Promise<AccountPool> {
    startWatching()
    const seen = reported
    const stamp = await stampOf(file)
    checkedAtMs = seen === reported ? clock.now() : 0
    if (cached !== undefined && stamp !== undefined && sameStamp(cached.stamp, stamp)) {
      if (cached.keyId !== undefined) void vault?.tend(cached.keyId)
      return cached.pool
    }
    try {
      cached = await readFresh()
    } catch (error) {
      cached = undefined
      if (!(error instanceof ForeignFile)) throw error
      await quarantine()
      if (looks >= MAX_LOOKS) throw changing()
      return read(looks + 1)
    }
    return cached.pool
  }

  function changing(): CodexError {
    return new CodexError('store_busy', `${file} changed while it was being read.`)
  }

  function locked<T>(work: (lock: HeldLock) => Promise<T>): Promise<T> {
    const options = { staleMs: LOCK_STALE_MS, waitMs: LOCK_WAIT_MS, what: 'the account file' }
    const run = queue.then(() => withFileLock(realPathOrSame(file) + LOCK_SUFFIX, options, work))
    queue = run.catch(() => undefined)
    return run
  }

  /** The key to write with: that of the file, or a new one for a first write of somebody who wants that. */
  async function keyFor(before: PoolOnDisk, after: AccountPool): Promise<DataKey | undefined> {
    if (vault === undefined) return undefined
    if (before.keyId !== undefined) return vault.key(before.keyId)
    const isNew = before.pool.accounts.length === 0 && after.accounts.length > 0
    return isNew && vault.optedIn ? vault.create() : undefined
  }

  async function transact<T>(work: (held: HeldPool) => Promise<T>, looks = 1): Promise<T> {
    const result = await locked(async (lock) => {
      const before = await readFresh().catch((error: unknown) => {
        if (!(error instanceof ForeignFile)) throw error
        return undefined
      })
      if (before === undefined) return undefined
      cached = before
      const write = async (
        after: AccountPool,
        key: DataKey | undefined,
      ): Promise<string | undefined> => {
        const copy = await keepCopy(before, after)
        const text = poolText(after, key)
        if (!lock.isHeld())
          throw new CodexError(
            'store_busy',
            'The lock on the account file was lost while it was being changed.',
          )
        // A folder made by somebody else may be open to others; ours is not.
        await closeFolder(folder)
        const stamp = await writeFileAtomic(file, text)
        cached = { pool: after, stamp, keyId: key?.id }
        if (before.stamp === undefined) await retireLegacy()
        if (vault !== undefined && key?.opensUnbound === true) await bindKey(vault, key)
        return copy
      }
      return { done: await work({ ...before, write }) }
    })
    if (result !== undefined) return result.done
    await quarantine()
    if (looks >= MAX_LOOKS) throw changing()
    return transact(work, looks + 1)
  }

  function update(
    change: (pool: AccountPool) => AccountPool,
    onCopy?: (file: string) => void,
  ): Promise<AccountPool> {
    return transact(async (held) => {
      const after = change(held.pool)
      if (after === held.pool) return after
      const copy = await held.write(after, await keyFor(held, after))
      if (copy !== undefined) onCopy?.(copy)
      return after
    })
  }

  async function key(): Promise<DataKey | undefined> {
    await read()
    return cached?.keyId === undefined ? undefined : vault?.key(cached.keyId)
  }

  /** Before accounts disappear, and before a file of the odd version 2 is rewritten. */
  async function keepCopy(
    before: { pool: AccountPool; text: string | undefined; fromVersion: number },
    after: AccountPool,
  ): Promise<string | undefined> {
    if (before.text === undefined) {
      return undefined
    }
    const left = new Set(after.accounts.map((account) => account.uid))
    const removes = before.pool.accounts.some((account) => !left.has(account.uid))
    if (removes) return writeBackup(deps.backupsDir, 'accounts', before.text, clock.now())
    if (before.fromVersion === 2)
      await writeBackup(deps.backupsDir, 'accounts-v2', before.text, clock.now())
    return undefined
  }

  /** The file is sealed the new way; its copies follow, and then nothing of the earlier way opens any more. */
  async function bindKey(keys: Vault, key: DataKey): Promise<void> {
    const { left } = await rewriteCopies(deps.backupsDir, keys, key, 'again')
    // Tried again with the next write: until then the file opens as before.
    if (left.length === 0) await keys.bind(key).catch(() => undefined)
  }

  async function retireLegacy(): Promise<void> {
    if (deps.legacyPath === undefined) return
    await rename(deps.legacyPath, `${deps.legacyPath}.migrated`).catch(() => undefined)
  }

  function startWatching(): void {
    if (deps.watch !== true || watcher !== undefined || closed) return
    try {
      const real = realPathOrSame(file)
      watcher = watch(path.dirname(real), { persistent: false }, (_event, name) => {
        if (!mayBeChangeOf(real, name)) return
        reported += 1
        checkedAtMs = 0
      })
      watcher.on('error', () => {
        watcher?.close()
        watcher = undefined
      })
    } catch {
      // No folder yet, or no watches left: every read then costs its stat.
      watcher = undefined
    }
  }

  function recheck(): void {
    if (rechecking) return
    rechecking = true
    void read()
      .catch(() => undefined)
      .finally(() => {
        rechecking = false
      })
  }

  return {
    path: file,
    read: () => read(),
    peek() {
      if (watcher === undefined || cached === undefined || checkedAtMs === 0) return undefined
      if (Math.abs(clock.now() - checkedAtMs) > RECHECK_MS) recheck()
      return cached.pool
    },
    update,
    transact: (work) => transact(work),
    key,
    close() {
      closed = true
      watcher?.close()
      watcher = undefined
    },
  }
}
