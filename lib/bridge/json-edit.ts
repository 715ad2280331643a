import { isRecord, parsedJson } from '../kernel/json.js'
import { type Member, scanElements, scanTopLevel, type TopLevel } from './json-scan.js'

/**
 * Changes to a JSON text that leave every value that stays as it is written: numbers a parser would round, keys that occur
 * twice, any depth. What changes is put together anew from its parts, so that no comma is left over or missing.
 */

/** What becomes of a member: another text of its value, or gone. */
export type MemberEdits = ReadonlyMap<string, string | undefined>

/** The object with members replaced, added or removed; the same string when nothing changes. */
export function withMembers(text: string, scan: TopLevel, edits: MemberEdits): string {
  const added = [...edits].filter(([key, value]) => value !== undefined && !scan.members.has(key))
  const replaced = [...scan.members].filter(
    ([key, member]) => edits.has(key) && edits.get(key) !== text.slice(member.start, member.end),
  )
  if (added.length === 0 && replaced.length === 0 && scan.void.length === 0) return text
  const parts: string[] = []
  for (const [key, member] of [...scan.members].sort(
    ([, left], [, right]) => left.keyStart - right.keyStart,
  )) {
    const value = edits.has(key) ? edits.get(key) : text.slice(member.start, member.end)
    if (value !== undefined) parts.push(`${text.slice(member.keyStart, member.start)}${value}`)
  }
  parts.push(...added.map(([key, value]) => `${JSON.stringify(key)}:${value ?? 'null'}`))
  const open = text.indexOf('{')
  return `${text.slice(0, open + 1)}${parts.join(',')}${text.slice(scan.close)}`
}

/** One member of an object's text replaced or added; a text that is no object becomes one. */
export function withMember(text: string, key: string, value: string): string {
  const scan = scanTopLevel(text)
  return scan === undefined
    ? `{${JSON.stringify(key)}:${value}}`
    : withMembers(text, scan, new Map([[key, value]]))
}

/** The text of a member's value. */
export function memberText(text: string, member: Member | undefined): string | undefined {
  return member === undefined ? undefined : text.slice(member.start, member.end)
}

/** A member's value where it is a string. */
export function stringMember(text: string, member: Member | undefined): string | undefined {
  const value =
    member === undefined || text.charAt(member.start) !== '"'
      ? undefined
      : parsedJson(text.slice(member.start, member.end))
  return typeof value === 'string' ? value : undefined
}

/** A member's value where it is an object; else an empty one. */
export function recordMember(text: string, member: Member | undefined): Record<string, unknown> {
  const value = member === undefined ? undefined : parsedJson(text.slice(member.start, member.end))
  return isRecord(value) ? value : {}
}

/**
 * The array with each element as `change` makes it: the same text, another one, or `undefined` to leave it out. The same
 * string when nothing changes; undefined when the text is no array.
 */
export function withElements(
  text: string,
  change: (element: string, number: number) => string | undefined,
): string | undefined {
  const elements = scanElements(text)
  if (elements === undefined) return undefined
  const before = elements.map(({ start, end }) => text.slice(start, end))
  const after = before.map(change)
  return after.every((element, number) => element === before[number])
    ? text
    : `[${after.filter((element) => element !== undefined).join(',')}]`
}
