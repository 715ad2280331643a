import { randomBytes } from 'node:crypto'
import { constants, statSync } from 'node:fs'
import { lstat, mkdir, open, readdir, readlink, realpath, rename, rm, stat } from 'node:fs/promises'
import path from 'node:path'

import { systemClock } from './clock.js'
import { CodexError, systemCode } from './errors.js'

/** Larger than any file of ours can become; a foreign file in its place must not fill the memory. */
const MAX_FILE_BYTES = 32 * 1024 * 1024
/** Windows and network drives refuse a rename for a moment while somebody else looks at the file. */
const RENAME_TRIES = 6
const RENAME_FIRST_PAUSE_MS = 10
const BUSY_CODES = new Set(['EPERM', 'EBUSY', 'EACCES'])
/** A temporary file of ours this old was left by a process that died. */
const STALE_TEMP_MS = 10 * 60_000

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
  return left.modifiedNs === right.modifiedNs && left.size === right.size && left.inode === right.inode && left.device === right.device
}

/**
 * The text of a file without its byte order mark, with the stamp of exactly what was read; undefined when there is none.
 * @throws CodexError `store_unreadable`: not readable is never the same as empty
 */
export async function readTextFile(file: string): Promise<{ text: string; stamp: FileStamp } | undefined> {
  let handle
  try {
    handle = await open(file, constants.O_RDONLY)
  } catch (error) {
    if (isMissing(error)) return undefined
    throw unreadable(file, error)
  }
  try {
    const found = await handle.stat({ bigint: true })
    if (!found.isFile()) throw new CodexError('store_unreadable', `${file} is not a regular file.`)
    if (found.size > BigInt(MAX_FILE_BYTES)) throw new CodexError('store_unreadable', `${file} is too large to be a file of this plugin (${found.size} bytes).`)
    const text = await handle.readFile('utf8')
    return { text: text.replace(/^\uFEFF/, ''), stamp: { device: found.dev, inode: found.ino, size: found.size, modifiedNs: found.mtimeNs } }
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
 * stays one: what it points to is replaced.
 * @throws CodexError `store_not_written`; the old file is intact then
 */
export async function writeFileAtomic(file: string, text: string, options: { mode?: number } = {}): Promise<FileStamp> {
  const mode = options.mode ?? 0o600
  let temporary: string | undefined
  try {
    const target = await throughLink(file)
    const folder = path.dirname(target)
    await mkdir(folder, { recursive: true, mode: 0o700 })
    temporary = path.join(folder, `.${path.basename(target)}.${process.pid}-${randomBytes(6).toString('hex')}.tmp`)
    const handle = await open(temporary, 'wx', mode)
    let stamp: FileStamp
    try {
      await handle.writeFile(text)
      await handle.chmod(mode)
      await handle.sync()
      const written = await handle.stat({ bigint: true })
      stamp = { device: written.dev, inode: written.ino, size: written.size, modifiedNs: written.mtimeNs }
    } finally {
      await handle.close()
    }
    await renamePatiently(temporary, target)
    temporary = undefined
    await syncFolder(folder)
    return stamp
  } catch (error) {
    if (temporary !== undefined) await rm(temporary, { force: true }).catch(() => undefined)
    const why = systemCode(error) ?? 'unknown reason'
    throw new CodexError('store_not_written', `${file} could not be written (${why}). It is as it was before.`, { cause: error })
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

/** Removes temporary files beside `file` that a killed process left behind. Never throws. */
export async function sweepTemporaries(file: string, nowMs: number): Promise<void> {
  const folder = path.dirname(file)
  const names = await readdir(folder).catch(() => [])
  const ours = names.filter((name) => name.startsWith(`.${path.basename(file)}.`) && name.endsWith('.tmp'))
  await Promise.all(
    ours.map(async (name) => {
      const full = path.join(folder, name)
      const found = await stat(full).catch(() => undefined)
      if (found && nowMs - found.mtimeMs > STALE_TEMP_MS) await rm(full, { force: true }).catch(() => undefined)
    }),
  )
}

async function throughLink(file: string): Promise<string> {
  const found = await lstat(file).catch(() => undefined)
  if (!found?.isSymbolicLink()) return file
  // A link to a file that is still to be made has no real path.
  return realpath(file).catch(async () => path.resolve(path.dirname(file), await readlink(file)))
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
  return new CodexError('store_unreadable', `${file} cannot be read (${systemCode(error) ?? 'unknown reason'}).`, { cause: error })
}
