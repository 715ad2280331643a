import { type BigIntStats, constants, statSync, type Stats } from 'node:fs'
import { lstat, mkdir, open, rename, rm, stat } from 'node:fs/promises'
import path from 'node:path'

import { systemClock } from '../clock.js'
import { CodexError, systemCode } from '../errors.js'
import { realPathOf } from './real-path.js'
import { readBoundedFileWithStats, UnreadableFile, withoutMark } from './bounded-file.js'
import { sweepFolder } from './leftovers.js'
import { temporaryNameFor } from './temporaries.js'

/** Larger than any file of ours can become; a foreign file in its place must not fill the memory. */
const MAX_FILE_BYTES = 32 * 1024 * 1024
/** Windows and network drives refuse a rename for a moment while somebody else looks at the file. */
const RENAME_TRIES = 6
const RENAME_FIRST_PAUSE_MS = 10
const BUSY_CODES = new Set(['EPERM', 'EBUSY', 'EACCES'])

/** What identifies one state of a file: any change changes at least one of them. */
export interface FileStamp {
  readonly device: bigint
  readonly inode: bigint
  readonly size: bigint
  readonly modifiedNs: bigint
}

/** The stamp of a file, undefined when there is none. One `stat`. */
export async function stampOf(file: string): Promise<FileStamp | undefined> {
  try {
    return stampFrom(await stat(file, { bigint: true }))
  } catch (error) {
    if (isMissing(error)) return undefined
    const why = `${file} cannot be read (${systemCode(error) ?? 'unknown reason'}).`
    throw new CodexError('store_unreadable', why, { cause: error })
  }
}

/** As `stampOf`, at once; undefined also for what cannot be a file of ours. */
export function stampNow(file: string): FileStamp | undefined {
  const found = statSync(file, { bigint: true, throwIfNoEntry: false })
  if (found?.isFile() !== true || found.size > BigInt(MAX_FILE_BYTES)) return undefined
  return stampFrom(found)
}

function stampFrom({ dev, ino, size, mtimeNs }: BigIntStats): FileStamp {
  return { device: dev, inode: ino, size, modifiedNs: mtimeNs }
}

/** True when both name the same state. */
export function sameStamp(left: FileStamp | undefined, right: FileStamp | undefined): boolean {
  if (left === undefined || right === undefined) return left === right
  return (
    left.modifiedNs === right.modifiedNs &&
    left.size === right.size &&
    left.inode === right.inode &&
    left.device === right.device
  )
}

/**
 * The text of a file without its byte order mark, with the stamp of exactly what was read; undefined when there is none.
 * Only regular files, never waiting, and never more than a file of ours can hold, also while it grows.
 * @throws CodexError `store_unreadable`: not readable is never the same as empty
 */
export async function readTextFile(
  file: string,
): Promise<{ text: string; stamp: FileStamp } | undefined> {
  try {
    const found = await readBoundedFileWithStats(file, MAX_FILE_BYTES)
    if (found === undefined) return undefined
    return { text: withoutMark(found.text), stamp: stampFrom(found.stats) }
  } catch (error) {
    if (!(error instanceof UnreadableFile)) throw error
    throw new CodexError('store_unreadable', error.message, { cause: error.cause })
  }
}

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
    const target = await replaceable(file)
    const folder = path.dirname(target)
    await mkdir(folder, { recursive: true, mode: 0o700 })
    temporary = path.join(folder, temporaryNameFor(target))
    const handle = await open(temporary, 'wx', mode)
    let stamp: FileStamp
    try {
      await handle.writeFile(text)
      await handle.chmod(mode)
      if (!isLosable) await handle.sync()
      stamp = stampFrom(await handle.stat({ bigint: true }))
    } finally {
      await handle.close()
    }
    await renameWithRetry(temporary, target)
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

/** The file to replace, links followed. Only a regular file ever gives way: a device or pipe would be lost for the whole machine. */
async function replaceable(file: string): Promise<string> {
  const there = await stat(file).catch(missing)
  if (there !== undefined && !there.isFile())
    throw new CodexError(
      'store_not_written',
      `${file} is ${kindOf(there)}, so nothing was written there.`,
      { hint: 'Choose the name of a regular file' },
    )
  const found = await lstat(file).catch(missing)
  return found?.isSymbolicLink() === true ? realPathOf(file) : file
}

function missing(error: unknown): undefined {
  if (!isMissing(error)) throw error
  return undefined
}

function kindOf(found: Stats): string {
  if (found.isDirectory()) return 'a folder'
  if (found.isFIFO()) return 'a named pipe'
  if (found.isSocket()) return 'a socket'
  return found.isCharacterDevice() || found.isBlockDevice() ? 'a device' : 'not a regular file'
}

async function renameWithRetry(from: string, to: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await rename(from, to)
      return
    } catch (error) {
      if (attempt >= RENAME_TRIES || !BUSY_CODES.has(systemCode(error) ?? '')) throw error
      await systemClock.sleep(RENAME_FIRST_PAUSE_MS * 2 ** (attempt - 1))
    }
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

function isMissing(error: unknown): boolean {
  return systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR'
}
