import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { lstat, open, readdir, rmdir, stat, unlink } from 'node:fs/promises'
import path from 'node:path'

import { systemClock } from '../clock.js'
import { dropUndefined } from '../drop-undefined.js'
import { isBusy, systemCode } from '../system-code.js'
import { isProvablyDead, ownIdentity, type ProcessIdentity } from './process-identity.js'
import { temporaryNameFor } from '../files/temporaries.js'

/** What lies on the disk for one lock: see lock.ts. */
export interface LockPlace {
  /** The folder that other programs see and respect: `<file>.lock`. */
  readonly folder: string
  /** Where the folder and the owner files lie. */
  readonly dir: string
}

/** One owner file: it exists exactly as long as its process may hold the lock, and no other ever has its name. */
export interface LockOwner extends ProcessIdentity {
  readonly path: string
}

export const LOCK_FOLDER_SUFFIX = '.lock'
/**
 * Tells our folders from those of the earlier plugin, which makes them 0777 less the umask. One that is ours and has no
 * owner is in the making, or was left by a kill within that millisecond. A umask that takes this sign away makes ours
 * look like theirs, which only costs time.
 */
export const LOCK_FOLDER_MODE = 0o710
const IN_THE_MAKING_MS = 1_000
/** An owner elsewhere that was silent for a day needs no last look. */
export const LONG_GONE_MS = 24 * 60 * 60_000
/** Windows refuses to remove a file for a moment while somebody else looks at it. */
const REMOVE_TRIES = 4
const REMOVE_PAUSE_MS = 20
const RANDOM_DIGITS = 12
/** `<file>.lock.<pid>-<scope>-<start>-<random>`; 0 for what the system does not tell. */
const OWNER = /^(.+\.lock)\.(\d{1,10})-([0-9a-f]{8}|0)-(\d{1,20})-[0-9a-f]{12}$/s

export function lockPlace(file: string): LockPlace {
  return { folder: file + LOCK_FOLDER_SUFFIX, dir: path.dirname(file) }
}

/** A path for the owner file of this process, never used before or after. */
export function newOwnerPath(place: LockPlace): string {
  const { pid, scope, startedAt } = ownIdentity()
  return `${place.folder}.${pid}-${scope ?? '0'}-${startedAt ?? '0'}-${randomBytes(RANDOM_DIGITS / 2).toString('hex')}`
}

/** What the name of an owner file tells; undefined for other files. */
export function parseOwnerName(
  name: string,
): (ProcessIdentity & { readonly folder: string }) | undefined {
  const [, folder, pid, scope, startedAt] = OWNER.exec(name) ?? []
  if (folder === undefined) return undefined
  const told = (part: string | undefined): string | undefined => (part === '0' ? undefined : part)
  return dropUndefined({ folder, pid: Number(pid), scope: told(scope), startedAt: told(startedAt) })
}

/** Which of two that want a lock at the same moment goes first: by what is random in their names, so that it is nobody's habit. */
export function precedes(owner: string, other: string): boolean {
  return owner.slice(-RANDOM_DIGITS) < other.slice(-RANDOM_DIGITS)
}

/** All owner files of a lock. @throws the system's error */
export async function ownersOf(place: LockPlace): Promise<readonly LockOwner[]> {
  const base = path.basename(place.folder)
  return (await readdir(place.dir)).flatMap((name) => {
    const owner = name.startsWith(base) ? parseOwnerName(name) : undefined
    return owner?.folder === base ? [{ ...owner, path: path.join(place.dir, name) }] : []
  })
}

/**
 * True when the lock may be taken from this owner: its process is provably dead, or it has not shown life for `staleMs`
 * and does not during one more of its beats either. That last look keeps a clock that was set, or a machine that slept,
 * from taking a lock from the living.
 */
export async function isGone(owner: LockOwner, staleMs: number): Promise<boolean> {
  if (isProvablyDead(owner)) return true
  const before = await lastSignOf(owner)
  if (!(await isOlderThan(Number(before / 1_000_000n), staleMs, owner.path))) return false
  if (await isOlderThan(Number(before / 1_000_000n), LONG_GONE_MS, owner.path)) return true
  await systemClock.sleep(beatMs(staleMs) + 100)
  return (await lastSignOf(owner)) === before
}

/** When an owner last showed life, ns. A network drive remembers for a minute what it told of a name; opened, it asks again. */
async function lastSignOf({ path: file }: LockOwner): Promise<bigint> {
  const handle = await open(file, 'r').catch((error: unknown) => {
    // Another user's, root's say: it can be looked at all the same.
    if (!isBusy(error)) throw error
    return undefined
  })
  if (handle === undefined) return (await stat(file, { bigint: true })).mtimeNs
  try {
    return (await handle.stat({ bigint: true })).mtimeNs
  } finally {
    await handle.close()
  }
}

/**
 * Whether the owner file is there still. Asked of its folder, which a network drive reads anew, and of the file itself where
 * too much is open for that: who holds a lock has not lost it then.
 */
export function isListed(owner: string): boolean {
  try {
    return readdirSync(path.dirname(owner)).includes(path.basename(owner))
  } catch {
    return existsSync(owner)
  }
}

/** Time between two signs of life of a holder, ms. */
export function beatMs(staleMs: number): number {
  return Math.max(500, Math.floor(staleMs / 4))
}

/**
 * Which folder lies at the path: its number and its birth, since numbers are used again at once. Undefined when there is
 * none. Some systems tell the last change as birth: whoever changes its own folder looks again.
 */
export function folderIdentity(folder: string): string | undefined {
  try {
    const found = statSync(folder, { bigint: true, throwIfNoEntry: false })
    return found === undefined ? undefined : `${found.ino}:${found.birthtimeNs}`
  } catch {
    // A file in the place of a parent, or a folder that was closed to us: whatever lies there is not known to be ours.
    return undefined
  }
}

/**
 * True when a folder that no owner of ours stands for may be removed: nobody has renewed it for `staleMs`.
 * @throws the system's error: ENOENT when it is gone, ENOTDIR when something else lies there
 */
export async function isFolderAbandoned(folder: string, staleMs: number): Promise<boolean> {
  // Opened, so that a network drive asks for its present time.
  await readdir(folder).catch(() => undefined)
  const found = await lstat(folder)
  if (!found.isDirectory())
    throw Object.assign(new Error(`ENOTDIR: ${folder}`), { code: 'ENOTDIR' })
  const isOurs = process.platform !== 'win32' && (found.mode & 0o777) === LOCK_FOLDER_MODE
  return isOlderThan(found.mtimeMs, isOurs ? Math.min(IN_THE_MAKING_MS, staleMs) : staleMs, folder)
}

/** Keeps the folder's identity in the owner file, for whoever inherits it. Writing is also the sign of life. @throws ENOENT when the lock was lost */
export async function writeOwner(
  file: string,
  identity: string,
  flags: 'wx' | 'r+',
): Promise<number> {
  const handle = await open(file, flags, 0o600)
  try {
    await handle.write(identity.padEnd(48), 0, 'utf8')
    return (await handle.stat()).mtimeMs
  } finally {
    await handle.close()
  }
}

/** Removes a file or an empty folder; what is not there or not empty is left. Never throws. */
export async function discard(what: {
  readonly file?: string
  readonly folder?: string | undefined
}): Promise<void> {
  if (what.folder !== undefined) await rmdir(what.folder).catch(() => undefined)
  if (what.file !== undefined) await removeFile(what.file)
}

/** The owner file of a living process keeps everybody out until it is stale, that process too: what may pass is waited for. */
async function removeFile(file: string): Promise<void> {
  for (let tries = 1; tries <= REMOVE_TRIES; tries += 1) {
    const isOver = await unlink(file).then(
      () => true,
      (error: unknown) => systemCode(error) === 'ENOENT',
    )
    if (isOver) return
    if (tries < REMOVE_TRIES) await systemClock.sleep(REMOVE_PAUSE_MS * tries)
  }
}

/**
 * Ages are told by the file system, whose clock made the times: that of this process may be off. In the future counts as
 * old: the clock was set back since.
 */
async function isOlderThan(modifiedMs: number, ageMs: number, near: string): Promise<boolean> {
  if (Math.abs(Date.now() - modifiedMs) <= ageMs) return false
  return Math.abs((await fileSystemNow(near)) - modifiedMs) > ageMs
}

async function fileSystemNow(near: string): Promise<number> {
  const probe = path.join(path.dirname(near), temporaryNameFor(near))
  try {
    const handle = await open(probe, 'wx', 0o600)
    try {
      return (await handle.stat()).mtimeMs
    } finally {
      await handle.close()
      await discard({ file: probe })
    }
  } catch (error) {
    if (systemCode(error) === 'ENOENT') throw error
    return Date.now()
  }
}
