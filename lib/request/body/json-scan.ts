import { parsedJson } from '../../kernel/text/json.js'

/** Where one member of the top-level object stands in the text. */
export interface Member {
  /** First character of the key's quote. */
  readonly keyStart: number
  /** First character of the value. */
  readonly start: number
  /** One past the last character of the value. */
  readonly end: number
  /** For arrays: first character of the last element; equals `end` when there is none. */
  readonly lastElementStart: number
  /** For arrays of objects: which of the watched texts stand there as a key or a value of an element. */
  readonly seen: ReadonlySet<string>
}

/** What a scan found. */
export interface TopLevel {
  /** By key, as a parser would read it; of a key that occurs twice the last one counts. */
  readonly members: ReadonlyMap<string, Member>
  /** Members that a later one of the same key makes void. */
  readonly void: readonly Member[]
  /** Position of the closing brace. */
  readonly close: number
}

/** Where an element of an array stands. */
export interface Element {
  readonly start: number
  /** One past the last character. */
  readonly end: number
}

const QUOTE = 34
const COMMA = 44
const COLON = 58
const OPEN_BRACKET = 91
const BACKSLASH = 92
const CLOSE_BRACKET = 93
const OPEN_BRACE = 123
const CLOSE_BRACE = 125

/** Characters of a string looked at one by one before the search takes longer strides. */
const SHORT_STRIDE = 24

/**
 * Finds the members of a JSON object without parsing them: strings are jumped over, brackets counted. A body of several
 * MB costs a fraction of a parse.
 * @param watched texts to look out for in the elements of arrays; looking on the way costs less than searching again
 * @returns undefined when the text is not one well-formed object as far as this can tell
 */
export function scanTopLevel(text: string, watched: readonly string[] = []): TopLevel | undefined {
  const watch = watchFor(watched)
  let at = skipSpace(text, 0)
  if (text.charCodeAt(at) !== OPEN_BRACE) return undefined
  const members = new Map<string, Member>()
  const voided: Member[] = []
  at = skipSpace(text, at + 1)
  if (text.charCodeAt(at) === CLOSE_BRACE)
    return isOver(text, at + 1) ? { members, void: voided, close: at } : undefined
  for (;;) {
    if (text.charCodeAt(at) !== QUOTE) return undefined
    const keyStart = at
    const keyEnd = skipString(text, at)
    if (keyEnd < 0) return undefined
    const key = keyIn(text.slice(keyStart, keyEnd))
    if (key === undefined) return undefined
    at = skipSpace(text, keyEnd)
    if (text.charCodeAt(at) !== COLON) return undefined
    const start = skipSpace(text, at + 1)
    const value = skipValue(text, start, watch)
    if (value === undefined) return undefined
    const earlier = members.get(key)
    if (earlier !== undefined) voided.push(earlier)
    members.set(key, { keyStart, start, ...value })
    at = skipSpace(text, value.end)
    const next = text.charCodeAt(at)
    if (next === CLOSE_BRACE)
      return isOver(text, at + 1) ? { members, void: voided, close: at } : undefined
    if (next !== COMMA) return undefined
    at = skipSpace(text, at + 1)
  }
}

/** Finds the elements of a JSON array in the same way; undefined when the text is none. */
export function scanElements(text: string): readonly Element[] | undefined {
  let at = skipSpace(text, 0)
  if (text.charCodeAt(at) !== OPEN_BRACKET) return undefined
  const elements: Element[] = []
  at = skipSpace(text, at + 1)
  if (text.charCodeAt(at) === CLOSE_BRACKET) return isOver(text, at + 1) ? elements : undefined
  for (;;) {
    const value = skipValue(text, at, NO_WATCH)
    if (value === undefined) return undefined
    elements.push({ start: at, end: value.end })
    at = skipSpace(text, value.end)
    const next = text.charCodeAt(at)
    if (next === CLOSE_BRACKET) return isOver(text, at + 1) ? elements : undefined
    if (next !== COMMA) return undefined
    at = skipSpace(text, at + 1)
  }
}

/** A key as a parser reads it: escaped and plain it is the same. */
function keyIn(quoted: string): string | undefined {
  if (!quoted.includes('\\')) return quoted.slice(1, -1)
  const key = parsedJson(quoted)
  return typeof key === 'string' ? key : undefined
}

interface Watch {
  readonly names: readonly string[]
  /** 1 at the code of every first letter, and of the backslash it may hide behind: nearly all strings are told apart by one look. */
  readonly firstLetters: Uint8Array
  /** Longest writing of a name, with every letter escaped, in characters. */
  readonly longest: number
}

function watchFor(names: readonly string[]): Watch {
  const firstLetters = new Uint8Array(128)
  for (const name of names) firstLetters[name.charCodeAt(0)] = 1
  if (names.length > 0) firstLetters[BACKSLASH] = 1
  return { names, firstLetters, longest: Math.max(0, ...names.map((name) => name.length * 6)) + 2 }
}

const NO_WATCH = watchFor([])

type Value = Pick<Member, 'end' | 'lastElementStart' | 'seen'>

const NOTHING_SEEN: ReadonlySet<string> = new Set()

function skipValue(text: string, start: number, watch: Watch): Value | undefined {
  const first = text.charCodeAt(start)
  if (first === QUOTE) {
    const end = skipString(text, start)
    return end < 0 ? undefined : { end, lastElementStart: end, seen: NOTHING_SEEN }
  }
  if (first === OPEN_BRACE || first === OPEN_BRACKET) return skipContainer(text, start, watch)
  let end = start
  for (
    let code = first;
    code !== COMMA && code !== CLOSE_BRACE && code !== CLOSE_BRACKET && code > 32;
    code = text.charCodeAt(end)
  )
    end += 1
  return end === start ? undefined : { end, lastElementStart: end, seen: NOTHING_SEEN }
}

/** Brackets are counted, not matched: the host's serialiser made them, and the backend checks them again. */
function skipContainer(text: string, start: number, watch: Watch): Value | undefined {
  const { length } = text
  const { names, firstLetters } = watch
  let depth = 0
  let lastElementStart = start + 1
  let seen: Set<string> | undefined
  for (let at = start; at < length; at += 1) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) {
      const end = skipString(text, at)
      if (end < 0) return undefined
      if (depth === 2 && firstLetters[text.charCodeAt(at + 1)] === 1 && end - at <= watch.longest) {
        const name = keyIn(text.slice(at, end))
        if (name !== undefined && names.includes(name)) {
          seen ??= new Set()
          seen.add(name)
        }
      }
      at = end - 1
    } else if (code === OPEN_BRACE || code === OPEN_BRACKET) depth += 1
    else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) {
      depth -= 1
      if (depth === 0) {
        const isEmpty = lastElementStart === start + 1 && at === start + 1
        return {
          end: at + 1,
          lastElementStart: isEmpty ? at + 1 : lastElementStart,
          seen: seen ?? NOTHING_SEEN,
        }
      }
    } else if (code === COMMA && depth === 1) lastElementStart = at + 1
  }
  return undefined
}

/** @returns one past the closing quote, or -1 */
function skipString(text: string, open: number): number {
  let at = open + 1
  for (;;) {
    const near = at + SHORT_STRIDE
    while (at < near) {
      const code = text.charCodeAt(at)
      if (code === QUOTE) return at + 1
      if (code !== code) return -1
      at += code === BACKSLASH ? 2 : 1
    }
    // Long texts: from quote to quote, where the engine's own search is faster than any loop.
    const quote = text.indexOf('"', at)
    if (quote < 0) return -1
    if (!isEscaped(text, quote, at)) return quote + 1
    at = quote + 1
  }
}

/** True when an odd number of backslashes stands before the quote; `from` is known to be outside an escape. */
function isEscaped(text: string, quote: number, from: number): boolean {
  let backslashes = 0
  for (let at = quote - 1; at >= from && text.charCodeAt(at) === BACKSLASH; at -= 1)
    backslashes += 1
  return backslashes % 2 === 1
}

function skipSpace(text: string, from: number): number {
  let at = from
  for (
    let code = text.charCodeAt(at);
    code === 32 || code === 10 || code === 13 || code === 9;
    code = text.charCodeAt(at)
  )
    at += 1
  return at
}

function isOver(text: string, from: number): boolean {
  return skipSpace(text, from) === text.length
}
