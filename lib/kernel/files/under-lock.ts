import path from 'node:path'

import type { HeldLock } from '../lock/lock.js'
import { realPathOrSame } from './real-path.js'

/**
 * Runs `work` under the lock of a file, which stands at its real path. What locks is loaded with the first write: nobody
 * who reads needs it.
 * @throws as `withFileLock`
 */
export async function underLock<T>(
  file: string,
  times: { readonly staleMs: number; readonly waitMs: number },
  work: (lock: HeldLock) => Promise<T>,
): Promise<T> {
  const { withFileLock } = await import('./writing.js')
  return withFileLock(realPathOrSame(file), { ...times, what: path.basename(file) }, work)
}
