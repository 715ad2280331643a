/** What the scan came upon next. */
export type Mark =
  /** The first bytes of an event with output, at this offset. Reported while `awaitOutput` is set. */
  | { readonly kind: 'output'; readonly at: number }
  /** A whole event somebody has to read, from its first line to behind its blank line. */
  | { readonly kind: 'event'; readonly type: string; readonly start: number; readonly end: number }
  /** The bytes are used up: those before `safe` may go out, the rest has to wait for more. */
  | { readonly kind: 'more'; readonly safe: number }

/** Finds the few events of an SSE stream that matter, without decoding the others. */
export interface StreamScan {
  /** Looks on from `from`, which is 0 for new bytes (with the rest of the last ones in front) or the end of the last mark. */
  next(bytes: Uint8Array, from: number): Mark
  /** Report the first output event. */
  awaitOutput: boolean
  /** True between two events: what went out so far ends with a whole one. */
  readonly isBetweenEvents: boolean
}

const LF = 10
const CR = 13
const LETTER_D = 100
const LETTER_O = 111
const LETTER_R = 114

/** The head of nearly every event; the letter behind it tells output (`output_…`, `reasoning_…`) from the rest. */
const USUAL_HEAD = new TextEncoder().encode('data: {"type":"response.')
/** The type stands within the first characters of the data; beyond this the whole line is waited for. */
const HEAD_BYTES = 256
/** `type` behind nothing but plain members, so that the type of an item within is not taken for it. */
const TYPE = /^data:\s*\{\s*(?:"[^"\\]*"\s*:\s*(?:[-+.\w]+|"[^"\\]*")\s*,\s*)*?"type"\s*:\s*"([^"]*)"/

/** Events that say something about the answer but are none of it (wire facts §9). */
const PRELUDE = /^(?:response\.(?:created|in_progress|queued|metadata)|keepalive|ping|codex\..*)$/
/** Events that must be read as a whole. */
const READ = new Set(['response.completed', 'response.done', 'response.incomplete', 'response.failed', 'error', 'codex.rate_limits'])

/** Creates a scan at the start of a stream. */
export function createStreamScan(): StreamScan {
  /** The current event was looked at and its bytes may go out. */
  let isKnown = false
  let isLineStart = true
  const scan = {
    awaitOutput: true,
    get isBetweenEvents() {
      return isLineStart && !isKnown
    },
    next(bytes: Uint8Array, from: number): Mark {
      const { length } = bytes
      let eventStart = from
      let at = from
      for (;;) {
        if (!isLineStart) {
          const end = bytes.indexOf(LF, at)
          if (end < 0) return { kind: 'more', safe: length }
          at = end + 1
          isLineStart = true
        }
        if (at >= length) return { kind: 'more', safe: isKnown ? length : eventStart }
        const first = bytes[at]
        if (first === LF || first === CR) {
          if (first === CR && at + 1 >= length) return { kind: 'more', safe: isKnown ? at : eventStart }
          at += first === CR && bytes[at + 1] === LF ? 2 : 1
          isKnown = false
          eventStart = at
          continue
        }
        if (isKnown) {
          isLineStart = false
          continue
        }
        if (first === LETTER_D) {
          if (isUsualOutput(bytes, at)) {
            isKnown = true
            isLineStart = false
            if (scan.awaitOutput) return { kind: 'output', at: eventStart }
            continue
          }
          const type = typeAt(bytes, at)
          if (type === undefined) return { kind: 'more', safe: eventStart }
          if (READ.has(type)) {
            const end = eventEnd(bytes, at)
            if (end < 0) return { kind: 'more', safe: eventStart }
            return { kind: 'event', type, start: eventStart, end }
          }
          isKnown = true
          isLineStart = false
          if (scan.awaitOutput && !PRELUDE.test(type) && type.startsWith('response.')) return { kind: 'output', at: eventStart }
          continue
        }
        // `event:` and comments: the data decides.
        const end = bytes.indexOf(LF, at)
        if (end < 0) return { kind: 'more', safe: eventStart }
        at = end + 1
      }
    },
  }
  return scan
}

function isUsualOutput(bytes: Uint8Array, at: number): boolean {
  const { length } = USUAL_HEAD
  const letter = bytes[at + length]
  if (letter !== LETTER_O && letter !== LETTER_R) return false
  for (let index = length - 1; index >= 0; index -= 1) if (bytes[at + index] !== USUAL_HEAD[index]) return false
  return true
}

/** The type in a data line, empty when it has none; undefined when more bytes are needed to tell. */
function typeAt(bytes: Uint8Array, at: number): string | undefined {
  const lineEnd = bytes.indexOf(LF, at)
  const end = lineEnd < 0 ? bytes.length : lineEnd
  const found = TYPE.exec(ascii(bytes, at, Math.min(end, at + HEAD_BYTES)))?.[1]
  if (found !== undefined) return found
  return lineEnd < 0 ? undefined : typeOfLine(ascii(bytes, at, lineEnd))
}

/** The slow way, for a type behind nested members. */
function typeOfLine(line: string): string {
  if (!line.startsWith('data:') || !line.includes('"type"')) return ''
  try {
    const value: unknown = JSON.parse(line.slice('data:'.length))
    return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string' ? value.type : ''
  } catch {
    return ''
  }
}

function ascii(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1')
}

/** One past the blank line that ends the event; -1 when it has not arrived. */
function eventEnd(bytes: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(LF, from); at >= 0; at = bytes.indexOf(LF, at + 1)) {
    if (bytes[at + 1] === LF) return at + 2
    if (bytes[at + 1] === CR && bytes[at + 2] === LF) return at + 3
  }
  return -1
}
