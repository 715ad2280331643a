import { mkdir, readFile, rename, rmdir, utimes } from 'node:fs/promises'

import { abortReason, systemClock } from '../clock.js'
import { dropUndefined } from '../drop-undefined.js'
import { CodexError } from '../errors.js'
import { makeFolders } from '../make-folders.js'
import { isBusy, systemCode } from '../system-code.js'
import { tellWait } from '../waits.js'
import {
  beatMs,
  discard,
  folderIdentity,
  isFolderAbandoned,
  isGone,
  isListed,
  LOCK_FOLDER_MODE,
  lockPlace,
  type LockPlace,
  newOwnerPath,
  ownersOf,
  precedes,
  writeOwner,
} from './lock-files.js'

/**
 * Locks between processes.
 *
 * Two things lie on the disk while a lock is held: the empty folder `<file>.lock`, which other programs respect (the
 * earlier plugin locks the same way, with `proper-lockfile`), and one owner file beside it, whose name is used once and
 * never again and tells which process it belongs to. Among us the owner file is the lock; the folder only guards against
 * the others. No library does this: with a folder alone, of which everybody removes what he finds stale, two takers
 * remove and make it in turns, and both believe they have it.
 *
 * **One holder.** To get the lock, a process makes its owner file P (new, or by renaming that of a dead owner) and then
 * lists the owner files. Only when it sees no other does it hold the lock, and only for as long as P exists. Say P and Q
 * both hold: both files exist and have existed since they were made. Say P's list began before Q was made; otherwise P
 * would have seen Q. P was made before its list began, so before Q, so before Q's list: Q saw P and gave way. However
 * the steps interleave and whatever was thought stale, there are never two.
 *
 * **One taker.** A dead owner's file is renamed to one's own in one step. Its name never comes back, so of all takers
 * one succeeds and the others find it missing, also after the longest sleep between look and rename.
 *
 * **One gets it of many.** Who sees others gives way, but for the first by name, which looks again until they are gone. It
 * lists again, so what is said of one holder holds for it too. Where all give way, a disk on which a try takes longer than
 * the pause between two lets them meet again and again.
 *
 * **A holder that lost it notices**: its file is gone, and nobody can bring it back. Everything it removes afterwards has
 * a name of its own, but for the folder: removing somebody else's makes that one believe its lock was lost, which is
 * safe. It takes a sleep of `staleMs` between two neighbouring steps.
 *
 * **Killed at any step**, what stays is an owner file of a dead process (taken over at once: see isProvablyDead), or the
 * folder without an owner (ours: within a second; the earlier plugin's: after `staleMs`).
 */

/** How a lock is waited for and kept. */
export interface LockOptions {
  /** A lock whose holder has not renewed it for this long is taken over, ms. At least 2000. That of a dead process: at once. */
  readonly staleMs: number
  /** Longest wait for the lock, ms; 0 tries once. */
  readonly waitMs: number
  /** What is locked, for the message ("the account file"). */
  readonly what: string
}

/** What the holder of a lock may ask. */
export interface HeldLock {
  /** Looks at the disk. False when the lock was lost: the process slept past `staleMs`, and somebody else may hold it. */
  isHeld(): boolean
}

/** A lock to be given back. */
export interface Lock extends HeldLock {
  /** Gives it back, if it is still held. Never throws: what cannot be released goes stale by itself. */
  release(): Promise<void>
}

const FIRST_PAUSE_MS = 5
const LONGEST_PAUSE_MS = 100
/** How long the first of many waits until the others gave way: on Windows a try of twelve was seen to take half a second. */
const FIRST_WAITS_MS = 2_000
const LOOK_AGAIN_MS = 20
/** Somebody else has it, or is about to: also what a lock that vanishes under the hands looks like. */
const CONTENTION_CODES = new Set(['EEXIST', 'ENOENT', 'ENOTEMPTY'])

/**
 * Tries once to lock `<file>.lock`; the file itself need not exist. Locks of different names never free each other.
 * Waits only to make sure that a silent owner is not alive, a quarter of `staleMs`, and for others who give way.
 * @param staleMs a holder not heard of for this long loses the lock, ms; a dead one at once
 * @returns undefined when somebody else holds it
 * @throws the system's error when locks cannot be made there
 */
export async function tryLock(file: string, staleMs: number): Promise<Lock | undefined> {
  const place = lockPlace(file)
  await makeFolders(place.dir)
  try {
    const claim = await claimOwnership(place, staleMs)
    return claim === undefined ? undefined : await completed(place, claim, staleMs)
  } catch (error) {
    if (CONTENTION_CODES.has(systemCode(error) ?? '')) return undefined
    throw error
  }
}

/** An owner file of ours, before it is known whether there is another. */
interface Claim {
  readonly owner: string
  /** The folder made with it. */
  readonly made?: string
  /** The folder of the dead owner whose file it was. */
  readonly inherited?: string
}

async function claimOwnership(place: LockPlace, staleMs: number): Promise<Claim | undefined> {
  const owner = newOwnerPath(place)
  const [first, ...others] = await ownersOf(place)
  if (first === undefined) return newClaim(place, owner, staleMs)
  for (const found of [first, ...others]) {
    if (!(await isGone(found, staleMs))) return undefined
  }
  const inherited = (await readFile(first.path, 'utf8')).trim()
  await rename(first.path, owner).catch(async (error: unknown) => {
    // The answer of a network drive may be lost when it is done: nobody would know that the file is ours.
    await discard({ file: owner })
    throw error
  })
  for (const found of others) await discard({ file: found.path })
  return { owner, inherited }
}

async function newClaim(
  place: LockPlace,
  owner: string,
  staleMs: number,
): Promise<Claim | undefined> {
  // Of many who come at once the folder lets one through, so that they need not give way to each other by turns.
  const made = await makeFolder(place.folder)
  if (made === undefined && !(await isFolderAbandoned(place.folder, staleMs))) return undefined
  try {
    await writeOwner(owner, made ?? '', 'wx')
  } catch (error) {
    await discard({ file: owner, folder: made === undefined ? undefined : place.folder })
    throw error
  }
  return dropUndefined({ owner, made })
}

async function completed(
  place: LockPlace,
  claim: Claim,
  staleMs: number,
): Promise<Lock | undefined> {
  const { owner } = claim
  const folder = await exclusiveFolder(place, claim, staleMs).catch(async (error: unknown) => {
    await withdraw(place, claim)
    throw error
  })
  if (folder === undefined) {
    await withdraw(place, claim)
    return undefined
  }
  const lock = keptAlive(place, owner, folder, staleMs)
  if (lock.isHeld()) return lock
  await lock.release()
  return undefined
}

/** The identity of the folder, now ours; undefined when another owner or another program is there. */
async function exclusiveFolder(
  place: LockPlace,
  { owner, made, inherited }: Claim,
  staleMs: number,
): Promise<string | undefined> {
  if (!(await isOnlyOwner(place, owner))) return undefined
  const found = folderIdentity(place.folder)
  let identity = found
  if (found === undefined || (found !== made && found !== inherited)) {
    if (found !== undefined) {
      if (!(await isFolderAbandoned(place.folder, staleMs))) return undefined
      await rmdir(place.folder)
    }
    identity = await makeFolder(place.folder)
    if (identity === undefined) return undefined
  }
  if (identity === made || identity === undefined) return identity
  try {
    await writeOwner(owner, identity, 'r+')
  } catch (error) {
    await discard({ folder: place.folder })
    throw error
  }
  return identity
}

/** Whether ours is the one owner file, at last: the first by name waits for those who came at the same time. */
async function isOnlyOwner(place: LockPlace, owner: string): Promise<boolean> {
  const deadline = performance.now() + FIRST_WAITS_MS
  for (;;) {
    const paths = (await ownersOf(place)).map((one) => one.path)
    if (!paths.includes(owner)) return false
    if (paths.length === 1) return true
    const isFirst = paths.every((one) => one === owner || precedes(owner, one))
    if (!isFirst || performance.now() >= deadline) return false
    await systemClock.sleep(LOOK_AGAIN_MS)
  }
}

async function withdraw(place: LockPlace, { owner, made }: Claim): Promise<void> {
  const isOurs = made !== undefined && folderIdentity(place.folder) === made
  await discard({ file: owner, folder: isOurs ? place.folder : undefined })
}

/** The identity of the new folder; undefined when there is one already. @throws the system's error */
async function makeFolder(folder: string): Promise<string | undefined> {
  try {
    await mkdir(folder, { mode: LOCK_FOLDER_MODE })
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return undefined
    throw error
  }
  return folderIdentity(folder)
}

function keptAlive(place: LockPlace, owner: string, folder: string, staleMs: number): Lock {
  let identity: string | undefined = folder
  let beating: Promise<void> = Promise.resolve()
  const isHeld = (): boolean => isListed(owner) && folderIdentity(place.folder) === identity

  async function beat(): Promise<void> {
    try {
      const nowMs = await writeOwner(owner, identity ?? '', 'r+')
      if (folderIdentity(place.folder) !== identity) return
      await utimes(place.folder, nowMs / 1000, nowMs / 1000)
      identity = folderIdentity(place.folder)
    } catch (error) {
      // Lost, or the disk takes nothing just now: then the next beat tries again.
      if (systemCode(error) === 'ENOENT') clearInterval(timer)
    }
  }

  const timer = setInterval(() => {
    beating = beating.then(beat)
  }, beatMs(staleMs))
  timer.unref()
  return {
    isHeld,
    async release() {
      clearInterval(timer)
      await beating
      if (isListed(owner))
        await discard({ file: owner, folder: isHeld() ? place.folder : undefined })
    },
  }
}

/**
 * Runs `work` while holding `<file>.lock`.
 * @throws CodexError `store_busy` when the lock cannot be had in time, `store_not_written` when locks cannot be made
 * there; the signal's reason when aborted; what `work` throws
 */
export async function withFileLock<T>(
  file: string,
  options: LockOptions,
  work: (lock: HeldLock) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const lock = await waitForLock(file, options, signal)
  try {
    return await work(lock)
  } finally {
    await lock.release()
  }
}

async function waitForLock(
  file: string,
  options: LockOptions,
  signal: AbortSignal | undefined,
): Promise<Lock> {
  const deadline = performance.now() + options.waitMs
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 1.5, LONGEST_PAUSE_MS)) {
    if (signal?.aborted) throw abortReason(signal)
    let cause: unknown
    try {
      const lock = await tryLock(file, options.staleMs)
      if (lock !== undefined) return lock
    } catch (error) {
      cause = error
    }
    const code = systemCode(cause)
    // Windows says the same of what is just being removed; elsewhere it means missing permission, and waiting changes nothing.
    const isContention = process.platform === 'win32' && isBusy(cause)
    const isHopeless = cause !== undefined && !isContention
    if (isHopeless || (cause !== undefined && performance.now() >= deadline)) {
      throw new CodexError(
        'store_not_written',
        `The lock ${file}.lock cannot be created (${code ?? 'unknown reason'}), so ${options.what} was not changed.`,
        { cause },
      )
    }
    if (performance.now() >= deadline)
      throw new CodexError('store_busy', `Another process holds ${options.what}: ${file}.lock`)
    if (pause === FIRST_PAUSE_MS) tellWait(`another process that holds ${options.what}`)
    await systemClock.sleep(pause * (0.5 + Math.random()), signal)
  }
}
