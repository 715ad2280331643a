/**
 * What the first bytes of an event say of it. In the form the backend sends, an event is told by its head, so nearly all
 * of a stream passes without being decoded; whatever looks different is left to a real parser.
 */

import { indexOfByte } from './held.js'

const LF = 10
const CR = 13
const BACKSLASH = 92
const LETTER_C = 99
const LETTER_E = 101
const LETTER_F = 102
const LETTER_O = 111
const LETTER_R = 114
const LETTER_U = 117
const LETTER_Y = 121

/** What is done with an event of a type. */
export type EventRole =
  /** Ends the answer, so it is read as a whole. */
  | 'read'
  /** Speaks to Codex clients alone: read and taken out, because SDKs throw on types they do not know. */
  | 'taken'
  /** The first of these is the first output. */
  | 'output'
  /** Says something about the answer but is none of it, or is not known. */
  | 'passed'

const READ = new Set([
  'response.completed',
  'response.done',
  'response.incomplete',
  'response.failed',
  'error',
])
const TAKEN = /^(?:codex\.|response\.metadata$)/
/** Before any output (docs/development/facts/codex-backend.md#stream-events). */
const PRELUDE = new Set(['response.created', 'response.in_progress', 'response.queued'])

/** The role of a type; an event without one is passed on. */
export function roleOf(type: string | undefined): EventRole {
  if (type === undefined) return 'passed'
  if (READ.has(type)) return 'read'
  if (TAKEN.test(type)) return 'taken'
  return type.startsWith('response.') && !PRELUDE.has(type) ? 'output' : 'passed'
}

/** The head of nearly every event; the letters behind it tell output (`output_…`, `function_…`) from the rest. */
const USUAL_HEAD = new TextEncoder().encode('data: {"type":"response.')

/**
 * Skips whole events with output in the usual form: an `event:` line or none, one `data:` line with the type in front, a
 * blank line.
 * @param from start of an event
 * @param nextCr first CR at or behind `from`; the length of the bytes without one
 * @returns start of the first event that is not of this form or not complete
 */
export function skipUsualOutput(bytes: Uint8Array, from: number, nextCr: number): number {
  let cr = nextCr
  let start = from
  for (;;) {
    let at = start
    if (bytes[at] === LETTER_E) {
      const end = indexOfByte(bytes, LF, at)
      if (end < 0) return start
      if (cr < end) {
        // A bare CR ends a line too.
        if (cr !== end - 1) return start
        cr = orLength(bytes, indexOfByte(bytes, CR, end))
      }
      at = end + 1
    }
    if (!isUsualOutput(bytes, at)) return start
    const head = at + USUAL_HEAD.length
    const end = indexOfByte(bytes, LF, head)
    if (end < 0) return start
    if (cr < end) {
      if (cr !== end - 1) return start
      cr = orLength(bytes, indexOfByte(bytes, CR, end))
    }
    let next = end + 1
    if (bytes[next] === LF) next += 1
    else if (bytes[next] === CR && bytes[next + 1] === LF) {
      next += 2
      cr = orLength(bytes, indexOfByte(bytes, CR, next))
    } else return start
    if (indexOfTypeKey(bytes, head, end) >= 0) return start
    start = next
  }
}

function orLength(bytes: Uint8Array, index: number): number {
  return index < 0 ? bytes.length : index
}

/** True when a `data:` line in the usual form begins here, and its first bytes say that it is output. */
function isUsualOutput(bytes: Uint8Array, at: number): boolean {
  const { length } = USUAL_HEAD
  const letter = bytes[at + length]
  // `completed`, `created` and `failed` begin with the same letters as `custom_tool_call…` and `function_call…`.
  if (
    letter !== LETTER_O &&
    letter !== LETTER_R &&
    !((letter === LETTER_F || letter === LETTER_C) && bytes[at + length + 1] === LETTER_U)
  )
    return false
  for (let index = length - 1; index >= 0; index -= 1)
    if (bytes[at + index] !== USUAL_HEAD[index]) return false
  return true
}

/** The type stands within the first characters; beyond this the whole event is waited for. */
const HEAD_BYTES = 512
/** Other fields, then `type` behind nothing but plain members, so that the type of an item within is not taken for it. */
const HEAD =
  /^(?:(?:event|id|retry)?:[^\r\n]*(?:\r\n?|\n))*data: ?[ \t]*\{[ \t]*(?:"[^"\\\r\n]*"[ \t]*:[ \t]*(?:[-+.\w]+|"[^"\\\r\n]*")[ \t]*,[ \t]*)*?"type"[ \t]*:[ \t]*"([^"\\\r\n]*)"/

/**
 * The type an event claims in its first bytes; undefined when it takes more than those to tell. It is the real one
 * unless the event is ambiguous.
 */
export function claimedType(bytes: Uint8Array, from: number): string | undefined {
  const end = Math.min(bytes.length, from + HEAD_BYTES)
  return HEAD.exec(
    Buffer.from(bytes.buffer, bytes.byteOffset + from, end - from).toString('latin1'),
  )?.[1]
}

/** True when an event in the usual form begins here; the short way to `claimedType` of output. */
export function beginsUsualOutput(bytes: Uint8Array, from: number): boolean {
  if (bytes[from] !== LETTER_E) return isUsualOutput(bytes, from)
  const end = indexOfByte(bytes, LF, from)
  return end >= 0 && isUsualOutput(bytes, end + 1)
}

/** True when an event may have a second `type` that counts in place of the one in front; the last of two keys wins in JSON. */
export function isAmbiguous(bytes: Uint8Array): boolean {
  const first = indexOfTypeKey(bytes, 0, bytes.length)
  return (
    (first >= 0 && indexOfTypeKey(bytes, first + TYPE_KEY.length, bytes.length) >= 0) ||
    hasUnicodeEscape(bytes)
  )
}

/** How far a key may reach over the border of two chunks. */
const REACH = 5

/**
 * The quick look for `isAmbiguous` at an event whose head is in one chunk and whose end in the next; true also when only
 * a longer look can tell.
 * @param from start of the event in the first chunk
 * @param to its end in the second
 */
export function maybeAmbiguous(
  first: Uint8Array,
  from: number,
  second: Uint8Array,
  to: number,
): boolean {
  const head = indexOfTypeKey(first, from, first.length)
  if (
    head < 0 ||
    indexOfTypeKey(first, head + TYPE_KEY.length, first.length) >= 0 ||
    indexOfTypeKey(second, 0, to) >= 0
  )
    return true
  for (let index = 0; index < REACH; index += 1)
    if (first[first.length - 1 - index] === LETTER_Y || second[index] === LETTER_Y) return true
  if (indexOfByte(first, BACKSLASH, from) >= 0) return true
  const escape = indexOfByte(second, BACKSLASH, 0)
  return escape >= 0 && escape < to
}

/** True when a key or type may be written with escapes, `"t\u0079pe"` say. */
export function hasUnicodeEscape(bytes: Uint8Array): boolean {
  const first = indexOfByte(bytes, BACKSLASH, 0)
  return (
    first >= 0 &&
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes(UNICODE_ESCAPE, first)
  )
}

const UNICODE_ESCAPE = Buffer.from('\\u00')
const TYPE_KEY = Buffer.from('"type"')

/** Goes by the rarest letter of the key, because a search for one byte is the fastest thing a runtime does. */
function indexOfTypeKey(bytes: Uint8Array, from: number, to: number): number {
  for (
    let at = indexOfByte(bytes, LETTER_Y, from + 2);
    at >= 0 && at < to;
    at = indexOfByte(bytes, LETTER_Y, at + 1)
  ) {
    let index = 0
    while (index < TYPE_KEY.length && bytes[at - 2 + index] === TYPE_KEY[index]) index += 1
    if (index === TYPE_KEY.length) return at - 2
  }
  return -1
}
