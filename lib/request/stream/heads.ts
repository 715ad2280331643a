/**
 * What the first bytes of an event say of it. In the form the backend sends, an event is told by its head, so nearly all
 * of a stream passes without being decoded; whatever looks different is left to a real parser.
 */

import { indexOfByte, lastIndexOfByte } from './held.js'

const LF = 10
const CR = 13
const QUOTE = 34
const COLON = 58
const BACKSLASH = 92
const LETTER_C = 99
const LETTER_E = 101
const LETTER_F = 102
const LETTER_N = 110
const LETTER_O = 111
const LETTER_P = 112
const LETTER_R = 114
const LETTER_S = 115
const LETTER_T = 116
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
const NAME_PLACE = 'response.'.length

/** True when a `data:` line in the usual form begins here, and its first bytes say that it is output. */
function isUsualOutput(bytes: Uint8Array, at: number): boolean {
  const { length } = USUAL_HEAD
  if (!isOutputName(bytes, at + length)) return false
  for (let index = length - 1; index >= 0; index -= 1)
    if (bytes[at + index] !== USUAL_HEAD[index]) return false
  return true
}

/** By its first letters, the name behind `response.` is that of output. */
function isOutputName(bytes: Uint8Array, at: number): boolean {
  switch (bytes[at]) {
    case LETTER_O:
    case LETTER_R:
      return true
    // `completed`, `created` and `failed` begin with the same letters as `content_part…`, `custom_tool_call…` and `function_call…`.
    case LETTER_C:
      return (
        bytes[at + 1] === LETTER_U || (bytes[at + 1] === LETTER_O && bytes[at + 2] === LETTER_N)
      )
    case LETTER_F:
      return bytes[at + 1] === LETTER_U
    default:
      return false
  }
}

/**
 * Place of the first `"type"` in front of `to` that may give its event a role other than that of output; not less than `to`
 * without one. Events that hold none but harmless ones are passed on in whatever way they are written and cut into lines,
 * unless they have escapes.
 */
export function suspectType(bytes: Uint8Array, from: number, to: number): number {
  for (
    let at = indexOfByte(bytes, LETTER_Y, from);
    at >= 0 && at < to;
    at = indexOfByte(bytes, LETTER_Y, at + 1)
  ) {
    if (bytes[at + 1] !== LETTER_P) continue
    // Told first because nearly all are `response.output_…`, and with a call fewer.
    if (bytes[at + 6] === LETTER_R && bytes[at + 6 + NAME_PLACE] === LETTER_O) continue
    if (isTypeKey(bytes, at) && !isHarmless(bytes, at + 4)) return at
  }
  return to
}

/** What is behind the key is the value of an item, of a part or of output; false also where that is cut off. */
function isHarmless(bytes: Uint8Array, at: number): boolean {
  if (bytes[at] !== COLON || bytes[at + 1] !== QUOTE) return false
  const value = at + 2
  switch (bytes[value]) {
    case undefined:
    // As `error` does.
    case LETTER_E:
      return false
    // `codex.…`
    case LETTER_C:
      return value + 1 < bytes.length && bytes[value + 1] !== LETTER_O
    // `response.…`, and not `reasoning`.
    case LETTER_R:
      return value + 2 < bytes.length && bytes[value + 2] !== LETTER_S
        ? true
        : isOutputName(bytes, value + NAME_PLACE)
    default:
      return true
  }
}

/** Place of the first escape that may be a letter of a key or type, `"t\u0079pe"` say; the length of the bytes without one. */
export function suspectEscape(bytes: Uint8Array, from: number): number {
  let at = indexOfByte(bytes, BACKSLASH, from)
  if (at < 0) return bytes.length
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  while ((at = all.indexOf(UNICODE_ESCAPE, at)) >= 0) {
    at += UNICODE_ESCAPE.length
    if (LETTER_ESCAPES.includes(bytes[at])) return at - UNICODE_ESCAPE.length
  }
  return bytes.length
}

/** Where the last event begins that does so up to `to`, as far as blank lines end with LF; `from` without such a line. */
export function lastEventStart(bytes: Uint8Array, from: number, to: number): number {
  let at = to
  while (at - 1 > from) {
    at = lastIndexOfByte(bytes, LF, at - 1)
    if (at <= from) break
    if (bytes[at - 1] === LF || (bytes[at - 1] === CR && bytes[at - 2] === LF)) return at + 1
  }
  return from
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

/**
 * True when an event may have a second `type` that matters and counts in place of the one in front; the last of two keys
 * wins in JSON.
 */
export function isAmbiguous(bytes: Uint8Array): boolean {
  const behindFirst = indexOfTypeKey(bytes) + 1
  return (
    suspectType(bytes, behindFirst, bytes.length) < bytes.length ||
    suspectEscape(bytes, 0) < bytes.length
  )
}

/** True when an event that claims to be passed on may be one that is not, which only a real parser can tell. */
export function isSuspect(bytes: Uint8Array): boolean {
  return (
    suspectType(bytes, 0, bytes.length) < bytes.length || suspectEscape(bytes, 0) < bytes.length
  )
}

/** How far a key may reach over the border of two chunks. */
const REACH = 5

/**
 * The quick look for `isSuspect` at an event whose head is in one chunk and whose end in the next; true also when only a
 * longer look can tell.
 * @param from start of the event in the first chunk
 * @param to its end in the second
 */
export function maybeSuspect(
  first: Uint8Array,
  from: number,
  second: Uint8Array,
  to: number,
): boolean {
  for (let index = 0; index < REACH; index += 1)
    if (first[first.length - 1 - index] === LETTER_Y || second[index] === LETTER_Y) return true
  if (suspectType(first, from, first.length) < first.length || suspectType(second, 0, to) < to)
    return true
  if (indexOfByte(first, BACKSLASH, from) >= 0) return true
  const escape = indexOfByte(second, BACKSLASH, 0)
  return escape >= 0 && escape < to
}

const UNICODE_ESCAPE = Buffer.from('\\u00')
/** The digit behind it for a dot and the small letters, which are all the letters of what matters; undefined where that is cut off. */
const LETTER_ESCAPES: readonly (number | undefined)[] = [...Buffer.from('267'), undefined]

/** Place of the Y of the first key. Goes by that letter because a search for one byte is the fastest thing a runtime does. */
function indexOfTypeKey(bytes: Uint8Array): number {
  let at = indexOfByte(bytes, LETTER_Y, 0)
  while (at >= 0 && !isTypeKey(bytes, at)) at = indexOfByte(bytes, LETTER_Y, at + 1)
  return at < 0 ? bytes.length : at
}

/** The Y at this place is that of the key `type`. */
function isTypeKey(bytes: Uint8Array, at: number): boolean {
  return (
    bytes[at - 1] === LETTER_T &&
    bytes[at + 1] === LETTER_P &&
    bytes[at + 2] === LETTER_E &&
    bytes[at - 2] === QUOTE &&
    bytes[at + 3] === QUOTE
  )
}
