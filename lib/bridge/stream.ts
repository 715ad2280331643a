import { abortReason } from '../kernel/clock.js'
import type { CodexError } from '../kernel/errors.js'
import { errorEventBytes, streamError } from './host-error.js'
import { asCompleted, dataOfEvent, hasOutput, usageOf } from './stream-events.js'
import { createStreamScan } from './stream-scan.js'
import type { TokenUsage } from './trace.js'
import type { Exchange } from './transport.js'

/** Why a stream ended without a terminal event. */
export type BreakReason = 'eof' | 'idle' | 'network'

/** How a stream that was handed out ended. */
export interface StreamEnd {
  readonly kind: 'completed' | 'incomplete' | 'failed' | 'broken' | 'idle' | 'aborted' | 'cancelled'
  /** Bytes handed to the host. */
  readonly bytes: number
  readonly usage?: TokenUsage
  /** The event that ended it with a failure. */
  readonly event?: unknown
}

/** Looks on beside the stream; never delays it. */
export interface StreamObserver {
  onRateLimits?(event: unknown): void
  /** The first output is about to go out. */
  onFirstOutput?(): void
  /** Once, and only for a stream that was handed out. */
  onEnd(end: StreamEnd): void
}

/** What the first events said. */
export type Opened =
  | { readonly kind: 'open'; readonly body: ReadableStream<Uint8Array> }
  /** It failed before any output: somebody else may try. */
  | { readonly kind: 'failed'; readonly event: unknown }
  | { readonly kind: 'broken'; readonly why: BreakReason; readonly error?: unknown }
  /** It was completed without any output. */
  | { readonly kind: 'empty' }
  | { readonly kind: 'not_sse'; readonly start: string }

export interface StreamOptions {
  /** Longest silence, ms; 0 for no limit. */
  readonly idleMs: number
  readonly signal?: AbortSignal
  readonly observer: StreamObserver
  /** What the user is told when the stream breaks off after output. */
  brokenError(why: BreakReason): CodexError
  /** What the user is told when a failure comes after output. */
  failedError(event: unknown): CodexError
}

/** After the terminal event the line gets this long to end by itself, so that its connection can be used again, ms. */
const DRAIN_MS = 500
/** Shown of an answer that is no event stream, in characters. */
const START_CHARS = 200

/** The end of the answer, before the host learns of it. */
interface Ending {
  readonly end: StreamEnd['kind']
  readonly why?: BreakReason
  readonly error?: unknown
  readonly event?: unknown
  readonly usage?: TokenUsage
}

const NO_BYTES = new Uint8Array()

/** Bytes for the host, the end, or the start of an answer that is no event stream. */
type Piece = { readonly bytes: Uint8Array } | Ending | { readonly foreign: string }

/**
 * Reads up to the first output, so that a failure before it can be mended by another account, and then hands the stream
 * out: the held bytes and all that follow, untouched but for a terminal event in a form the host does not end on. Afterwards a failure becomes a proper end.
 * @throws the reason of the signal
 */
export async function openStream(exchange: Exchange, options: StreamOptions): Promise<Opened> {
  const { observer, signal } = options
  const reader = exchange.response.body?.getReader()
  if (reader === undefined) {
    exchange.release()
    return { kind: 'broken', why: 'eof' }
  }
  const upstream = createUpstream(reader, options.idleMs)
  const scan = createStreamScan()
  /** Bytes that arrived and were not yet handed on. */
  let rest: Uint8Array = NO_BYTES
  let cursor = 0
  let sent = 0
  let isStart = true

  // Whether or not the caller wired its signal to the request, an abort ends the connection, also before any output.
  let onAbort = (): void => upstream.stop()
  const abort = (): void => onAbort()
  if (signal?.aborted === true) upstream.stop()
  else signal?.addEventListener('abort', abort, { once: true })

  const finish = (): void => {
    signal?.removeEventListener('abort', abort)
    upstream.stop()
    exchange.release()
  }

  /** The next piece to hand out; bytes are views on what arrived. */
  async function nextPiece(onOutput?: () => void): Promise<Piece> {
    for (;;) {
      const mark = scan.next(rest, cursor)
      switch (mark.kind) {
        case 'output': {
          onOutput?.()
          scan.awaitOutput = false
          // The scan stands behind the head of this event and goes on from there.
          cursor = mark.at
          const bytes = takeThrough(mark.at)
          if (bytes.byteLength > 0) return { bytes }
          continue
        }
        case 'event': {
          const whole = rest.subarray(mark.start, mark.end)
          if (mark.type === 'codex.rate_limits') {
            observer.onRateLimits?.(dataOfEvent(whole))
            cursor = mark.end
            continue
          }
          const before = takeThrough(mark.start)
          cursor = 0
          if (before.byteLength > 0) return { bytes: before }
          // Nothing counts behind the event that ends the answer.
          if (rest.byteLength > whole.byteLength) rest = whole
          const event = dataOfEvent(whole)
          if (mark.type === 'response.failed' || mark.type === 'error') return { end: 'failed', event }
          if (event === undefined) {
            // The host cannot read it either and would wait for another end.
            rest = NO_BYTES
            return { end: 'broken', why: 'eof' }
          }
          const usage = usageOf(event)
          rest = asCompleted(rest, event)
          return { end: mark.type === 'response.incomplete' ? 'incomplete' : 'completed', event, ...(usage === undefined ? {} : { usage }) }
        }
        case 'more': {
          const bytes = takeThrough(mark.safe)
          cursor = 0
          if (bytes.byteLength > 0) {
            isStart = false
            return { bytes }
          }
          const { chunk, why, error } = await upstream.read()
          if (why !== undefined) {
            return signal?.aborted === true ? { end: 'aborted' } : { end: why === 'idle' ? 'idle' : 'broken', why, error }
          }
          rest = rest.byteLength === 0 ? chunk : joined(rest, chunk)
          const foreign = isStart ? foreignStart(rest) : undefined
          if (foreign !== undefined) return { foreign }
        }
      }
    }
  }

  /** The very chunk, not a view on it, when that is all of it. */
  function takeThrough(end: number): Uint8Array {
    if (end === 0) return NO_BYTES
    const bytes = end >= rest.byteLength ? rest : rest.subarray(0, end)
    rest = end >= rest.byteLength ? NO_BYTES : rest.subarray(end)
    cursor = Math.max(0, cursor - end)
    return bytes
  }

  const held: Uint8Array[] = []
  const seen = { output: false }
  let last: Ending | undefined
  while (!seen.output && last === undefined) {
    const piece = await nextPiece(() => {
      seen.output = true
    })
    if ('bytes' in piece) held.push(piece.bytes)
    else if ('end' in piece) last = piece
    else {
      finish()
      return { kind: 'not_sse', start: piece.foreign }
    }
  }

  if (last !== undefined) {
    switch (last.end) {
      case 'aborted':
        finish()
        throw signal === undefined ? new Error('aborted') : abortReason(signal)
      case 'failed':
        finish()
        return { kind: 'failed', event: last.event }
      case 'broken':
      case 'idle':
        finish()
        return { kind: 'broken', why: last.why ?? 'eof', ...(last.error === undefined ? {} : { error: last.error }) }
      case 'completed':
        if (hasOutput(last.event)) break
        finish()
        return { kind: 'empty' }
      default:
        break
    }
  }

  observer.onFirstOutput?.()
  let ended = false
  let isCancelled = false as boolean
  const end = (kind: StreamEnd['kind'], more: { usage?: TokenUsage; event?: unknown } = {}): void => {
    if (ended) return
    ended = true
    signal?.removeEventListener('abort', abort)
    upstream.stopTimer()
    exchange.release()
    observer.onEnd({ kind, bytes: sent, ...more })
  }

  // The host may stop reading when it aborts; whoever counts running requests must learn of it all the same.
  onAbort = () => {
    end('aborted')
    upstream.stop()
  }

  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const hand = (bytes: Uint8Array): void => {
          sent += bytes.byteLength
          controller.enqueue(bytes)
        }
        const ready = held.shift()
        if (ready !== undefined) {
          hand(ready)
          return
        }
        const piece = last ?? (await nextPiece())
        // Cancelled during the read: nobody is there to be told anything.
        if (isCancelled) return
        if ('bytes' in piece) {
          hand(piece.bytes)
          return
        }
        if (!('end' in piece)) return
        switch (piece.end) {
          case 'completed':
          case 'incomplete':
            hand(rest)
            end(piece.end, piece.usage === undefined ? {} : { usage: piece.usage })
            controller.close()
            upstream.drain()
            return
          case 'failed':
            hand(errorEventBytes(options.failedError(piece.event)))
            end('failed', { event: piece.event })
            controller.close()
            upstream.stop()
            return
          case 'aborted':
            end('aborted')
            controller.error(signal === undefined ? new Error('aborted') : abortReason(signal))
            return
          default: {
            const error = options.brokenError(piece.why ?? 'eof')
            upstream.stop()
            // Behind half an event the host could not read an error event; what is still held back does not count.
            if (scan.isBetweenEvents) {
              hand(errorEventBytes(error))
              end(piece.end)
              controller.close()
            } else {
              end(piece.end)
              controller.error(streamError(error))
            }
          }
        }
      },
      cancel() {
        isCancelled = true
        end('cancelled')
        upstream.stop()
      },
    },
    { highWaterMark: 0 },
  )
  return { kind: 'open', body }
}

/** One read: a chunk, or why there is none. */
interface Read {
  readonly chunk: Uint8Array
  readonly why?: BreakReason
  readonly error?: unknown
}

/** The answer of the backend, with a limit for silence. */
interface Upstream {
  read(): Promise<Read>
  /** Ends the connection. */
  stop(): void
  stopTimer(): void
  /** Lets the connection end by itself, for a moment. */
  drain(): void
}

function createUpstream(reader: ReadableStreamDefaultReader<Uint8Array>, idleMs: number): Upstream {
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

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(first.byteLength + second.byteLength)
  bytes.set(first)
  bytes.set(second, first.byteLength)
  return bytes
}

/** The start of an answer that is HTML or plain JSON; undefined for what may be an event stream. */
function foreignStart(bytes: Uint8Array): string | undefined {
  const start = new TextDecoder().decode(bytes.subarray(0, START_CHARS)).trimStart()
  return start.startsWith('<') || start.startsWith('{') || start.startsWith('[') ? start : undefined
}
