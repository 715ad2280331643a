import { isRecord, parsedJson } from '../../kernel/text/json.js'
import { type Element, type Member, scanTopLevel, type TopLevel, type Watch } from './json-scan.js'

/**
 * Changes to a JSON text that leave every value that stays as it is written: numbers a parser would round, keys that occur
 * twice, any depth. What changes is put together again from its parts, so that no comma is left over or missing.
 */

/** A JSON object as text, with the places of its members: carried along, so that a large body is scanned once. */
export interface ObjectText {
  readonly text: string
  readonly scan: TopLevel
}

/** @param watch as for `scanTopLevel` @returns undefined when the text is no object */
export function objectText(text: string, watch?: Watch): ObjectText | undefined {
  const scan = scanTopLevel(text, watch)
  return scan === undefined ? undefined : { text, scan }
}

/** What becomes of a member: another text of its value, or gone. */
export type MemberEdits = ReadonlyMap<string, string | undefined>

/** The object with members replaced, added or removed; the same object when nothing changes. */
export function withMembers(object: ObjectText, edits: MemberEdits): ObjectText {
  const { text, scan } = object
  const isChanged = ([key, value]: readonly [string, string | undefined]): boolean =>
    value !== memberText(object, key)
  if (![...edits].some(isChanged) && scan.void.length === 0) return object
  const members = new Map<string, Member>()
  let made = text.slice(0, text.indexOf('{') + 1)
  const append = (key: string, head: string, value: string, from?: Member): void => {
    if (members.size > 0) made += ','
    const keyStart = made.length
    const start = keyStart + head.length
    const shift = from === undefined ? 0 : start - from.start
    made += head + value
    members.set(
      key,
      from === undefined ? placeOf(keyStart, start, made.length) : moved(from, { keyStart, shift }),
    )
  }
  const inOrder = [...scan.members].sort(([, left], [, right]) => left.keyStart - right.keyStart)
  for (const [key, member] of inOrder) {
    const before = text.slice(member.start, member.end)
    const value = edits.has(key) ? edits.get(key) : before
    if (value !== undefined)
      append(
        key,
        text.slice(member.keyStart, member.start),
        value,
        value === before ? member : undefined,
      )
  }
  for (const [key, value] of edits)
    if (value !== undefined && !scan.members.has(key)) append(key, `${JSON.stringify(key)}:`, value)
  const close = made.length
  return { text: `${made}${text.slice(scan.close)}`, scan: { members, void: [], close } }
}

/** The object with another text for the value of one member, and not a character else changed. */
export function withValue(object: ObjectText, key: string, value: string): ObjectText {
  const { text, scan } = object
  const target = scan.members.get(key)
  if (target === undefined) return object
  const shift = value.length - (target.end - target.start)
  const place = (member: Member): Member => {
    if (member === target) return placeOf(member.keyStart, member.start, member.end + shift)
    return member.start < target.start ? member : moved(member, { shift })
  }
  return {
    text: text.slice(0, target.start) + value + text.slice(target.end),
    scan: {
      members: new Map([...scan.members].map(([name, member]) => [name, place(member)])),
      void: scan.void.map(place),
      close: scan.close + shift,
    },
  }
}

/** The place of a value that was put in; what stands in it is not known. */
function placeOf(keyStart: number, start: number, end: number): Member {
  return { keyStart, start, end, lastElementStart: end, found: undefined }
}

function moved(member: Member, { shift, keyStart }: { shift: number; keyStart?: number }): Member {
  return {
    keyStart: keyStart ?? member.keyStart + shift,
    start: member.start + shift,
    end: member.end + shift,
    lastElementStart: member.lastElementStart + shift,
    found: member.found,
  }
}

/** One member of an object's text replaced or added; a text that is no object becomes one. */
export function withMember(text: string, key: string, value: string): string {
  const object = objectText(text)
  return object === undefined
    ? `{${JSON.stringify(key)}:${value}}`
    : withMembers(object, new Map([[key, value]])).text
}

/** The text of a member's value. */
export function memberText({ text, scan }: ObjectText, key: string): string | undefined {
  const member = scan.members.get(key)
  return member === undefined ? undefined : text.slice(member.start, member.end)
}

/** A member's value where it is a string. */
export function stringMember(object: ObjectText, key: string): string | undefined {
  const text = memberText(object, key)
  const value = text?.startsWith('"') === true ? parsedJson(text) : undefined
  return typeof value === 'string' ? value : undefined
}

/** A member's value where it is an object; else an empty one. */
export function recordMember(object: ObjectText, key: string): Record<string, unknown> {
  const value = parsedJson(memberText(object, key) ?? '')
  return isRecord(value) ? value : {}
}

/**
 * An array with some of its elements as `change` makes them: the same text, another one, or `undefined` to leave it out;
 * what stands between them stays. The same string when nothing changes.
 * @param elements as they stand between their separators, in order
 */
export function withElements(
  text: string,
  elements: readonly Element[],
  change: (element: string) => string | undefined,
): string {
  let made = ''
  let from = 0
  for (const { start, end } of elements) {
    const before = text.slice(start, end)
    const after = change(before)
    if (after === before) continue
    made += text.slice(from, start) + (after ?? '')
    // The comma goes with its element.
    from = after === undefined && text[end] === ',' ? end + 1 : end
  }
  if (from === 0) return text
  const isLastGone = text[from] === ']' && made.endsWith(',')
  return `${isLastGone ? made.slice(0, -1) : made}${text.slice(from)}`
}
