import { NO_BYTES } from './held.js'

/** Why a stream ended without a terminal event. */
export type BreakReason = 'eof' | 'idle' | 'network' | 'too_long'

/** After the terminal event the line gets this long to end by itself, so that its connection can be used again, ms. */
const DRAIN_MS = 500

/** No more can be read. */
export interface ReadEnd {
  readonly why: BreakReason
  readonly error?: unknown
}

/** A silence is noticed late by this part of the limit at most. */
const TICKS = 8

/** The answer of the backend, with a limit for silence. */
export class Upstream {
  private readonly reader: ReadableStreamDefaultReader<Uint8Array>
  private isWaiting = false
  private reads = 0
  private isIdle = false
  private timer: NodeJS.Timeout | undefined

  /** @param idleMs longest silence, ms; 0 for no limit */
  constructor(reader: ReadableStreamDefaultReader<Uint8Array>, idleMs: number) {
    this.reader = reader
    if (idleMs > 0) this.watch(idleMs)
  }

  /** One timer for the whole stream: it looks at the count of reads, because a clock for each chunk costs as much as the chunk. */
  private watch(idleMs: number): void {
    let seen = 0
    let ticks = 0
    this.timer = setInterval(() => {
      ticks = this.isWaiting && seen === this.reads ? ticks + 1 : 0
      seen = this.reads
      if (ticks < TICKS) return
      this.isIdle = true
      this.stop()
    }, idleMs / TICKS)
    this.timer.unref()
  }

  /**
   * Reads on as long as `take` wants more; without an end it gets a chunk. A loop, because a promise of our own for each
   * chunk costs as much as reading it.
   */
  async readWhile(take: (chunk: Uint8Array, end?: ReadEnd) => boolean): Promise<void> {
    let end: ReadEnd | undefined
    let wantsMore = true
    while (wantsMore) {
      let chunk: Uint8Array = NO_BYTES
      this.reads += 1
      this.isWaiting = true
      try {
        const { done, value } = await this.reader.read()
        if (done) end = { why: this.isIdle ? 'idle' : 'eof' }
        else chunk = value
      } catch (error) {
        end = { why: this.isIdle ? 'idle' : 'network', error }
      }
      this.isWaiting = false
      wantsMore = take(chunk, end)
    }
  }

  stopTimer(): void {
    clearInterval(this.timer)
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
