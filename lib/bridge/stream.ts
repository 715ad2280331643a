import { abortReason } from '../kernel/clock.js'
import type { CodexError } from '../kernel/errors.js'
import { createBody, type StreamEnd } from './stream-body.js'
import { hasOutput } from './stream-events.js'
import { createHeldBytes } from './stream-held.js'
import { createPieces, type Ending } from './stream-pieces.js'
import { MAX_HELD_BYTES } from './stream-scan.js'
import { type BreakReason, createUpstream } from './stream-upstream.js'
import type { Exchange } from './transport.js'

export type { StreamEnd } from './stream-body.js'
export { TOO_LONG } from './stream-scan.js'
export type { BreakReason } from './stream-upstream.js'

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

/**
 * Reads up to the first output, so that a failure before it can be mended by another account, and then hands the stream
 * out: the held bytes and all that follow, untouched but for events that Codex clients alone know and a terminal event in
 * a form the host does not end on. Afterwards a failure becomes a proper end.
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
  const pieces = createPieces({ signal, onRateLimits: (event) => observer.onRateLimits?.(event) })

  // Whether or not the caller wired its signal to the request, an abort ends the connection, also before any output.
  let stop = (): void => upstream.stop()
  const abort = (): void => stop()
  if (signal?.aborted === true) upstream.stop()
  else signal?.addEventListener('abort', abort, { once: true })
  const release = (): void => {
    signal?.removeEventListener('abort', abort)
    exchange.release()
  }

  const held = createHeldBytes()
  let ending: Ending | undefined
  for (let isOpen = false; !isOpen && ending === undefined;) {
    const piece = pieces.next() ?? pieces.take(await upstream.read())
    switch (piece?.kind) {
      case undefined:
        break
      case 'bytes':
        held.add(piece.bytes)
        if (held.byteLength > MAX_HELD_BYTES)
          ending = { end: 'broken', why: 'too_long', last: piece.bytes }
        break
      case 'output':
        isOpen = true
        break
      case 'foreign':
        upstream.stop()
        release()
        return { kind: 'not_sse', start: piece.start }
      case 'end':
        ending = piece.ending
    }
  }

  const closed = ending === undefined ? undefined : closedBy(ending)
  if (closed !== undefined) {
    upstream.stop()
    release()
    if (closed === 'aborted')
      throw signal === undefined ? new Error('aborted') : abortReason(signal)
    return closed
  }
  observer.onFirstOutput?.()
  const body = createBody({
    upstream,
    pieces,
    held: held.takePieces(),
    ending,
    signal,
    onEnd: (end) => {
      release()
      observer.onEnd(end)
    },
    brokenError: (why) => options.brokenError(why),
    failedError: (event) => options.failedError(event),
  })
  stop = () => body.aborted()
  return { kind: 'open', body: body.stream }
}

/** What an end before any output means; undefined when the answer has its output in its last event. */
function closedBy({ end, event, why, error }: Ending): Opened | 'aborted' | undefined {
  switch (end) {
    case 'aborted':
      return 'aborted'
    case 'failed':
      return { kind: 'failed', event }
    case 'broken':
    case 'idle':
      return { kind: 'broken', why: why ?? 'eof', ...(error === undefined ? {} : { error }) }
    case 'completed':
      return hasOutput(event) ? undefined : { kind: 'empty' }
    case 'incomplete':
      return undefined
  }
}
