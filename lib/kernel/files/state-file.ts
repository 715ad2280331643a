import { readFileSync } from 'node:fs'
import path from 'node:path'

import type { Clock } from '../clock.js'
import { messageOf } from '../errors.js'
import { type FileStamp, readTextFile, sameStamp, stampNow, stampOf } from './json-file.js'
import type { Logger } from '../logger.js'
import { createWriteBehind } from '../write-behind.js'
import { realPathOrSame } from './real-path.js'
import { watchFiles } from './watch-files.js'

/**
 * A value shared between processes through a small file that may be lost without harm. It lives in memory: reading and
 * changing it costs no I/O; the file is written some time later, merged with what others wrote.
 */
export interface StateFile<T> {
  current(): T
  /** Replaces the value; the file follows after `delayMs`. The same value writes nothing. */
  set(value: T): void
  /** Reads the file, if that was not done yet or it changed. Never throws: a broken file counts as none. */
  load(): Promise<void>
  /**
   * As `load`, at once: for what must not be missed because a look at the disk came a moment too late. One `stat` where
   * nothing changed. Never throws.
   */
  refresh(): void
  /** Writes what is still unwritten. Never throws. */
  flush(): Promise<void>
  /** Writes what is still unwritten and stops watching. */
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
  readonly clock: Clock
  readonly log: Logger
  /** Longest time between a change and its write, ms. */
  readonly delayMs: number
  /** Follow the changes of others. */
  readonly watch?: boolean
  /** Called when somebody else's change was taken over. */
  readonly onChange?: () => void
}

const LOCK_STALE_MS = 5_000
const LOCK_WAIT_MS = 2_000
/** Several events of one write are answered by one read, ms. */
const WATCH_SETTLE_MS = 30

/** Creates a state file; nothing is read before `load`. */
export function createStateFile<T>(deps: StateFileDeps<T>): StateFile<T> {
  const { file, log } = deps
  const writes = createWriteBehind(write, deps.delayMs)
  const changes = watchFiles([file], () => void load(), WATCH_SETTLE_MS)
  let value = deps.initial
  let stamp: FileStamp | undefined

  function merge(text: string): void {
    try {
      value = deps.merge(value, deps.parse(text))
    } catch (error) {
      log.log('warn', `${file} could not be understood and is replaced with the next write.`, {
        reason: messageOf(error),
      })
    }
  }

  async function takeOver(): Promise<void> {
    const found = await readTextFile(file)
    if (found === undefined) return
    stamp = found.stamp
    merge(found.text)
  }

  async function load(): Promise<void> {
    if (deps.watch === true) changes.start()
    try {
      const found = await stampOf(file)
      if (found === undefined || sameStamp(found, stamp)) return
      await takeOver()
      deps.onChange?.()
    } catch (error) {
      log.log('warn', `${file} could not be read.`, { reason: messageOf(error) })
    }
  }

  function refresh(): void {
    try {
      const found = stampNow(file)
      if (found === undefined || sameStamp(found, stamp)) return
      const text = readFileSync(file, 'utf8')
      stamp = found
      merge(text)
    } catch (error) {
      log.log('debug', `${file} could not be read.`, { reason: messageOf(error) })
    }
  }

  async function write(): Promise<void> {
    try {
      // Loaded with the first write: nobody who reads needs it.
      const { withFileLock, writeFileAtomic } = await import('./writing.js')
      await withFileLock(
        realPathOrSame(file),
        { staleMs: LOCK_STALE_MS, waitMs: LOCK_WAIT_MS, what: path.basename(file) },
        async () => {
          if (!sameStamp(await stampOf(file), stamp)) await takeOver()
          stamp = await writeFileAtomic(file, deps.format(value))
        },
      )
    } catch (error) {
      log.log('debug', `${file} could not be written; the next change tries again.`, {
        reason: messageOf(error),
      })
    }
  }

  return {
    current: () => value,
    set(next) {
      if (next === value) return
      value = next
      writes.schedule()
    },
    load,
    refresh,
    flush: () => writes.flush(),
    async close() {
      changes.close()
      await writes.close()
    },
  }
}
