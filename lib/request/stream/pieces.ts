import { afterTerminal, asCompleted, otherLines, shortened, usageOf } from './events.js'
import { NO_BYTES } from './held.js'
import { type FoundEvent, StreamScan } from './scan.js'
import type { BreakReason, Read } from './upstream.js'
import type { TokenUsage } from '../trace/trace.js'

/** The end of the answer, before the host learns of it. */
export interface Ending {
  readonly end: 'completed' | 'incomplete' | 'failed' | 'broken' | 'idle' | 'aborted'
  readonly why?: BreakReason
  readonly error?: unknown
  /** Data of the event that ended it. */
  readonly event?: unknown
  readonly usage?: TokenUsage | undefined
  /** The last bytes for the host. */
  readonly last: Uint8Array
}

/** What an answer is made of, in its order. */
type Piece =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  /** The first output follows. */
  | { readonly kind: 'output' }
  /** It is no event stream. */
  | { readonly kind: 'foreign'; readonly isJson: boolean }
  | { readonly kind: 'end'; readonly ending: Ending }

/** An answer in pieces: what the host may have as it came, and its end. */
export interface Pieces {
  /** What is at hand; undefined when the backend has to be read. */
  next(): Piece | undefined
  /** Takes what was read; a piece only when that says something by itself. */
  take(read: Read): Piece | undefined
  /** True when what went out so far ends with a whole event. */
  readonly isBetweenEvents: boolean
}

/** Creates the pieces of one answer. */
export function createPieces(options: {
  readonly signal: AbortSignal
  onRateLimits(event: unknown): void
}): Pieces {
  const scan = new StreamScan()
  const start = createStartCheck()

  function next(): Piece | undefined {
    for (;;) {
      const step = scan.next()
      switch (step.kind) {
        case 'more':
          return undefined
        case 'pass':
          return { kind: 'bytes', bytes: step.bytes }
        case 'output':
          return { kind: 'output' }
        case 'too_long':
          return { kind: 'end', ending: { end: 'broken', why: 'too_long', last: NO_BYTES } }
        case 'event': {
          const piece = ofEvent(step.event)
          if (piece !== undefined) return piece
        }
      }
    }
  }

  function ofEvent({ type, data, bytes, isOut }: FoundEvent): Piece | undefined {
    switch (type) {
      case 'response.failed':
      case 'error':
        return { kind: 'end', ending: { end: 'failed', event: shortened(data), last: NO_BYTES } }
      case 'response.completed':
      case 'response.done':
      case 'response.incomplete': {
        // The host cannot read it either and would wait for another end.
        if (data === undefined)
          return { kind: 'end', ending: { end: 'broken', why: 'eof', last: NO_BYTES } }
        const usage = usageOf(data)
        const last = isOut ? afterTerminal(bytes, data) : asCompleted(bytes, data)
        return {
          kind: 'end',
          ending: {
            end: type === 'response.incomplete' ? 'incomplete' : 'completed',
            event: data,
            last,
            usage,
          },
        }
      }
      default: {
        if (type === 'codex.rate_limits') options.onRateLimits(data)
        const left = isOut ? NO_BYTES : otherLines(bytes)
        return left.length === 0 ? undefined : { kind: 'bytes', bytes: left }
      }
    }
  }

  return {
    next,
    take({ chunk, why, error }) {
      if (why !== undefined) {
        const ending: Ending = options.signal.aborted
          ? { end: 'aborted', last: NO_BYTES }
          : { end: why === 'idle' ? 'idle' : 'broken', why, error, last: NO_BYTES }
        return { kind: 'end', ending }
      }
      const foreign = start.look(chunk)
      if (foreign !== undefined) return { kind: 'foreign', isJson: foreign !== '<' }
      scan.push(chunk)
      return undefined
    },
    get isBetweenEvents() {
      return scan.isBetweenEvents
    },
  }
}

/** More blanks than this in front of an answer are not looked behind, in characters. */
const START_CHARS = 200

/**
 * Looks at the first bytes of an answer: HTML and plain JSON are no event stream, and no line of one begins like them.
 * `look` tells the character it begins with.
 */
function createStartCheck(): { look(chunk: Uint8Array): '<' | '{' | '[' | undefined } {
  const decoder = new TextDecoder()
  let isOver = false
  return {
    look(chunk) {
      if (isOver) return undefined
      const start = decoder.decode(chunk.subarray(0, START_CHARS), { stream: true }).trimStart()
      isOver = start !== ''
      const first = start.charAt(0)
      return first === '<' || first === '{' || first === '[' ? first : undefined
    },
  }
}
