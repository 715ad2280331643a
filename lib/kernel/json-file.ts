import { constants, statSync, type Stats } from 'node:fs'
import { type FileHandle, lstat, mkdir, open, rename, rm, stat } from 'node:fs/promises'
import path from 'node:path'

import { systemClock } from './clock.js'
import { CodexError, systemCode } from './errors.js'
import { realPathOf } from './real-path.js'
import { sweepFolder } from './temporaries.js'
import { temporaryNameFor } from './temporary-names.js'

/** Larger than any file of ours can become; a foreign file in its place must not fill the memory. */
const MAX_FILE_BYTES = 32 * 1024 * 1024
/** What a read asks for at least: a file that says it is empty may hold something all the same. */
const READ_STEP_BYTES = 4 * 1024
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
    const found = await stat(file, { bigint: true })
    return { device: found.dev, inode: found.ino, size: found.size, modifiedNs: found.mtimeNs }
  } catch (error) {
    if (isMissing(error)) return undefined
    throw unreadable(file, error)
  }
}

/** As `stampOf`, at once; undefined also for what cannot be a file of ours. */
export function stampNow(file: string): FileStamp | undefined {
  const found = statSync(file, { bigint: true, throwIfNoEntry: false })
  if (found?.isFile() !== true || found.size > BigInt(MAX_FILE_BYTES)) return undefined
  return { device: found.dev, inode: found.ino, size: found.size, modifiedNs: found.mtimeNs }
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
  let handle
  try {
    // Opening a pipe would otherwise wait for somebody to write into it, for ever and beyond any signal.
    handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    if (isMissing(error)) return undefined
    throw unreadable(file, error)
  }
  try {
    const found = await handle.stat({ bigint: true })
    if (!found.isFile()) throw new CodexError('store_unreadable', `${file} is not a regular file.`)
    const bytes = await readBounded(handle, Number(found.size))
    if (bytes === undefined)
      throw new CodexError(
        'store_unreadable',
        `${file} is too large to be a file of this plugin (over ${MAX_FILE_BYTES} bytes).`,
      )
    const text = bytes.toString('utf8')
    return {
      text: text.replace(/^\uFEFF/, ''),
      stamp: { device: found.dev, inode: found.ino, size: found.size, modifiedNs: found.mtimeNs },
    }
  } catch (error) {
    if (error instanceof CodexError) throw error
    throw unreadable(file, error)
  } finally {
    await handle.close()
  }
}

/**
 * Replaces a file in one step: whoever reads sees the old text or the new one, also after a crash or a power cut.
 * The new text is on the disk before the name points to it. Folders are made 0700, the file gets `mode`. A symbolic link
 * stays one: what it points to is replaced. What killed processes left in the folder is removed.
 * @throws CodexError `store_not_written`; the old file is intact then
 */
export async function writeFileAtomic(
  file: string,
  text: string,
  options: { mode?: number } = {},
): Promise<FileStamp> {
  const mode = options.mode ?? 0o600
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
      await handle.sync()
      const written = await handle.stat({ bigint: true })
      stamp = {
        device: written.dev,
        inode: written.ino,
        size: written.size,
        modifiedNs: written.mtimeNs,
      }
    } finally {
      await handle.close()
    }
    await renamePatiently(temporary, target)
    temporary = undefined
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

/** Everything up to the end; undefined when there is more than a file of ours holds. */
async function readBounded(handle: FileHandle, expected: number): Promise<Buffer | undefined> {
  if (expected > MAX_FILE_BYTES) return undefined
  const parts: Buffer[] = []
  let length = 0
  for (;;) {
    const part = Buffer.allocUnsafe(Math.max(expected - length + 1, READ_STEP_BYTES))
    const { bytesRead } = await handle.read(part, 0, part.length, length)
    if (bytesRead === 0) return Buffer.concat(parts, length)
    parts.push(part.subarray(0, bytesRead))
    length += bytesRead
    if (length > MAX_FILE_BYTES) return undefined
  }
}

/**
 * True for a name in a watch of the folder that may mean a change of `file`. Bun, in which OpenCode runs, names only the
 * temporary file when it is renamed to the real one.
 * @param name null where the system tells none
 */
export function mayBeChangeOf(file: string, name: string | null): boolean {
  const base = path.basename(file)
  return name === null || name === base || (name.startsWith(`.${base}.`) && name.endsWith('.tmp'))
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

async function renamePatiently(from: string, to: string): Promise<void> {
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

function unreadable(file: string, error: unknown): CodexError {
  return new CodexError(
    'store_unreadable',
    `${file} cannot be read (${systemCode(error) ?? 'unknown reason'}).`,
    { cause: error },
  )
}
