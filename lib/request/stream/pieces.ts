import { afterTerminal, asCompleted, otherLines, shortened, usageOf } from './events.js'
import { NO_BYTES } from './held.js'
import { type FoundEvent, StreamScan } from './scan.js'
import type { BreakReason, ReadEnd } from './upstream.js'
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
  readonly last?: Uint8Array
}

/** What an answer is made of, in its order. */
export type Piece =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  /** The first output follows. */
  | { readonly kind: 'output' }
  /** It is no event stream. */
  | { readonly kind: 'foreign'; readonly isJson: boolean }
  | { readonly kind: 'end'; readonly ending: Ending }

/** An answer in pieces: what the host may have as it came, and its end. */
export type Pieces = ReturnType<typeof createPieces>

/** Creates the pieces of one answer. */
export function createPieces(options: {
  readonly signal: AbortSignal
  onRateLimits(event: unknown): void
}) {
  const scan = new StreamScan()
  const foreignStart = createStartCheck()

  /** What is at hand; undefined when the backend has to be read. */
  function next(): Piece | undefined {
    for (;;) {
      const step = scan.next()
      switch (step.kind) {
        case 'more':
          return undefined
        case 'bytes':
        case 'output':
          return step
        case 'too_long':
          return ended({ end: 'broken', why: 'too_long' })
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
        return ended({ end: 'failed', event: shortened(data) })
      case 'response.completed':
      case 'response.done':
      case 'response.incomplete': {
        // The host cannot read it either and would wait for another end.
        if (data === undefined) return ended({ end: 'broken', why: 'eof' })
        return ended({
          end: type === 'response.incomplete' ? 'incomplete' : 'completed',
          event: data,
          last: isOut ? afterTerminal(bytes, data) : asCompleted(bytes, data),
          usage: usageOf(data),
        })
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
    /** True when this chunk, once all that is at hand is gone, may go out as it is and need not be taken. */
    passes: (chunk: Uint8Array) => scan.passes(chunk),
    /** Takes what was read, once all that is at hand is gone; a piece only when that says something by itself. */
    take(chunk: Uint8Array, end?: ReadEnd): Piece | undefined {
      if (end !== undefined) {
        const { why } = end
        if (options.signal.aborted) return ended({ end: 'aborted' })
        return ended({ ...end, end: why === 'idle' ? 'idle' : 'broken' })
      }
      const foreign = foreignStart(chunk)
      if (foreign !== undefined) return { kind: 'foreign', isJson: foreign !== '<' }
      scan.push(chunk)
      return undefined
    },
    /** True when what went out so far ends with a whole event. */
    get isBetweenEvents() {
      return scan.isBetweenEvents
    },
  }
}

function ended(ending: Ending): Piece {
  return { kind: 'end', ending }
}

/** More blanks than this in front of an answer are not looked behind, in characters. */
const START_CHARS = 200

/**
 * Looks at the first bytes of an answer: HTML and plain JSON are no event stream, and no line of one begins like them.
 * @returns what tells the character that such an answer begins with
 */
function createStartCheck(): (chunk: Uint8Array) => '<' | '{' | '[' | undefined {
  const decoder = new TextDecoder()
  let isOver = false
  return (chunk) => {
    if (isOver) return undefined
    const start = decoder.decode(chunk.subarray(0, START_CHARS), { stream: true }).trimStart()
    isOver = start !== ''
    const first = start.charAt(0)
    return first === '<' || first === '{' || first === '[' ? first : undefined
  }
}
