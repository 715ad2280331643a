import { type BigIntStats, constants } from 'node:fs'
import { type FileHandle, lstat, open, rename, rm, stat } from 'node:fs/promises'
import path from 'node:path'

import { systemClock } from '../clock.js'
import { CodexError } from '../errors.js'
import { systemCode } from '../system-code.js'
import { type FileStamp, isMissing, sameStamp, stampFrom, stampOf } from './json-file.js'
import { sweepFolder } from './leftovers.js'
import { makeFolders } from '../make-folders.js'
import { patiently } from './patience.js'
import { realPathOf } from './real-path.js'
import { temporaryNameFor } from './temporaries.js'

/** What disks say that do not know a call: network drives, FAT, programs that stand in for a disk. A broken one says something else. */
const UNSUPPORTED_CODES = new Set(['EINVAL', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP'])
/** A step that every disk tells apart: FAT counts two seconds, some systems ten milliseconds. */
const COARSE_STEP_NS = 2_000_000_000n
const FINE_STEP_NS = 20_000_000n
/** A time this far ahead is that of a clock that was set, and not of many writes one after the other, ns. */
const FAR_AHEAD_NS = 3_600_000_000_000n

/**
 * Replaces a file in one step: whoever reads sees the old text or the new one, also after a crash or a power cut.
 * The new text is on the disk before the name points to it. Folders are made 0700, the file gets `mode`. A symbolic link
 * stays one: what it points to is replaced. What killed processes left in the folder is removed.
 * @param options.isLosable it outlives the end of this process, but perhaps not a power cut, which may leave the file
 * empty; nothing else in the folder is looked at
 * @throws CodexError `store_not_written`; the old file is intact then
 */
export async function writeFileAtomic(
  file: string,
  text: string,
  { mode = 0o600, isLosable = false }: { mode?: number; isLosable?: boolean } = {},
): Promise<FileStamp> {
  let temporary: string | undefined
  try {
    const { target, before } = await replaceable(file)
    const folder = path.dirname(target)
    await makeFolders(folder)
    temporary = path.join(folder, temporaryNameFor(target))
    const handle = await open(temporary, 'wx', mode)
    let stamp: FileStamp
    try {
      await handle.writeFile(text)
      await handle.chmod(mode).catch(ignoreWithoutModes)
      stamp = await stampAfter(handle, before)
      if (!isLosable) await syncFile(handle)
    } finally {
      await handle.close()
    }
    await moveInto(temporary, target, stamp)
    temporary = undefined
    if (isLosable) return stamp
    // What died before us is cleared beside the slow part: a look at the names, and the file system's own idea of now.
    await Promise.all([
      syncFolder(folder),
      sweepFolder(folder, Number(stamp.modifiedNs / 1_000_000n)),
    ])
    return stamp
  } catch (error) {
    if (temporary !== undefined) await rm(temporary, { force: true }).catch(() => undefined)
    if (error instanceof CodexError) throw error
    const why = systemCode(error) ?? 'unknown reason'
    throw new CodexError(
      'store_not_written',
      `${file} could not be written (${why}). It is as it was before.`,
      { cause: error },
    )
  }
}

/** Puts on the disk what was written, where the disk can be asked to. @throws the system's error of a disk that failed */
export async function syncFile(handle: Pick<FileHandle, 'sync'>): Promise<void> {
  await handle.sync().catch((error: unknown) => {
    if (!UNSUPPORTED_CODES.has(systemCode(error) ?? '')) throw error
  })
}

/** A disk without modes, or one that gives every file to somebody else, refuses; the file was made as private as it can be. */
function ignoreWithoutModes(error: unknown): void {
  const code = systemCode(error) ?? ''
  if (code !== 'EPERM' && !UNSUPPORTED_CODES.has(code)) throw error
}

/** The stamp of what was written, later than that of the file before: several writes of one length may fall into one tick. */
async function stampAfter(handle: FileHandle, before: BigIntStats | undefined): Promise<FileStamp> {
  const stamp = stampFrom(await handle.stat({ bigint: true }))
  const aheadNs = (before?.mtimeNs ?? 0n) - stamp.modifiedNs
  if (before === undefined || aheadNs < 0n || aheadNs > FAR_AHEAD_NS) return stamp
  const isCoarse = [before.mtimeNs, stamp.modifiedNs].every((ns) => ns % 1_000_000_000n === 0n)
  const later = Number(before.mtimeNs + (isCoarse ? COARSE_STEP_NS : FINE_STEP_NS)) / 1e9
  await handle.utimes(later, later).catch(() => undefined)
  return stampFrom(await handle.stat({ bigint: true }))
}

/** The file to replace, links followed. Only a regular file ever gives way: a device or pipe would be lost for the whole machine. */
async function replaceable(
  file: string,
): Promise<{ readonly target: string; readonly before: BigIntStats | undefined }> {
  const there = await patiently('read', () => stat(file, { bigint: true })).catch(missing)
  if (there !== undefined && !there.isFile())
    throw new CodexError(
      'store_not_written',
      `${file} is ${kindOf(there)}, so nothing was written there.`,
      { hint: 'Choose the name of a regular file' },
    )
  const found = await lstat(file).catch(missing)
  return { target: found?.isSymbolicLink() === true ? realPathOf(file) : file, before: there }
}

function missing(error: unknown): undefined {
  if (!isMissing(error)) throw error
  return undefined
}

function kindOf(found: BigIntStats): string {
  if (found.isDirectory()) return 'a folder'
  if (found.isFIFO()) return 'a named pipe'
  if (found.isSocket()) return 'a socket'
  return found.isCharacterDevice() || found.isBlockDevice() ? 'a device' : 'not a regular file'
}

async function moveInto(from: string, to: string, stamp: FileStamp): Promise<void> {
  try {
    await patiently('change', () => rename(from, to))
  } catch (error) {
    // A network drive asks again when an answer got lost, and is told that the name is gone: it is there under the new one.
    if (isMissing(error) && sameStamp(await stampOf(to).catch(() => undefined), stamp)) return
    throw error
  }
}

/** The rename itself has to reach the disk too. Windows cannot open folders and needs it not. */
async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, constants.O_RDONLY)
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  } catch {
    // The file is in place; only its survival of a power cut is less certain.
  }
}

/** Writes that come without the lock, at most; looks that follow each, and the pause before one, ms. */
const UNLOCKED_WRITES = 5
const UNLOCKED_LOOKS = 2
const UNLOCKED_PAUSE_MS = 80

/**
 * Writes a file without its lock, where the write of another may replace ours unread: again, a few times, until ours was
 * seen in it twice. Who read the file before and takes longer than the looks to write it can still undo it.
 * @param look reads the file, and takes over what others wrote there, as part of the next write
 * @param ours all that is to be in the file
 * @throws what `write` throws
 */
export async function untilKept(
  write: () => Promise<void>,
  look: () => Promise<string | undefined>,
  ours: () => string,
): Promise<void> {
  const isKept = async (): Promise<boolean> => {
    const text = await look()
    return text !== undefined && isSameJson(text, ours())
  }
  for (let writes = 1; ; writes += 1) {
    await write()
    if (writes === UNLOCKED_WRITES || (await isSeen(isKept))) return
  }
}

async function isSeen(isKept: () => Promise<boolean>): Promise<boolean> {
  for (let looks = 0; looks < UNLOCKED_LOOKS; looks += 1) {
    await systemClock.sleep(UNLOCKED_PAUSE_MS * (0.5 + Math.random()))
    // What cannot be read just now is as good as written.
    if (!(await isKept().catch(() => true))) return false
  }
  return true
}

/** Whether two texts hold the same JSON, whatever its order, also that of lists: windows put together what they know as it comes. */
function isSameJson(one: string, other: string): boolean {
  return one === other || ordered(JSON.parse(one)) === ordered(JSON.parse(other))
}

function ordered(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(ordered).sort().join()}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  return `{${Object.entries(value)
    .map(([key, held]) => `${JSON.stringify(key)}:${ordered(held)}`)
    .sort()
    .join()}}`
}
