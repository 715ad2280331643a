/** Limits of time that are nearly always taken back before they are due. */
export interface Timers {
  /** Calls `act` so many ms from now. @returns takes it back; may be called more than once */
  after(ms: number, act: () => void): () => void
  /** Nothing is begun any more: no timer is left behind once what still waits has ended. */
  close(): void
}

interface Limit {
  readonly dueAt: number
  readonly act: () => void
}

/** Node and Bun fire at once for delays over 2^31-1 ms. */
const MAX_DELAY_MS = 2_147_483_647

/**
 * All of them over one timer of the runtime, which is set for the earliest and stays when that is taken back: to set one
 * and to clear it costs a request as much as most of what it does. It never keeps the process alive.
 */
export function createTimers(): Timers {
  const waiting = new Set<Limit>()
  let timer: NodeJS.Timeout | undefined
  let firesAt = Infinity
  let isClosed = false

  function set(dueAt: number): void {
    clearTimeout(timer)
    firesAt = dueAt
    const delayMs = Math.max(0, dueAt - performance.now())
    timer = setTimeout(fire, Math.min(delayMs, MAX_DELAY_MS)).unref()
  }

  function fire(): void {
    firesAt = Infinity
    const now = performance.now()
    const due = [...waiting].filter(({ dueAt }) => dueAt <= now)
    const next = Math.min(...Array.from(waiting, ({ dueAt }) => (dueAt <= now ? Infinity : dueAt)))
    if (next < Infinity) set(next)
    // One that is taken back by another is not due any more.
    for (const limit of due) if (waiting.delete(limit)) limit.act()
  }

  return {
    after(ms, act) {
      const limit = { dueAt: performance.now() + ms, act }
      waiting.add(limit)
      if (limit.dueAt < firesAt) set(limit.dueAt)
      return () => {
        waiting.delete(limit)
        if (isClosed && waiting.size === 0) clearTimeout(timer)
      }
    },
    close() {
      isClosed = true
      if (waiting.size === 0) clearTimeout(timer)
    },
  }
}
