import { open, stat } from 'node:fs/promises'
import path from 'node:path'

import type { Clock } from '../kernel/clock.js'
import { CodexError, messageOf } from '../kernel/errors.js'
import { readTextFile } from '../kernel/files/json-file.js'
import { unlessBusy } from '../kernel/files/bounded-file.js'
import { CLOSE_MS } from '../kernel/files/state-file.js'
import type { HeldLock } from '../kernel/lock/lock.js'
import { underLock } from '../kernel/files/under-lock.js'
import type { Logger } from '../kernel/logger.js'
import { createWriteBehind } from '../kernel/write-behind.js'
import type { HistoryEntry, ReadingEntry } from './entries.js'
import { compacted, formatLine, type HistoryBounds, parseLine, parseLines } from './lines.js'

/**
 * What was read, spent and switched, in a file that all processes append to and that may be lost without harm: a kill takes
 * the lines of the last minute with it.
 */
export interface History {
  /** Takes a line; costs memory only, the file follows. Of readings only what is new. */
  readonly note: (entry: HistoryEntry) => void
  /** Everything on the disk, oldest first, with what this process has not written yet. Never throws. */
  read(): Promise<HistoryEntry[]>
  /** The readings of one account alone, which costs a fraction of reading everything. Never throws. */
  readingsOf(uid: string): Promise<HistoryEntry[]>
  /** Writes what is gathered. Never throws. */
  flush(): Promise<void>
  /** Writes what is gathered, also where another process holds the file for long. Never throws. */
  close(): Promise<void>
}

export interface HistoryDeps {
  readonly file: string
  readonly clock: Clock
  readonly log: Logger
  readonly bounds?: HistoryBounds
  /** Longest time between a line and its write, ms. */
  readonly delayMs?: number
}

/** For users who want none: keeps nothing and reads nothing. */
export const noHistory: History = {
  note: () => undefined,
  read: async () => [],
  readingsOf: async () => [],
  flush: async () => undefined,
  close: async () => undefined,
}

const BOUNDS: HistoryBounds = { maxAgeMs: 35 * 86_400_000, maxBytes: 2 * 1024 * 1024 }
/** Lines are gathered this long: nobody waits for them, and the disk has its peace, ms. */
const WRITE_DELAY_MS = 60_000
/** Lines that cannot be written for now are kept up to this number. */
const MAX_WAITING = 5_000
/** How often a process looks for entries that have become too old, ms. */
const AGE_CHECK_MS = 86_400_000
const NEWLINE = 0x0a
const LOCK = { staleMs: 10_000, waitMs: 5_000 }

/** Creates the history; nothing is read or made before the first write. */
export function createHistory(deps: HistoryDeps): History {
  const { file, clock } = deps
  const bounds = deps.bounds ?? BOUNDS
  const isNew = createReadingGate()
  const writes = createWriteBehind(write, deps.delayMs ?? WRITE_DELAY_MS)
  let waiting: HistoryEntry[] = []
  let agesCheckedAtMs = -Infinity
  let hasComplained = false
  /** Nobody waits any more for the lock that a write waits for. */
  let isLate = false
  let appending: Promise<number> | undefined

  async function appendWaiting(): Promise<number> {
    const batch = waiting
    waiting = []
    try {
      return await append(file, batch.map(formatLine).join(''))
    } catch (error) {
      waiting = [...batch, ...waiting]
      throw error
    }
  }

  async function write(): Promise<void> {
    try {
      // Appending takes the lock too: a line that goes into a file just being replaced would be gone.
      await underLock(file, LOCK, async (lock) => {
        if (isLate) return
        appending = appendWaiting()
        await compact(await appending, lock)
      })
    } catch (error) {
      failed(error)
    }
    appending = undefined
  }

  /** Lines that did not get as far as the file are kept for the next try. */
  function failed(error: unknown): void {
    waiting = waiting.slice(-MAX_WAITING)
    if (waiting.length > 0) writes.schedule()
    if (!hasComplained)
      deps.log.log('debug', `${file} could not be written; the history may have a gap.`, {
        reason: messageOf(error),
      })
    hasComplained = true
  }

  async function compact(size: number, lock: HeldLock): Promise<void> {
    const nowMs = clock.now()
    const isAgeCheck = nowMs - agesCheckedAtMs >= AGE_CHECK_MS
    if (size <= bounds.maxBytes && !isAgeCheck) return
    agesCheckedAtMs = nowMs
    const text = (await readTextFile(file))?.text ?? ''
    const oldest = parseLine(text.slice(0, text.indexOf('\n')))
    if (size <= bounds.maxBytes && oldest !== undefined && nowMs - oldest.atMs <= bounds.maxAgeMs)
      return
    const shorter = compacted(text, bounds, nowMs)
    const { writeFileAtomic } = await import('../kernel/files/writing.js')
    if (shorter !== text && lock.isHeld()) await writeFileAtomic(file, shorter)
  }

  async function stored(isWanted: (line: string) => boolean): Promise<HistoryEntry[]> {
    await writes.flush()
    try {
      const entries = parseLines((await readTextFile(file))?.text ?? '', isWanted)
      const since = clock.now() - bounds.maxAgeMs
      return [...entries, ...waiting]
        .filter(({ atMs }) => atMs >= since)
        .sort((left, right) => left.atMs - right.atMs)
    } catch (error) {
      deps.log.log('debug', `${file} could not be read.`, { reason: messageOf(error) })
      return []
    }
  }

  return {
    note(entry) {
      if (entry.type === 'reading' && !isNew(entry)) return
      waiting.push(entry)
      writes.schedule()
    },
    read: () => stored(() => true),
    async readingsOf(uid) {
      // Most lines are passed over without being understood.
      const found = await stored((line) => line.includes(uid) && line.includes('"reading"'))
      return found.filter((entry) => entry.type === 'reading' && entry.uid === uid)
    },
    flush: () => writes.flush(),
    async close() {
      if (await writes.close(CLOSE_MS)) return
      isLate = true
      await appending?.catch(() => undefined)
      // Whole lines at the end of a file disturb nobody; at worst a file that is just being replaced loses them.
      if (waiting.length > 0) await appendWaiting().catch(failed)
    },
  }
}

/** Adds whole lines and answers with the size of the file, bytes. What a killed process left half written is ended first. */
async function append(file: string, text: string): Promise<number> {
  const there = await stat(file).catch(() => undefined)
  // Opening a pipe would wait for a reader, for ever.
  if (there !== undefined && !there.isFile())
    throw new CodexError('store_not_written', `${file} is not a regular file.`)
  // Nobody has made the folder where the lock was not waited for.
  if (there === undefined) {
    const { makeFolders } = await import('../kernel/files/writing.js')
    await makeFolders(path.dirname(file))
  }
  const handle = await unlessBusy(() => open(file, 'a+', 0o600))
  try {
    const { size } = await handle.stat()
    const last = Buffer.alloc(1)
    if (size > 0) await handle.read(last, 0, 1, size - 1)
    const start = size > 0 && last[0] !== NEWLINE ? '\n' : ''
    await handle.appendFile(start + text)
    return size + start.length + Buffer.byteLength(text)
  } finally {
    await handle.close()
  }
}

/** Without a change of the percentage one reading of a window is kept in this time, ms. */
const SAME_PERCENT_MS = 60_000
/** The backend's reset times wander by seconds between answers: this much is one and the same reset, ms. */
const SAME_RESET_MS = 60_000

/**
 * Creates the gate that lets through what is new about a window: another percentage at once, another reset at most once
 * a minute. It remembers one reading for each account, limit and kind of window.
 */
function createReadingGate(): (reading: ReadingEntry) => boolean {
  const last = new Map<string, ReadingEntry>()
  return (reading) => {
    const key = `${reading.uid} ${reading.limitId} ${reading.kind}`
    const before = last.get(key)
    if (before !== undefined && !saysMore(before, reading)) return false
    last.set(key, reading)
    return true
  }
}

function saysMore(before: ReadingEntry, reading: ReadingEntry): boolean {
  if (reading.usedPercent !== before.usedPercent) return true
  const moved = Math.abs((reading.resetsAtMs ?? 0) - (before.resetsAtMs ?? 0)) > SAME_RESET_MS
  return moved && reading.atMs - before.atMs >= SAME_PERCENT_MS
}
