import type { BigIntStats, default as NodeFs } from 'node:fs'
import { constants, open } from 'node:fs/promises'

import { isBusy, systemCode } from '../system-code.js'

/**
 * A pipe without a writer, a device or a socket in the place of a file must not hold a start up: nothing here waits, and
 * only regular files are read. Windows has neither such files nor these flags, which count as 0 there.
 */
const FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY

/** Largest configuration file that is read, bytes. */
export const MAX_CONFIG_BYTES = 256 * 1024
/** Largest file of another program that is read, bytes. */
export const MAX_FOREIGN_BYTES = 32 * 1024 * 1024

/** Why something that is there is not read, in one sentence. Not one of the table of errors: a start reads files before it needs that. */
export class UnreadableFile extends Error {
  override readonly name = 'UnreadableFile'
}

/** What a read asks for at least: a file that says it is empty may hold something all the same. */
const PIECE_BYTES = 4 * 1024
const MISSING = ['ENOENT', 'ENOTDIR']
const [TRIES_AT_ONCE, PAUSE_AT_ONCE_MS] = [6, 20]

/** A network drive takes away a file that is replaced while it is read; the new one is there at once. */
const READ_TRIES = 4

/** What a look at an open file tells; sizes are big integers where the caller wants exact ones. */
interface Found {
  isFile(): boolean
  isDirectory(): boolean
  isFIFO(): boolean
  readonly size: number | bigint
}

/**
 * The text of a regular file without its byte order mark; undefined when there is none. Waits for another program only
 * where that keeps the file from everybody for a moment (`patience.ts`), and never reads more than `maxBytes`, whatever
 * stands in the file's place.
 * @param options.keepMark leave the byte order mark, for who writes the file back
 * @throws UnreadableFile: what it is in place of a file, or why it cannot be read
 */
export async function readBoundedFile(
  file: string,
  maxBytes: number,
  options: { readonly keepMark?: boolean } = {},
): Promise<string | undefined> {
  const found = await readBoundedFileWithStats(file, maxBytes)
  return options.keepMark === true || found === undefined ? found?.text : withoutMark(found.text)
}

/** The same with the byte order mark, and with the state of exactly the file that was read. @throws UnreadableFile */
export async function readBoundedFileWithStats(
  file: string,
  maxBytes: number,
): Promise<{ readonly text: string; readonly stats: BigIntStats } | undefined> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await unlessBusy(() => readOnce(file, maxBytes))
    } catch (error) {
      if (isAbsent(error)) return undefined
      if (systemCode(error) !== 'ESTALE' || tries >= READ_TRIES) throw reasonOf(error, file)
    }
  }
}

/** Looks at a file; where somebody else has it, with patience, which few starts need to load. @throws the last error */
export async function unlessBusy<T>(look: () => Promise<T>): Promise<T> {
  try {
    return await look()
  } catch (error) {
    if (process.platform !== 'win32' || !isBusy(error)) throw error
    return (await import('./patience.js')).patiently('read', look)
  }
}

async function readOnce(file: string, maxBytes: number) {
  const handle = await open(file, FLAGS)
  try {
    const stats = await handle.stat({ bigint: true })
    assertReadable(stats, file, maxBytes)
    const pieces = createPieces(file, maxBytes, stats.size)
    for (;;) {
      const piece = Buffer.allocUnsafe(pieces.wanted())
      const { bytesRead } = await handle.read(piece, 0, piece.length, null)
      if (bytesRead === 0) return { text: pieces.text(), stats }
      pieces.add(piece.subarray(0, bytesRead))
    }
  } finally {
    await handle.close()
  }
}

/** The part of `node:fs` that reads at once, from the caller: the shell of the plugin loads it only when somebody asks for this. */
type ReadingFs = Pick<typeof NodeFs, 'openSync' | 'fstatSync' | 'readSync' | 'closeSync'>

/** As `readBoundedFile`, at once, for the few places that cannot wait. @throws UnreadableFile */
export function readBoundedFileSync(
  fs: ReadingFs,
  file: string,
  maxBytes: number,
): string | undefined {
  const found = readBoundedFileWithStatsSync(fs, file, maxBytes)
  return found === undefined ? undefined : withoutMark(found.text)
}

/**
 * As `readBoundedFileWithStats`, at once.
 * @param waits a moment, while somebody else has the file
 * @throws UnreadableFile
 */
export function readBoundedFileWithStatsSync(
  fs: ReadingFs,
  file: string,
  maxBytes: number,
  waits = true,
): { readonly text: string; readonly stats: BigIntStats } | undefined {
  try {
    const read = () => readOnceSync(fs, file, maxBytes)
    return waits ? unlessBusyNow(read) : read()
  } catch (error) {
    if (isAbsent(error)) return undefined
    throw reasonOf(error, file)
  }
}

/** The same at once: a start stands still for it, so not for long. */
function unlessBusyNow<T>(look: () => T): T {
  for (let tries = 1; ; tries += 1) {
    try {
      return look()
    } catch (error) {
      const waits = process.platform === 'win32' && tries < TRIES_AT_ONCE
      if (!waits || !isBusy(error)) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_AT_ONCE_MS)
    }
  }
}

function readOnceSync(fs: ReadingFs, file: string, maxBytes: number) {
  const descriptor = fs.openSync(file, FLAGS)
  try {
    const stats = fs.fstatSync(descriptor, { bigint: true })
    assertReadable(stats, file, maxBytes)
    const pieces = createPieces(file, maxBytes, stats.size)
    for (;;) {
      const piece = Buffer.allocUnsafe(pieces.wanted())
      const bytesRead = fs.readSync(descriptor, piece, 0, piece.length, null)
      if (bytesRead === 0) return { text: pieces.text(), stats }
      pieces.add(piece.subarray(0, bytesRead))
    }
  } finally {
    fs.closeSync(descriptor)
  }
}

function assertReadable(found: Found, file: string, maxBytes: number): void {
  if (!found.isFile())
    throw refused(
      `${file} is ${found.isDirectory() ? 'a folder' : found.isFIFO() ? 'a pipe' : 'a device'}, not a file.`,
    )
  // A size of 0 says nothing in /proc; the cap holds while reading too.
  if (found.size > maxBytes) throw tooLarge(file, maxBytes)
}

/** What is read so far, never more than one byte beyond the cap. */
function createPieces(
  file: string,
  maxBytes: number,
  expected: number | bigint,
): { wanted(): number; add(piece: Buffer): void; text(): string } {
  const pieces: Buffer[] = []
  let bytes = 0
  return {
    wanted: () =>
      Math.min(Math.max(Number(expected) - bytes + 1, PIECE_BYTES), maxBytes - bytes + 1),
    add(piece) {
      bytes += piece.length
      if (bytes > maxBytes) throw tooLarge(file, maxBytes)
      pieces.push(piece)
    },
    text: () => Buffer.concat(pieces).toString('utf8'),
  }
}

export function withoutMark(text: string): string {
  return text.replace(/^\uFEFF/, '')
}

function isAbsent(error: unknown): boolean {
  return MISSING.includes(systemCode(error) ?? '')
}

function reasonOf(error: unknown, file: string): UnreadableFile {
  if (error instanceof UnreadableFile) return error
  const code = systemCode(error)
  if (code === 'ENXIO') return refused(`${file} is a socket or a pipe, not a file.`, error)
  if (code === 'ELOOP') return refused(`${file} is a link that leads back to itself.`, error)
  if (code === 'EAGAIN') return refused(`${file} would block reading.`, error)
  return refused(`${file} cannot be read (${code ?? 'unknown reason'}).`, error)
}

function tooLarge(file: string, maxBytes: number): UnreadableFile {
  return refused(
    `${file} is too large: more than ${maxBytes >= 1024 * 1024 ? `${maxBytes / 1024 / 1024} MB` : `${maxBytes / 1024} KB`}.`,
  )
}

function refused(message: string, cause?: unknown): UnreadableFile {
  return new UnreadableFile(message, cause === undefined ? {} : { cause })
}
