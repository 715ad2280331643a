import { constants, type Stats } from 'node:fs'
import { lstat, mkdir, open, rename, rm, stat } from 'node:fs/promises'
import path from 'node:path'

import { CodexError, systemCode } from '../errors.js'
import { type FileStamp, isMissing, stampFrom } from './json-file.js'
import { sweepFolder } from './leftovers.js'
import { patiently } from './patience.js'
import { realPathOf } from './real-path.js'
import { temporaryNameFor } from './temporaries.js'

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
    const finished = temporary
    await patiently('change', () => rename(finished, target))
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
  const there = await patiently('read', () => stat(file)).catch(missing)
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
