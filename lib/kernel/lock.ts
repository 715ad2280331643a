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
  /** @throws CodexError `store_busy` when the lock was lost (the process slept past `staleMs`): stop before doing harm */
  assertHeld(): void
}

const FIRST_PAUSE_MS = 5
const LONGEST_PAUSE_MS = 100
/** Windows reports a lock folder that is just being removed as these. */
const CONTENTION_CODES = new Set(['ELOCKED', 'EPERM', 'EBUSY', 'EACCES'])

/**
 * Runs `work` while holding `<file>.lock`. The file itself need not exist. Locks of different names never free each
 * other. The library is loaded on first use: it hooks the exit of the process, which a reader has no need for.
 * @throws CodexError `store_busy` when the lock cannot be had in time; the signal's reason when aborted; what `work` throws
 */
export async function withFileLock<T>(
  file: string,
  options: LockOptions,
  work: (lock: HeldLock) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const { default: lockfile } = await import('proper-lockfile')
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 }).catch(() => undefined)
  let lost: Error | undefined
  const acquire = (): Promise<() => Promise<void>> =>
    lockfile.lock(file, {
      realpath: false,
      stale: options.staleMs,
      update: Math.max(1000, Math.floor(options.staleMs / 4)),
      retries: 0,
      // The default throws out of a timer, which would end the host.
      onCompromised: (error) => {
        lost = error
      },
    })
  const release = await patiently(acquire, file, options, signal)
  try {
    return await work({
      assertHeld() {
        if (lost) throw new CodexError('store_busy', `The lock on ${options.what} was lost while it was held.`, { cause: lost })
      },
    })
  } finally {
    // A lock that cannot be released goes stale by itself; the work is done all the same.
    await release().catch(() => undefined)
  }
}

async function patiently<T>(acquire: () => Promise<T>, file: string, options: LockOptions, signal?: AbortSignal): Promise<T> {
  const deadline = performance.now() + options.waitMs
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 1.5, LONGEST_PAUSE_MS)) {
    if (signal?.aborted) throw abortReason(signal)
    try {
      return await acquire()
    } catch (error) {
      const code = systemCode(error) ?? ''
      if (!CONTENTION_CODES.has(code)) {
        throw new CodexError('store_not_written', `${options.what} cannot be locked (${code === '' ? 'unknown reason' : code}): ${file}.lock`, { cause: error })
      }
      if (performance.now() >= deadline) {
        if (code === 'ELOCKED') throw new CodexError('store_busy', `Another process holds ${options.what}: ${file}.lock`, { cause: error })
        throw new CodexError('store_not_written', `${options.what} cannot be locked (${code}): ${file}.lock`, { cause: error })
      }
      await systemClock.sleep(pause * (0.5 + Math.random()), signal)
    }
  }
}
