import { NO_BYTES } from './held.js'

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
export class Upstream {
  private readonly reader: ReadableStreamDefaultReader<Uint8Array>
  private readonly idleMs: number
  private waitingSince: number | undefined
  private isIdle = false
  private timer: NodeJS.Timeout | undefined

  /** @param idleMs longest silence, ms; 0 for no limit */
  constructor(reader: ReadableStreamDefaultReader<Uint8Array>, idleMs: number) {
    this.reader = reader
    this.idleMs = idleMs
    if (idleMs > 0) this.arm(idleMs)
  }

  /** One timer for the whole stream: it looks at the time of the last read instead of being set again with each chunk. */
  private arm(ms: number): void {
    this.timer = setTimeout(() => {
      const silentMs = this.waitingSince === undefined ? 0 : performance.now() - this.waitingSince
      if (silentMs < this.idleMs) {
        this.arm(Math.max(1, this.idleMs - silentMs))
        return
      }
      this.isIdle = true
      this.stop()
    }, ms)
    this.timer.unref()
  }

  async read(): Promise<Read> {
    this.waitingSince = performance.now()
    try {
      const { done, value } = await this.reader.read()
      if (!done) return { chunk: value }
      return { chunk: NO_BYTES, why: this.isIdle ? 'idle' : 'eof' }
    } catch (error) {
      return { chunk: NO_BYTES, why: this.isIdle ? 'idle' : 'network', error }
    } finally {
      this.waitingSince = undefined
    }
  }

  stopTimer(): void {
    clearTimeout(this.timer)
    this.timer = undefined
  }

  /** Ends the connection. */
  stop(): void {
    this.stopTimer()
    void this.reader.cancel().catch(() => undefined)
  }

  /** Lets the connection end by itself, for a moment. */
  drain(): void {
    const limit = setTimeout(() => this.stop(), DRAIN_MS)
    limit.unref()
    void (async () => {
      while (!(await this.reader.read()).done);
    })()
      .catch(() => undefined)
      .finally(() => clearTimeout(limit))
  }
}
