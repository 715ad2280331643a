import { abortReason } from '../kernel/clock.js'
import type { CodexError } from '../kernel/errors.js'
import { errorEventBytes, streamError } from './host-error.js'
import type { Ending, Pieces } from './stream-pieces.js'
import type { BreakReason, Upstream } from './stream-upstream.js'
import type { TokenUsage } from './trace.js'

/** How a stream that was handed out ended. */
export interface StreamEnd {
  readonly kind: 'completed' | 'incomplete' | 'failed' | 'broken' | 'idle' | 'aborted' | 'cancelled'
  /** Bytes handed to the host. */
  readonly bytes: number
  readonly usage?: TokenUsage
  /** The event that ended it with a failure. */
  readonly event?: unknown
}

/** What a stream to be handed out is made of. */
export interface BodyParts {
  readonly upstream: Upstream
  readonly pieces: Pieces
  /** Bytes in front of the first output. */
  readonly held: readonly Uint8Array[]
  /** An end that came before any output. */
  readonly ending: Ending | undefined
  readonly signal: AbortSignal | undefined
  /** Called once, when nothing more comes. */
  onEnd(end: StreamEnd): void
  brokenError(why: BreakReason): CodexError
  failedError(event: unknown): CodexError
}

/** A stream for the host. */
export interface Body {
  readonly stream: ReadableStream<Uint8Array>
  /** The host may stop reading when it aborts; whoever counts running requests must learn of it all the same. */
  aborted(): void
}

/** Hands an answer out as the host asks for it: the held bytes, all that follow, and a proper end. */
export function createBody(parts: BodyParts): Body {
  const { upstream, pieces, signal } = parts
  const held = [...parts.held].reverse()
  let { ending } = parts
  let sent = 0
  let hasEnded = false
  let isCancelled = false as boolean

  const end = (
    kind: StreamEnd['kind'],
    more: { usage?: TokenUsage; event?: unknown } = {},
  ): void => {
    if (hasEnded) return
    hasEnded = true
    upstream.stopTimer()
    parts.onEnd({ kind, bytes: sent, ...more })
  }

  type Controller = ReadableStreamDefaultController<Uint8Array>
  const hand = (controller: Controller, bytes: Uint8Array): void => {
    if (bytes.byteLength === 0) return
    sent += bytes.byteLength
    controller.enqueue(bytes)
  }

  async function pull(controller: Controller): Promise<void> {
    const ready = held.pop()
    if (ready !== undefined) {
      hand(controller, ready)
      return
    }
    while (ending === undefined) {
      const piece = pieces.next() ?? pieces.take(await upstream.read())
      // Cancelled during the read: nobody is there to be told anything.
      if (isCancelled) return
      if (piece?.kind === 'bytes') {
        hand(controller, piece.bytes)
        return
      }
      if (piece?.kind === 'end') ({ ending } = piece)
    }
    finish(controller, ending)
  }

  function finish(controller: Controller, { end: kind, last, usage, event, why }: Ending): void {
    switch (kind) {
      case 'completed':
      case 'incomplete':
        hand(controller, last)
        end(kind, usage === undefined ? {} : { usage })
        controller.close()
        upstream.drain()
        return
      case 'failed':
        hand(controller, errorEventBytes(parts.failedError(event)))
        end('failed', { event })
        controller.close()
        upstream.stop()
        return
      case 'aborted':
        end('aborted')
        controller.error(signal === undefined ? new Error('aborted') : abortReason(signal))
        return
      case 'broken':
      case 'idle': {
        const error = parts.brokenError(why ?? 'eof')
        upstream.stop()
        // Behind half an event the host could not read an error event; what is still held back does not count.
        if (pieces.isBetweenEvents) {
          hand(controller, errorEventBytes(error))
          end(kind)
          controller.close()
        } else {
          end(kind)
          controller.error(streamError(error))
        }
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
