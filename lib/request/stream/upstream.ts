import { createTimers, type Timers } from '../../kernel/timers.js'
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
  private readonly timers: Timers
  private stopWatch: (() => void) | undefined

  /** @param idleMs longest silence, ms; 0 for no limit */
  constructor(
    reader: ReadableStreamDefaultReader<Uint8Array>,
    idleMs: number,
    timers = createTimers(),
  ) {
    this.reader = reader
    this.timers = timers
    if (idleMs > 0) this.watch(idleMs)
  }

  /** Looks at the count of reads now and then, because a clock for each chunk costs as much as the chunk. */
  private watch(idleMs: number): void {
    let seen = 0
    let ticks = 0
    const look = (): void => {
      ticks = this.isWaiting && seen === this.reads ? ticks + 1 : 0
      seen = this.reads
      if (ticks < TICKS) next()
      else {
        this.isIdle = true
        this.stop()
      }
    }
    const next = (): void => {
      this.stopWatch = this.timers.after(idleMs / TICKS, look)
    }
    next()
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
    this.stopWatch?.()
    this.stopWatch = undefined
  }

  /** Ends the connection. */
  stop(): void {
    this.stopTimer()
    void this.reader.cancel().catch(() => undefined)
  }

  /** Lets the connection end by itself, for a moment. */
  drain(): void {
    const inTime = this.timers.after(DRAIN_MS, () => this.stop())
    void (async () => {
      while (!(await this.reader.read()).done);
    })()
      .catch(() => undefined)
      .finally(inTime)
  }
}
