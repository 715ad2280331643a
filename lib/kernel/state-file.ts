import { type FSWatcher, readFileSync, watch } from 'node:fs'
import path from 'node:path'

import type { Clock } from './clock.js'
import { messageOf } from './errors.js'
import {
  type FileStamp,
  mayBeChangeOf,
  readTextFile,
  sameStamp,
  stampNow,
  stampOf,
  writeFileAtomic,
} from './json-file.js'
import { withFileLock } from './lock.js'
import type { Logger } from './logger.js'
import { realPathOrSame } from './real-path.js'

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
  let value = deps.initial
  let stamp: FileStamp | undefined
  let dirty = false
  let writing: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined
  let settle: NodeJS.Timeout | undefined
  let watcher: FSWatcher | undefined
  let closed = false

  async function takeOver(): Promise<void> {
    const found = await readTextFile(deps.file)
    if (found === undefined) return
    stamp = found.stamp
    try {
      value = deps.merge(value, deps.parse(found.text))
    } catch (error) {
      deps.log.log(
        'warn',
        `${deps.file} could not be understood and is replaced with the next write.`,
        { reason: messageOf(error) },
      )
    }
  }

  async function load(): Promise<void> {
    startWatching()
    try {
      const found = await stampOf(deps.file)
      if (found === undefined || sameStamp(found, stamp)) return
      await takeOver()
      deps.onChange?.()
    } catch (error) {
      deps.log.log('warn', `${deps.file} could not be read.`, { reason: messageOf(error) })
    }
  }

  function refresh(): void {
    try {
      const found = stampNow(deps.file)
      if (found === undefined || sameStamp(found, stamp)) return
      const text = readFileSync(deps.file, 'utf8')
      stamp = found
      value = deps.merge(value, deps.parse(text))
    } catch (error) {
      deps.log.log('debug', `${deps.file} could not be read.`, { reason: messageOf(error) })
    }
  }

  async function write(): Promise<void> {
    dirty = false
    try {
      await withFileLock(
        realPathOrSame(deps.file),
        { staleMs: LOCK_STALE_MS, waitMs: LOCK_WAIT_MS, what: path.basename(deps.file) },
        async () => {
          if (!sameStamp(await stampOf(deps.file), stamp)) await takeOver()
          stamp = await writeFileAtomic(deps.file, deps.format(value))
        },
      )
    } catch (error) {
      deps.log.log('debug', `${deps.file} could not be written; the next change tries again.`, {
        reason: messageOf(error),
      })
    }
  }

  async function flush(): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    await writing
    if (!dirty) return
    writing = write().finally(() => {
      writing = undefined
    })
    await writing
  }

  function startWatching(): void {
    if (deps.watch !== true || watcher !== undefined || closed) return
    try {
      watcher = watch(path.dirname(deps.file), { persistent: false }, (_event, name) => {
        if (!mayBeChangeOf(deps.file, name) || settle !== undefined) return
        settle = setTimeout(() => {
          settle = undefined
          void load()
        }, WATCH_SETTLE_MS)
        settle.unref()
      })
      watcher.on('error', () => {
        watcher?.close()
        watcher = undefined
      })
    } catch {
      // No folder yet or no watches left: the next load looks again.
      watcher = undefined
    }
  }

  return {
    current: () => value,
    set(next) {
      if (next === value) return
      value = next
      dirty = true
      if (timer !== undefined || closed) return
      timer = setTimeout(() => {
        timer = undefined
        void flush()
      }, deps.delayMs)
      timer.unref()
    },
    load,
    refresh,
    flush,
    async close() {
      closed = true
      clearTimeout(settle)
      watcher?.close()
      watcher = undefined
      await flush()
    },
  }
}
