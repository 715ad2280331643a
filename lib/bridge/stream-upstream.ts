import { NO_BYTES } from './stream-held.js'

/** Why a stream ended without a terminal event. */
export type BreakReason = 'eof' | 'idle' | 'network' | 'too_long'

/** After the terminal event the line gets this long to end by itself, so that its connection can be used again, ms. */
const DRAIN_MS = 500

/** One read: a chunk, or why there is none. */
export interface Read {
  readonly chunk: Uint8Array
  readonly why?: BreakReason
  readonly error?: unknown
}

/** The answer of the backend, with a limit for silence. */
export interface Upstream {
  read(): Promise<Read>
  /** Ends the connection. */
  stop(): void
  stopTimer(): void
  /** Lets the connection end by itself, for a moment. */
  drain(): void
}

/**
 * Creates the reading end of an answer.
 * @param idleMs longest silence, ms; 0 for no limit
 */
export function createUpstream(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  idleMs: number,
): Upstream {
  let waitingSince: number | undefined
  let isIdle = false
  let timer: NodeJS.Timeout | undefined

  // One timer for the whole stream: it looks at the time of the last read instead of being set anew with each chunk.
  const arm = (ms: number): void => {
    timer = setTimeout(() => {
      const silentMs = waitingSince === undefined ? 0 : performance.now() - waitingSince
      if (silentMs < idleMs) {
        arm(Math.max(1, idleMs - silentMs))
        return
      }
      isIdle = true
      stop()
    }, ms)
    timer.unref()
  }
  const stopTimer = (): void => {
    clearTimeout(timer)
    timer = undefined
  }
  const stop = (): void => {
    stopTimer()
    void reader.cancel().catch(() => undefined)
  }
  if (idleMs > 0) arm(idleMs)

  return {
    stop,
    stopTimer,
    async read() {
      waitingSince = performance.now()
      try {
        const { done, value } = await reader.read()
        if (!done) return { chunk: value }
        return { chunk: NO_BYTES, why: isIdle ? 'idle' : 'eof' }
      } catch (error) {
        return { chunk: NO_BYTES, why: isIdle ? 'idle' : 'network', error }
      } finally {
        waitingSince = undefined
      }
    },
    drain() {
      const limit = setTimeout(stop, DRAIN_MS)
      limit.unref()
      void (async () => {
        while (!(await reader.read()).done);
      })()
        .catch(() => undefined)
        .finally(() => clearTimeout(limit))
    },
  }
}
