import { withFileLock } from '../../lib/kernel/lock/lock.js'

/**
 * Holds the lock of a file as another window that hangs would.
 * @returns lets go of it, and ends when that is done
 */
export async function holdLock(file: string): Promise<() => Promise<void>> {
  let release = (): void => undefined
  const over = new Promise<void>((resolve) => (release = resolve))
  let held: Promise<void> | undefined
  await new Promise<void>((resolve) => {
    held = withFileLock(file, { staleMs: 60_000, waitMs: 0, what: 'it' }, () => {
      resolve()
      return over
    })
  })
  return async () => {
    release()
    await held
  }
}
