import { open, stat } from 'node:fs/promises'
import path from 'node:path'

import type { Clock } from '../kernel/clock.js'
import { CodexError, isCodexError, messageOf } from '../kernel/errors.js'
import { readTextFile, writeFileAtomic } from '../kernel/json-file.js'
import { type HeldLock, withFileLock } from '../kernel/lock.js'
import { realPathOrSame } from '../kernel/real-path.js'
import type { Logger } from '../kernel/logger.js'
import type { HistoryEntry } from './entries.js'
import { compacted, formatLine, type HistoryBounds, parseLine, parseLines } from './lines.js'
import { createReadingGate } from './reading-gate.js'

/** What was read, spent and switched, in a file that all processes append to and that may be lost without harm. */
export interface History {
  /** Takes a line; costs memory only, the file follows. Of readings only what is new. */
  readonly note: (entry: HistoryEntry) => void
  /** Everything on the disk, oldest first, with what this process has not written yet. Never throws. */
  read(): Promise<HistoryEntry[]>
  /** The readings of one account alone, which costs a fraction of reading everything. Never throws. */
  readingsOf(uid: string): Promise<HistoryEntry[]>
  /** Writes what is gathered. Never throws. */
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
  close: async () => undefined,
}

const BOUNDS: HistoryBounds = { maxAgeMs: 35 * 86_400_000, maxBytes: 2 * 1024 * 1024 }
/** Lines are gathered this long, so that a request never waits for the disk, ms. */
const WRITE_DELAY_MS = 2_000
/** Lines that cannot be written for now are kept up to this number. */
const MAX_WAITING = 5_000
/** How often a process looks for entries that have become too old, ms. */
const AGE_CHECK_MS = 86_400_000
const LOCK_STALE_MS = 10_000
const LOCK_WAIT_MS = 5_000

/** Creates the history; nothing is read or made before the first write. */
export function createHistory(deps: HistoryDeps): History {
  const { file, clock } = deps
  const bounds = deps.bounds ?? BOUNDS
  const isNew = createReadingGate()
  let waiting: HistoryEntry[] = []
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<void> = Promise.resolve()
  let agesCheckedAtMs = -Infinity
  let hasComplained = false

  function flush(): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    writing = writing.then(write)
    return writing
  }

  async function write(): Promise<void> {
    const batch = waiting
    if (batch.length === 0) return
    waiting = []
    try {
      // Appending takes the lock too: a line that goes into a file just being replaced would be gone.
      await withFileLock(
        realPathOrSame(file),
        { staleMs: LOCK_STALE_MS, waitMs: LOCK_WAIT_MS, what: path.basename(file) },
        async (lock) => {
          const size = await append(file, batch.map(formatLine).join(''))
          await compact(size, lock)
        },
      )
    } catch (error) {
      if (isCodexError(error) && error.code === 'store_busy') {
        keepForLater(batch)
        return
      }
      if (!hasComplained)
        deps.log.log('debug', `${file} could not be written; the history has a gap.`, {
          reason: messageOf(error),
        })
      hasComplained = true
    }
  }

  function keepForLater(batch: readonly HistoryEntry[]): void {
    waiting = [...batch, ...waiting].slice(-MAX_WAITING)
    schedule()
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
    if (shorter !== text && lock.isHeld()) await writeFileAtomic(file, shorter)
  }

  function schedule(): void {
    if (timer !== undefined) return
    timer = setTimeout(() => void flush(), deps.delayMs ?? WRITE_DELAY_MS)
    timer.unref()
  }

  async function stored(isWanted: (line: string) => boolean): Promise<HistoryEntry[]> {
    await flush()
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
      schedule()
    },
    read: () => stored(() => true),
    async readingsOf(uid) {
      // Most lines are passed over without being understood.
      const found = await stored((line) => line.includes(uid) && line.includes('"reading"'))
      return found.filter((entry) => entry.type === 'reading' && entry.uid === uid)
    },
    async close() {
      await flush()
      clearTimeout(timer)
    },
  }
}

/** Adds whole lines and answers with the size of the file, bytes. What a killed process left half written is ended first. */
async function append(file: string, text: string): Promise<number> {
  const there = await stat(file).catch(() => undefined)
  // Opening a pipe would wait for a reader, for ever.
  if (there !== undefined && !there.isFile())
    throw new CodexError('store_not_written', `${file} is not a regular file.`)
  const handle = await open(file, 'a+', 0o600)
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

const NEWLINE = 0x0a
