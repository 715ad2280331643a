/** A value made on first use, once. */
export interface Lazy<T> {
  (): Promise<T>
  /** The value, when it is already there. */
  ready(): T | undefined
  /** The running or finished start, if anybody has asked yet. */
  started(): Promise<T> | undefined
  /** Starts it in the background soon, unless somebody asks earlier. */
  prefetch(delayMs: number): void
}

/** Makes a value once, when it is first asked for; a failure is tried again by the next who asks. */
export function lazily<T>(make: () => Promise<T>): Lazy<T> {
  let promise: Promise<T> | undefined
  let value: T | undefined
  const get = (): Promise<T> => {
    promise ??= make().then(
      (made) => (value = made),
      (error: unknown) => {
        // Tried again on the next request: a failure must not last until the next start.
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
