import * as fs from 'node:fs'
import { stat } from 'node:fs/promises'

import { CodexError } from '../errors.js'
import { systemCode } from '../system-code.js'
import {
  readBoundedFileWithStats,
  readBoundedFileWithStatsSync,
  unlessBusy,
  UnreadableFile,
  withoutMark,
} from './bounded-file.js'

/** Larger than any file of ours can become; a foreign file in its place must not fill the memory. */
const MAX_FILE_BYTES = 32 * 1024 * 1024
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
    return stampFrom(await unlessBusy(() => stat(file, { bigint: true })))
  } catch (error) {
    if (isMissing(error)) return undefined
    const why = `${file} cannot be read (${systemCode(error) ?? 'unknown reason'}).`
    throw new CodexError('store_unreadable', why, { cause: error })
  }
}

/** As `stampOf`, at once; undefined also for what cannot be a file of ours. */
export function stampNow(file: string): FileStamp | undefined {
  const found = fs.statSync(file, { bigint: true, throwIfNoEntry: false })
  if (found?.isFile() !== true || found.size > BigInt(MAX_FILE_BYTES)) return undefined
  return stampFrom(found)
}

/** The stamp in what `stat` says. */
export function stampFrom({ dev, ino, size, mtimeNs }: fs.BigIntStats): FileStamp {
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
export async function readTextFile(file: string): Promise<TextFile | undefined> {
  try {
    return textFileOf(await readBoundedFileWithStats(file, MAX_FILE_BYTES))
  } catch (error) {
    throw unreadable(error)
  }
}

/**
 * As `readTextFile`, at once: for a start, which waits for it.
 * @param options.waits for who has the file at this moment; not where answers are in flight, and the next look will do
 * @throws CodexError `store_unreadable`
 */
export function readTextFileNow(
  file: string,
  { waits = true }: { readonly waits?: boolean } = {},
): TextFile | undefined {
  try {
    return textFileOf(readBoundedFileWithStatsSync(fs, file, MAX_FILE_BYTES, waits))
  } catch (error) {
    throw unreadable(error)
  }
}

export interface TextFile {
  readonly text: string
  readonly stamp: FileStamp
}

function textFileOf(
  found: { readonly text: string; readonly stats: fs.BigIntStats } | undefined,
): TextFile | undefined {
  return found && { text: withoutMark(found.text), stamp: stampFrom(found.stats) }
}

function unreadable(error: unknown): unknown {
  return error instanceof UnreadableFile
    ? new CodexError('store_unreadable', error.message, { cause: error.cause })
    : error
}

/** That there is no such file. */
export function isMissing(error: unknown): boolean {
  return systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR'
}
