/** A value made on first use, once. */
export interface Lazy<T> {
  (): Promise<T>
  /** The value, when it is already there. */
  ready(): T | undefined
  /** The running or finished start, if there was one. */
  started(): Promise<T> | undefined
  /** Starts it in the background soon, unless it is asked for earlier. */
  prefetch(delayMs: number): void
}

/** A failure is not kept: it must not last until the next start of the host, so the next call tries again. */
export function lazily<T>(make: () => Promise<T>): Lazy<T> {
  let promise: Promise<T> | undefined
  let value: T | undefined
  const get = (): Promise<T> => {
    promise ??= make().then(
      (made) => (value = made),
      (error: unknown) => {
        promise = undefined
        throw error
      },
    )
    return promise
  }
  return Object.assign(get, {
    ready: () => value,
    started: () => promise,
    prefetch: (delayMs: number) => {
      setTimeout(() => void get().catch(() => undefined), delayMs).unref()
    },
  })
}
