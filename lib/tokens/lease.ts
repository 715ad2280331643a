import path from 'node:path'

import { CodexError } from '../kernel/errors.js'
import { systemCode } from '../kernel/system-code.js'
import { tryLock } from '../kernel/lock/lock.js'

/** A lease whose holder shows no life for this long is taken over, ms. That of a process known to be dead: at once. */
export const LEASE_STALE_MS = 10_000

/** The right to spend one refresh token, held by one process at a time. */
export interface Lease {
  /** @throws CodexError `refresh_failed` when the lease was lost: the process slept and another one may hold it now */
  assertHeld(): void
  /** Gives it back. Never throws. */
  release(): Promise<void>
}

/**
 * Tries once to get the lease of a refresh token.
 * @param dir folder of leases and journal
 * @returns undefined when another process holds it
 * @throws CodexError `store_not_written` when leases cannot be made there at all: nothing must be spent then
 */
export async function tryLease(dir: string, fingerprint: string): Promise<Lease | undefined> {
  const lock = await tryLock(path.join(dir, fingerprint), LEASE_STALE_MS).catch(
    (error: unknown) => {
      throw new CodexError(
        'store_not_written',
        `The token was not refreshed because ${dir} is not writable (${systemCode(error) ?? 'unknown reason'}).`,
        { cause: error },
      )
    },
  )
  if (lock === undefined) return undefined
  return {
    assertHeld() {
      if (lock.isHeld()) return
      throw new CodexError(
        'refresh_failed',
        'The refresh lock was lost while the process was suspended.',
        { hint: 'Send the prompt once more' },
      )
    },
    release: () => lock.release(),
  }
}

/**
 * Works under the lease of a refresh token.
 * @returns undefined when another process holds it
 * @throws as `tryLease`, and what `work` throws
 */
export async function underLease<T>(
  dir: string,
  fingerprint: string,
  work: (lease: Lease) => Promise<T>,
): Promise<T | undefined> {
  const lease = await tryLease(dir, fingerprint)
  if (lease === undefined) return undefined
  try {
    return await work(lease)
  } finally {
    await lease.release()
  }
}
