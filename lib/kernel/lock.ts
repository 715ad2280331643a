import { statSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import path from 'node:path'

import { abortReason, systemClock } from './clock.js'
import { CodexError, systemCode } from './errors.js'

/** How a lock is waited for and kept. */
export interface LockOptions {
  /** A lock whose holder has not renewed it for this long is taken over, ms. At least 2000. */
  readonly staleMs: number
  /** Longest wait for the lock, ms; 0 tries once. */
  readonly waitMs: number
  /** What is locked, for the message ("the account file"). */
  readonly what: string
}

/** What the holder of a lock may ask. */
export interface HeldLock {
  /** Looks at the disk. False when the lock was lost: the process slept past `staleMs`, and somebody else may hold it. */
  isHeld(): boolean
}

/** A lock to be given back. */
export interface Lock extends HeldLock {
  /** Gives it back, if it is still held. Never throws: what cannot be released goes stale by itself. */
  release(): Promise<void>
}

const FIRST_PAUSE_MS = 5
const LONGEST_PAUSE_MS = 100
/**
 * Two processes that take over the same stale lock can both believe they have it: one removes what the other has just
 * made. Whoever took over therefore waits this long and looks whether the lock is still its own.
 */
const TAKEOVER_SETTLE_MS = 50
/** Somebody else has it, or is about to: also what a lock that vanishes under the hands looks like. */
const CONTENTION_CODES = new Set(['ELOCKED', 'ENOENT', 'ENOTACQUIRED', 'ECOMPROMISED'])
/** Windows reports a lock folder that is just being removed as these; elsewhere they mean missing permission, and waiting changes nothing. */
const MAYBE_CONTENTION_CODES = new Set(process.platform === 'win32' ? ['EPERM', 'EBUSY', 'EACCES'] : [])

/**
 * Tries once to lock `<file>.lock`; the file itself need not exist. Locks of different names never free each other. The
 * library is loaded on first use: it hooks the exit of the process, which a reader has no need for.
 * @returns undefined when somebody else holds it
 * @throws the system's error when locks cannot be made there
 */
export async function tryLock(file: string, staleMs: number): Promise<Lock | undefined> {
  const { default: lockfile } = await import('proper-lockfile')
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 })
  const folder = `${file}.lock`
  const isTakeover = identityOf(folder) !== undefined
  let isLost = false
  let release: () => Promise<void>
  try {
    release = await lockfile.lock(file, {
      realpath: false,
      stale: staleMs,
      update: Math.max(1000, Math.floor(staleMs / 4)),
      retries: 0,
      // The default throws out of a timer, which would end the host.
      onCompromised: () => {
        isLost = true
      },
    })
  } catch (error) {
    if (CONTENTION_CODES.has(systemCode(error) ?? '')) return undefined
    throw error
  }
  const identity = identityOf(folder)
  const isHeld = (): boolean => !isLost && identity !== undefined && identityOf(folder) === identity
  const lock: Lock = {
    isHeld,
    async release() {
      if (isHeld()) await release().catch(() => undefined)
    },
  }
  if (!isTakeover) return lock
  await systemClock.sleep(TAKEOVER_SETTLE_MS)
  // What is not ours any more must not be released: that would free somebody else's. The library notices by itself.
  return lock.isHeld() ? lock : undefined
}

/**
 * Runs `work` while holding `<file>.lock`.
 * @throws CodexError `store_busy` when the lock cannot be had in time, `store_not_written` when locks cannot be made
 * there; the signal's reason when aborted; what `work` throws
 */
export async function withFileLock<T>(
  file: string,
  options: LockOptions,
  work: (lock: HeldLock) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const lock = await patiently(file, options, signal)
  try {
    return await work(lock)
  } finally {
    await lock.release()
  }
}

async function patiently(file: string, options: LockOptions, signal: AbortSignal | undefined): Promise<Lock> {
  const deadline = performance.now() + options.waitMs
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 1.5, LONGEST_PAUSE_MS)) {
    if (signal?.aborted) throw abortReason(signal)
    let cause: unknown
    try {
      const lock = await tryLock(file, options.staleMs)
      if (lock !== undefined) return lock
    } catch (error) {
      cause = error
    }
    const code = systemCode(cause)
    const isHopeless = cause !== undefined && !MAYBE_CONTENTION_CODES.has(code ?? '')
    if (isHopeless || (cause !== undefined && performance.now() >= deadline)) {
      throw new CodexError('store_not_written', `The lock ${file}.lock cannot be made (${code ?? 'unknown reason'}), so ${options.what} was not changed.`, { cause })
    }
    if (performance.now() >= deadline) throw new CodexError('store_busy', `Another process holds ${options.what}: ${file}.lock`)
    await systemClock.sleep(pause * (0.5 + Math.random()), signal)
  }
}

/**
 * Which folder this is: its number and its birth, since numbers are used again at once. Where a file system reports the
 * last change as birth, a lock held for longer than its renewal looks lost: it then goes stale instead of being released.
 */
function identityOf(folder: string): string | undefined {
  const found = statSync(folder, { bigint: true, throwIfNoEntry: false })
  return found === undefined ? undefined : `${found.ino}:${found.birthtimeNs}`
}
