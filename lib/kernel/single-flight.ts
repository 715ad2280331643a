/**
 * Shares one running call among all who ask for the same key meanwhile.
 * A rejection is shared too and forgotten with the call: nothing is cached after it settles.
 */
export interface SingleFlight<T> {
  run(key: string, call: () => Promise<T>): Promise<T>
}

/** Creates an empty single flight; the map of running calls is private to it. */
export function createSingleFlight<T>(): SingleFlight<T> {
  const running = new Map<string, Promise<T>>()
  return {
    run(key, call) {
      const current = running.get(key)
      if (current) return current
      const started = call().finally(() => running.delete(key))
      running.set(key, started)
      return started
    },
  }
}
