import path from 'node:path'

import { isCodexError, messageOf } from '../errors.js'
import {
  type FileStamp,
  readTextFile,
  readTextFileNow,
  sameStamp,
  stampNow,
  stampOf,
  type TextFile,
} from './json-file.js'
import type { Logger } from '../logger.js'
import { createWriteBehind } from '../write-behind.js'
import { realPathOrSame } from './real-path.js'
import { underLock } from './under-lock.js'
import { watchFiles } from './watch-files.js'

/**
 * A value shared between processes through a small file that may be lost without harm. It lives in memory: reading and
 * changing it costs no I/O; the file is written some time later, merged with what others wrote.
 *
 * What others must know is written at once, so a kill of this process cannot take it back; of the rest a kill loses the
 * last `CALM_MS`. The file is not forced to the disk (no `fsync`): what the system was given survives every end of the
 * process. A power cut alone may leave an old file or an empty one, which counts as none: the backend says it all again.
 */
export interface StateFile<T> {
  current(): T
  /**
   * Replaces the value. The same value writes nothing.
   * @param when `soon` (within `delayMs`) what others must know, `calmly` (within `CALM_MS`) what may be lost
   */
  set(value: T, when?: 'soon' | 'calmly'): void
  /** Reads the file, if that was not done yet or it changed. Never throws: a broken file counts as none. */
  load(): Promise<void>
  /**
   * As `load`, at once: for what must not be missed because a look at the disk came a moment too late. One `stat` where
   * nothing changed. Never throws.
   */
  refresh(): void
  /** Writes what is still unwritten. Never throws. */
  flush(): Promise<void>
  /**
   * Writes what is still unwritten and stops watching. Where another process holds the file, what may be lost waits for
   * `CLOSE_MS`; what others must know waits as long as a lock may be held, and is then written all the same.
   */
  close(): Promise<void>
}

export interface StateFileDeps<T> {
  readonly file: string
  readonly initial: T
  /** @throws anything for a text it cannot use */
  readonly parse: (text: string) => T
  readonly format: (value: T) => string
  /** Both together; of equal facts `ours` wins. */
  readonly merge: (ours: T, theirs: T) => T
  readonly log: Logger
  /** Longest time between a change that others must know and its write, ms. */
  readonly delayMs: number
  /** Follow the changes of others. */
  readonly watch?: boolean
  /** Called when somebody else's change was taken over. */
  readonly onChange?: () => void
}

/** Longest time between a change that may be lost and its write, and the pause after a write that failed, ms. */
export const CALM_MS = 30_000
/** Longest wait of a close for a file that another process holds, where all that is unwritten may be lost, ms. */
export const CLOSE_MS = 100
/** The same for what others must know: longer than the lock is waited for, since who holds it is mostly writing the same, ms. */
const URGENT_CLOSE_MS = 2_500
const LOCK = { staleMs: 5_000, waitMs: 2_000 }
/** Several events of one write are answered by one read, ms. */
const WATCH_SETTLE_MS = 30
const UNREAD = 'could not be read.'
/** What a power cut may leave of a file that was not forced to the disk. */
const NOTHING_WRITTEN = /^[\0\s]*$/

/** Creates a state file; nothing is read before `load`. */
export function createStateFile<T>(deps: StateFileDeps<T>): StateFile<T> {
  const { file } = deps
  const writes = createWriteBehind(write, deps.delayMs)
  const changes = watchFiles([file], () => void load(), WATCH_SETTLE_MS)
  let value = deps.initial
  let stamp: FileStamp | undefined
  /** Something that others must know is not in the file. */
  let isUrgent = false
  let isClosed = false
  /** Nobody waits any more for the lock that a write waits for. */
  let isLate = false
  let replacing: Promise<void> | undefined
  let isSwept = false
  let hasComplained = false

  function takeOver(found: TextFile | undefined): string | undefined {
    if (found === undefined) return undefined
    stamp = found.stamp
    value = mergedWith(deps, value, found.text)
    deps.onChange?.()
    return found.text
  }

  const look = async (): Promise<string | undefined> => takeOver(await readTextFile(file))

  async function load(): Promise<void> {
    if (deps.watch === true) changes.start()
    try {
      // A start waits for the first read of several such files: done at once, each takes less than to ask for it and wait.
      if (stamp === undefined) takeOver(readTextFileNow(file))
      else {
        const found = await stampOf(file)
        if (found !== undefined && !sameStamp(found, stamp)) await look()
      }
    } catch (error) {
      say(deps, 'warn', UNREAD, error)
    }
  }

  function refresh(): void {
    try {
      const found = stampNow(file)
      if (found !== undefined && !sameStamp(found, stamp))
        takeOver(readTextFileNow(file, { waits: false }))
    } catch (error) {
      say(deps, 'debug', UNREAD, error)
    }
  }

  async function replace(): Promise<void> {
    const { sweepFolder, writeFileAtomic } = await import('./writing.js')
    if (!sameStamp(await stampOf(file), stamp)) await look()
    const wasUrgent = isUrgent
    isUrgent = false
    try {
      stamp = await writeFileAtomic(file, deps.format(value), { isLosable: true })
    } catch (error) {
      isUrgent ||= wasUrgent
      throw error
    }
    hasComplained = false
    if (isSwept || isClosed) return
    isSwept = true
    await sweepFolder(path.dirname(realPathOrSame(file)), Number(stamp.modifiedNs / 1_000_000n))
  }

  async function replaceUnlocked(): Promise<void> {
    const { untilKept } = await import('./writing.js')
    await untilKept(replace, look, () => deps.format(value))
  }

  async function write(): Promise<void> {
    try {
      await underLock(file, LOCK, async () => {
        if (!isLate) await (replacing = replace())
      })
    } catch (error) {
      failed(error)
    } finally {
      replacing = undefined
    }
  }

  function failed(error: unknown): void {
    const isBusy = isCodexError(error) && error.code === 'store_busy'
    // By then the lock of a process that hangs may be taken over.
    writes.schedule(isBusy && isUrgent ? LOCK.staleMs : CALM_MS)
    if (hasComplained) return
    hasComplained = true
    say(deps, 'debug', 'could not be written; that is tried again.', error)
  }

  return {
    current: () => value,
    set(next, when = 'soon') {
      if (next === value) return
      value = next
      isUrgent ||= when === 'soon'
      writes.schedule(when === 'soon' ? deps.delayMs : CALM_MS)
    },
    load,
    refresh,
    flush: () => writes.flush(),
    async close() {
      isClosed = true
      changes.close()
      const isDone = await writes.close(isUrgent ? URGENT_CLOSE_MS : CLOSE_MS)
      if (isDone && !isUrgent) return
      isLate = true
      // A slow disk is waited for, another process is not.
      await replacing?.catch(() => undefined)
      if (isUrgent) await replaceUnlocked().catch(failed)
    },
  }
}

function mergedWith<T>(deps: StateFileDeps<T>, value: T, text: string): T {
  if (NOTHING_WRITTEN.test(text)) return value
  try {
    return deps.merge(value, deps.parse(text))
  } catch (error) {
    say(deps, 'warn', 'could not be understood and is replaced with the next write.', error)
    return value
  }
}

function say(
  { file, log }: Pick<StateFileDeps<never>, 'file' | 'log'>,
  level: 'debug' | 'warn',
  what: string,
  error: unknown,
): void {
  log.log(level, `${file} ${what}`, { reason: messageOf(error) })
}
