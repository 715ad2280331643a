import { abortReason } from '../../kernel/clock.js'
import { dropUndefined } from '../../kernel/drop-undefined.js'
import type { CodexError } from '../../kernel/errors.js'
import type { Timers } from '../../kernel/timers.js'
import { errorEventBytes, streamError } from '../failures/host-error.js'
import type { TokenUsage } from '../trace/trace.js'
import { hasOutput } from './events.js'
import { HeldBytes, NO_BYTES } from './held.js'
import { createPieces, type Ending, type Piece, type Pieces } from './pieces.js'
import { MAX_HELD_BYTES } from './scan.js'
import { type BreakReason, type ReadEnd, Upstream } from './upstream.js'

/** Looks on beside the stream; never delays it. */
interface StreamObserver {
  onRateLimits?(event: unknown): void
  /** The first output is about to go out. */
  onFirstOutput?(): void
  /** Once, and only for a stream that was handed out. */
  onEnd(end: StreamEnd): void
}

/** How a stream that was handed out ended. */
export interface StreamEnd {
  readonly kind: 'completed' | 'incomplete' | 'failed' | 'broken' | 'idle' | 'aborted' | 'cancelled'
  /** Bytes handed to the host. */
  readonly bytes: number
  readonly usage?: TokenUsage | undefined
}

/** What the first events said. */
export type Opened =
  | { readonly kind: 'open'; readonly body: ReadableStream<Uint8Array> }
  /** It failed before any output: another account may try. */
  | { readonly kind: 'failed'; readonly event: unknown }
  | { readonly kind: 'broken'; readonly why: BreakReason; readonly error?: unknown }
  /** It was completed without any output. */
  | { readonly kind: 'empty' }
  | { readonly kind: 'not_sse'; readonly isJson: boolean }

export interface StreamOptions {
  /** Longest silence, ms; 0 for no limit. */
  readonly idleMs: number
  readonly signal: AbortSignal
  /** Timers of its own when absent. */
  readonly timers?: Timers
  readonly observer: StreamObserver
  /** What the user is told when the stream breaks off after output. */
  brokenError(why: BreakReason): CodexError
  /** What the user is told when a failure comes after output. */
  failedError(event: unknown): CodexError
}

/**
 * Reads up to the first output, so that a failure before it can be made good by another account, and then hands the stream
 * out: the held bytes and all that follow, untouched but for events that Codex clients alone know and a terminal event in
 * a form the host does not end on. Afterwards a failure becomes a proper end.
 * @throws the reason of the signal
 */
export async function openStream(response: Response, options: StreamOptions): Promise<Opened> {
  const { observer, signal } = options
  const reader = response.body?.getReader()
  if (reader === undefined) return { kind: 'broken', why: 'eof' }
  const upstream = new Upstream(reader, options.idleMs, options.timers)
  const pieces = createPieces({ signal, onRateLimits: (event) => observer.onRateLimits?.(event) })

  // An abort ends the connection whether or not the signal reaches it through `fetch`, also before any output.
  let stop = (): void => upstream.stop()
  const onAbort = (): void => stop()
  if (signal.aborted) upstream.stop()
  else signal.addEventListener('abort', onAbort, { once: true })
  const release = (): void => signal.removeEventListener('abort', onAbort)

  const held = new HeldBytes()
  const start = await untilOutput(upstream, pieces, held)
  if (typeof start === 'object' && 'kind' in start) {
    upstream.stop()
    release()
    return start
  }
  const ending = typeof start === 'object' ? start : undefined
  const closed = ending === undefined ? undefined : closedBy(ending)
  if (closed !== undefined) {
    upstream.stop()
    release()
    if (closed === 'aborted') throw abortReason(signal)
    return closed
  }
  observer.onFirstOutput?.()
  const body = createBody({
    ...options,
    upstream,
    pieces,
    held: held.takePieces(),
    ending,
    onEnd: (end) => {
      release()
      observer.onEnd(end)
    },
  })
  stop = () => body.aborted()
  return { kind: 'open', body: body.stream }
}

type Opening = 'output' | Ending | Extract<Opened, { kind: 'not_sse' }>

/** Holds what comes before the first output. @returns what came first: output, the end, or what is no stream */
async function untilOutput(
  upstream: Upstream,
  pieces: Pieces,
  held: HeldBytes,
): Promise<Opening | undefined> {
  let opening: Opening | undefined
  await upstream.readWhile((chunk, end) => {
    let piece = pieces.take(chunk, end) ?? pieces.next()
    while (piece !== undefined && (opening = openingOf(piece, held)) === undefined)
      piece = pieces.next()
    return opening === undefined
  })
  return opening
}

function openingOf(piece: Piece, held: HeldBytes): Opening | undefined {
  switch (piece.kind) {
    case 'bytes':
      held.add(piece.bytes)
      return held.byteLength > MAX_HELD_BYTES ? { end: 'broken', why: 'too_long' } : undefined
    case 'output':
      return 'output'
    case 'foreign':
      return { kind: 'not_sse', isJson: piece.isJson }
    case 'end':
      return piece.ending
  }
}

/** What an end before any output means; undefined when the answer has its output in its last event. */
function closedBy({ end, event, why = 'eof', error }: Ending): Opened | 'aborted' | undefined {
  switch (end) {
    case 'aborted':
      return 'aborted'
    case 'failed':
      return { kind: 'failed', event }
    case 'broken':
    case 'idle':
      return { kind: 'broken', why, error }
    case 'completed':
      return hasOutput(event) ? undefined : { kind: 'empty' }
    case 'incomplete':
      return undefined
  }
}

/**
 * Hands an answer out as the host asks for it, at most one chunk ahead: the held bytes, all that follow, and a proper end.
 * The host may stop reading when it aborts; whoever counts running requests learns of it by `aborted`.
 * @param parts.held bytes in front of the first output
 * @param parts.ending an end that came before any output
 * @param parts.onEnd called once, when nothing more comes
 */
function createBody(
  parts: Pick<StreamOptions, 'signal' | 'brokenError' | 'failedError'> & {
    readonly upstream: Upstream
    readonly pieces: Pieces
    readonly held: Uint8Array[]
    readonly ending: Ending | undefined
    onEnd(end: StreamEnd): void
  },
) {
  const { upstream, pieces, held } = parts
  let sent = 0
  let hasEnded = false
  let isCancelled = false as boolean

  const end = (kind: StreamEnd['kind'], usage?: TokenUsage): void => {
    if (hasEnded) return
    hasEnded = true
    upstream.stopTimer()
    parts.onEnd(dropUndefined({ kind, bytes: sent, usage }))
  }
  const hand = (controller: Controller, bytes: Uint8Array): void => {
    if (bytes.byteLength === 0) return
    sent += bytes.byteLength
    controller.enqueue(bytes)
  }

  function pull(controller: Controller): Promise<void> | undefined {
    for (const bytes of held.splice(0)) hand(controller, bytes)
    if (parts.ending !== undefined) finish(controller, parts.ending)
    else if (handOut(controller, pieces.next()))
      return upstream.readWhile(
        // Cancelled during the read: there is no reader left to be told anything.
        (chunk, end) => !isCancelled && handOn(controller, chunk, end),
      )
    return undefined
  }

  /** Most chunks are whole events that do not matter: these go out with nothing else done, since there are thousands. */
  function handOn(controller: Controller, chunk: Uint8Array, end: ReadEnd | undefined): boolean {
    if (end !== undefined || !pieces.passes(chunk))
      return handOut(controller, pieces.take(chunk, end) ?? pieces.next())
    sent += chunk.byteLength
    controller.enqueue(chunk)
    return (controller.desiredSize ?? -1) >= 0
  }

  /** Hands out this piece and all others at hand. @returns true when the host has taken them all */
  function handOut(controller: Controller, first: Piece | undefined): boolean {
    for (let piece = first; piece !== undefined; piece = pieces.next()) {
      if (piece.kind === 'bytes') hand(controller, piece.bytes)
      else if (piece.kind === 'end') {
        finish(controller, piece.ending)
        return false
      }
    }
    return (controller.desiredSize ?? -1) >= 0
  }

  /** A last event of ours, then the end. */
  function close(controller: Controller, kind: StreamEnd['kind'], error: CodexError): void {
    upstream.stop()
    hand(controller, errorEventBytes(error))
    end(kind)
    controller.close()
  }

  function finish(controller: Controller, ending: Ending): void {
    const { end: kind, last = NO_BYTES, usage, event, why = 'eof' } = ending
    switch (kind) {
      case 'completed':
      case 'incomplete':
        hand(controller, last)
        end(kind, usage)
        controller.close()
        upstream.drain()
        return
      case 'failed':
        close(controller, kind, parts.failedError(event))
        return
      case 'aborted':
        end(kind)
        controller.error(abortReason(parts.signal))
        return
      case 'broken':
      case 'idle': {
        const error = parts.brokenError(why)
        // Behind half an event the host could not read an error event; what is still held back does not count.
        if (pieces.isBetweenEvents) {
          close(controller, kind, error)
          return
        }
        upstream.stop()
        end(kind)
        controller.error(streamError(error))
      }
    }
  }

  const stream = new ReadableStream<Uint8Array>(
    {
      pull,
      cancel() {
        isCancelled = true
        end('cancelled')
        upstream.stop()
      },
    },
    { highWaterMark: 0 },
  )
  return {
    stream,
    aborted() {
      end('aborted')
      upstream.stop()
    },
  }
}

type Controller = ReadableStreamDefaultController<Uint8Array>
