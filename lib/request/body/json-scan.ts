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
  /**
   * For arrays: by kind of the watched texts, the elements that have one as a key or a value of theirs, in order, as they
   * stand between their separators. Undefined where nobody has looked.
   */
  readonly found: Found | undefined
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

/** Where an element stands in the text of its array. */
export interface Element {
  readonly start: number
  /** One past the last character. */
  readonly end: number
}

/** Elements by what was found in them. */
type Found = ReadonlyMap<string, readonly Element[]>

/** Texts to look out for. */
export interface Watch {
  /** Under which kind each is reported. */
  readonly kinds: ReadonlyMap<string, string>
  /** 1 at the code of every first letter, and of the backslash it may hide behind: nearly all strings are told apart by one look. */
  readonly firstLetters: Uint8Array
  /** Longest writing of a text, with every letter escaped, in characters. */
  readonly longest: number
}

const QUOTE = 34
const COMMA = 44
const COLON = 58
const OPEN_BRACKET = 91
const BACKSLASH = 92
const CLOSE_BRACKET = 93
const OPEN_BRACE = 123
const CLOSE_BRACE = 125

/**
 * Finds the members of a JSON object without parsing them: strings are jumped over, brackets counted. A body of several
 * MB costs a fraction of a parse.
 * @param watch what to look out for in the elements of arrays; looking on the way costs less than searching again
 * @returns undefined when the text is not one well-formed object as far as this can tell
 */
export function scanTopLevel(text: string, watch = NO_WATCH): TopLevel | undefined {
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
    const { end, lastElementStart, found } = value
    members.set(key, { keyStart, start, end, lastElementStart, found })
    at = skipSpace(text, end)
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

/** What to look out for, made once and used for every scan. @param kinds as in `Watch` */
export function watchFor(kinds: ReadonlyMap<string, string>): Watch {
  const texts = [...kinds.keys()]
  const firstLetters = new Uint8Array(128)
  for (const text of texts) firstLetters[text.charCodeAt(0)] = 1
  if (texts.length > 0) firstLetters[BACKSLASH] = 1
  return {
    kinds,
    firstLetters,
    longest: Math.max(0, ...texts.map(({ length }) => length * 6)) + 2,
  }
}

const NOTHING: readonly never[] = []
const NONE_FOUND: Found = new Map()
const NO_WATCH = watchFor(new Map())

type Value = Pick<Member, 'end' | 'lastElementStart' | 'found'>

function skipValue(text: string, start: number, watch: Watch): Value | undefined {
  const first = text.charCodeAt(start)
  if (first === OPEN_BRACKET) return skipContainer(text, start, watch)
  if (first === OPEN_BRACE) return skipContainer(text, start, NO_WATCH)
  const end = first === QUOTE ? skipString(text, start) : skipScalar(text, start)
  return end < 0 ? undefined : { end, lastElementStart: end, found: NONE_FOUND }
}

/** @returns one past the last character, or -1 where none stands */
function skipScalar(text: string, start: number): number {
  let end = start
  for (
    let code = text.charCodeAt(start);
    code !== COMMA && code !== CLOSE_BRACE && code !== CLOSE_BRACKET && code > 32;
    code = text.charCodeAt(end)
  )
    end += 1
  return end === start ? -1 : end
}

/** Brackets are counted, not matched: the host's serialiser made them, and the backend checks them again. */
function skipContainer(text: string, start: number, watch: Watch): Value | undefined {
  const { length } = text
  const { firstLetters, longest } = watch
  let depth = 0
  let elementStart = start + 1
  let found: Map<string, Element[]> | undefined
  let kinds: readonly string[] = NOTHING
  for (let at = start; at < length; at += 1) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) {
      const end = skipString(text, at)
      if (end < 0) return undefined
      if (depth === 2 && firstLetters[text.charCodeAt(at + 1)] === 1 && end - at <= longest) {
        const kind = watch.kinds.get(keyIn(text.slice(at, end)) ?? '')
        if (kind !== undefined && !kinds.includes(kind)) kinds = [...kinds, kind]
      }
      at = end - 1
    } else if (code === OPEN_BRACE || code === OPEN_BRACKET) depth += 1
    else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) {
      depth -= 1
      if (depth > 0) continue
      if (kinds.length > 0)
        found = withElement(found, kinds, { start: elementStart - start, end: at - start })
      const isEmpty = elementStart === start + 1 && at === start + 1
      return {
        end: at + 1,
        lastElementStart: isEmpty ? at + 1 : elementStart,
        found: found ?? NONE_FOUND,
      }
    } else if (code === COMMA && depth === 1) {
      if (kinds.length > 0) {
        found = withElement(found, kinds, { start: elementStart - start, end: at - start })
        kinds = NOTHING
      }
      elementStart = at + 1
    }
  }
  return undefined
}

function withElement(
  found = new Map<string, Element[]>(),
  kinds: readonly string[],
  element: Element,
): Map<string, Element[]> {
  for (const kind of kinds) {
    const others = found.get(kind)
    if (others === undefined) found.set(kind, [element])
    else others.push(element)
  }
  return found
}

/**
 * From quote to quote, where the engine's own search is faster than any loop, for short strings too.
 * @returns one past the closing quote, or -1
 */
function skipString(text: string, open: number): number {
  let quote = text.indexOf('"', open + 1)
  while (quote > 0 && isEscaped(text, quote)) quote = text.indexOf('"', quote + 1)
  return quote < 0 ? -1 : quote + 1
}

/** True when an odd number of backslashes stands before the quote; the opening one, or an escaped one, ends the count. */
function isEscaped(text: string, quote: number): boolean {
  let at = quote - 1
  while (text.charCodeAt(at) === BACKSLASH) at -= 1
  return (quote - at) % 2 === 0
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
