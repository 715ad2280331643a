import { CodexError } from '../kernel/errors.js'
import { clampEffort, isEffort, resolveModel, wireEffort } from '../models/resolve.js'
import { isRecord, parsedJson } from '../kernel/json.js'
import { type Member, scanTopLevel, type TopLevel } from './json-scan.js'
import { repairToolPairs } from './tool-pairs.js'

/** A request made ready once and sent as often as needed. */
export interface PreparedRequest {
  /** What goes over the wire; the very string of the host when nothing had to change. */
  readonly body: string
  /** Model as sent. */
  readonly model: string
  /** Members that were changed, for the trace. */
  readonly changed: readonly string[]
  /** False when the caller wants one JSON answer instead of a stream. */
  readonly wantsStream: boolean
  /** True when the turn goes on after a tool call: the backend's turn state is sent along then (wire facts §2). */
  readonly continuesTurn: boolean
  /** True when the history holds reasoning that only the account that produced it can read. */
  readonly hasEncryptedReasoning: boolean
  /**
   * The body without the encrypted reasoning among the first `items` items of the input, and how many items it has.
   * Reasoning that came later was produced by the account that serves now.
   */
  withoutReasoning(items?: number): { readonly body: string; readonly items: number }
  /** The request with every tool call and its output paired; undefined when they are already. */
  withPairedTools(): PreparedRequest | undefined
  /** The body for another model, with the effort nearest to the one asked for that it takes. */
  withModel(model: string): PreparedRequest
}

/** Members the backend refuses or that have no meaning where nothing is stored (product rules, request path). */
const FORBIDDEN_MEMBERS = ['previous_response_id', 'max_output_tokens', 'max_completion_tokens'] as const
const ENCRYPTED_REASONING = 'reasoning.encrypted_content'
/** What of the history has to be looked at closer when it is there. */
const ITEM_ID = 'id'
const ITEM_REFERENCE = 'item_reference'
const ENCRYPTED = 'encrypted_content'
const WATCHED = [ITEM_ID, ITEM_REFERENCE, ENCRYPTED]
const TOOL_OUTPUT_ITEM = /^\s*\{\s*"type"\s*:\s*"(?:function_call_output|custom_tool_call_output|local_shell_call_output|mcp_call_output)"/
/** Looked at for the type of the last item; the host writes it first. */
const ITEM_HEAD = 80

/** A text to put in place of a part of the body. */
interface Edit {
  readonly start: number
  readonly end: number
  readonly text: string
}

/**
 * Makes the host's body one the backend takes: `store:false`, `stream:true`, encrypted reasoning included, no server ids,
 * no references to stored state, the model's own name. Works on the text: a body that is right already is returned as
 * the same string. Pure.
 * @throws CodexError `request_not_json`
 */
export function prepareRequest(text: string): PreparedRequest {
  const scan = scanTopLevel(text, WATCHED)
  if (scan !== undefined) return prepare(text, scan)
  // Rare: repeated keys or escapes in keys. What a serialiser makes of it has neither.
  const plain = JSON.stringify(parsedObject(text))
  const plainScan = scanTopLevel(plain, WATCHED)
  if (plainScan === undefined) throw new CodexError('request_not_json', 'The body of the request cannot be understood.')
  return prepare(plain, plainScan)
}

function prepare(text: string, { members, close }: TopLevel): PreparedRequest {
  const edits: Edit[] = []
  const added: string[] = []
  const changed: string[] = []
  const put = (key: string, value: string): void => {
    const member = members.get(key)
    if (member === undefined) added.push(`${JSON.stringify(key)}:${value}`)
    else if (text.slice(member.start, member.end) === value) return
    else edits.push({ start: member.start, end: member.end, text: value })
    changed.push(key)
  }

  const asked = stringIn(text, members.get('model')) ?? ''
  const resolved = resolveModel(asked)
  if (resolved.model !== asked && asked !== '') put('model', JSON.stringify(resolved.model))
  if (resolved.effort !== undefined) {
    const reasoning = recordIn(text, members.get('reasoning'))
    put('reasoning', JSON.stringify({ ...reasoning, effort: wireEffort(resolved.model, resolved.effort) }))
  }
  if (resolved.serviceTier !== undefined && !members.has('service_tier')) put('service_tier', JSON.stringify(resolved.serviceTier))

  const streamMember = members.get('stream')
  const wantsStream = streamMember !== undefined && text.slice(streamMember.start, streamMember.end) === 'true'
  put('stream', 'true')
  put('store', 'false')
  const include = arrayIn(text, members.get('include'))
  if (!include.includes(ENCRYPTED_REASONING)) put('include', JSON.stringify([...include, ENCRYPTED_REASONING]))
  for (const key of FORBIDDEN_MEMBERS) {
    const member = members.get(key)
    if (member === undefined) continue
    edits.push(removal(text, member, close))
    changed.push(key)
  }
  const input = members.get('input')
  const stripped = input === undefined ? undefined : withoutServerState(text, input)
  if (input !== undefined && stripped !== undefined) {
    edits.push({ start: input.start, end: input.end, text: stripped })
    changed.push('input')
  }

  const body = edits.length === 0 && added.length === 0 ? text : applied(text, edits, added, close)
  const lastItem = input === undefined ? '' : text.slice(input.lastElementStart, Math.min(input.end, input.lastElementStart + ITEM_HEAD))
  return finished({
    body,
    model: resolved.model,
    changed,
    wantsStream,
    continuesTurn: TOOL_OUTPUT_ITEM.test(lastItem),
    hasEncryptedReasoning: input?.seen.has(ENCRYPTED) === true,
  })
}

/** @param asked the effort the host asked for, whatever the body says by now */
function finished(facts: Omit<PreparedRequest, 'withoutReasoning' | 'withPairedTools' | 'withModel'>, asked = (): unknown => reasoningIn(facts.body).effort): PreparedRequest {
  return {
    ...facts,
    withoutReasoning: (items = Infinity) => bodyWithoutReasoning(facts.body, items),
    withPairedTools: () => {
      const body = bodyWithPairedTools(facts.body)
      return body === undefined ? undefined : finished({ ...facts, body, changed: [...facts.changed, 'input'] }, asked)
    },
    withModel: (model) => {
      const effort = asked()
      const body = withMember(facts.body, 'model', JSON.stringify(model))
      const reasoning = isEffort(effort) ? { ...reasoningIn(body), effort: clampEffort(model, effort) } : undefined
      return finished(
        { ...facts, model, body: reasoning === undefined ? body : withMember(body, 'reasoning', JSON.stringify(reasoning)), changed: [...facts.changed, 'model'] },
        () => effort,
      )
    },
  }
}

function reasoningIn(body: string): Record<string, unknown> {
  return recordIn(body, scanTopLevel(body)?.members.get('reasoning'))
}

/** The input without ids of stored items and references to them; undefined when there are none. */
function withoutServerState(text: string, input: Member): string | undefined {
  if (!input.seen.has(ITEM_REFERENCE) && !input.seen.has(ITEM_ID)) return undefined
  const items = parsedJson(text.slice(input.start, input.end))
  if (!Array.isArray(items)) return undefined
  let changes = 0
  const kept = items.flatMap((item: unknown) => {
    if (!isRecord(item)) return [item]
    if (item.type === 'item_reference') {
      changes += 1
      return []
    }
    if (typeof item.id !== 'string') return [item]
    changes += 1
    const { id: _stored, ...rest } = item
    return [rest]
  })
  return changes === 0 ? undefined : JSON.stringify(kept)
}

function bodyWithoutReasoning(body: string, before: number): { body: string; items: number } {
  const input = scanTopLevel(body)?.members.get('input')
  const items = input === undefined ? undefined : parsedJson(body.slice(input.start, input.end))
  if (input === undefined || !Array.isArray(items)) return { body, items: 0 }
  const kept = items.filter((item: unknown, index) => index >= before || !isRecord(item) || item.type !== 'reasoning' || item.encrypted_content === undefined)
  if (kept.length === items.length) return { body, items: items.length }
  return { body: body.slice(0, input.start) + JSON.stringify(kept) + body.slice(input.end), items: items.length }
}

function bodyWithPairedTools(body: string): string | undefined {
  const input = scanTopLevel(body)?.members.get('input')
  const items = input === undefined ? undefined : parsedJson(body.slice(input.start, input.end))
  if (input === undefined || !Array.isArray(items)) return undefined
  const before = JSON.stringify(items)
  const after = JSON.stringify(repairToolPairs(items))
  return after === before ? undefined : body.slice(0, input.start) + after + body.slice(input.end)
}

function withMember(body: string, key: string, value: string): string {
  const scan = scanTopLevel(body)
  const member = scan?.members.get(key)
  if (scan === undefined) return body
  if (member !== undefined) return body.slice(0, member.start) + value + body.slice(member.end)
  return applied(body, [], [`${JSON.stringify(key)}:${value}`], scan.close)
}

function applied(text: string, edits: readonly Edit[], added: readonly string[], close: number): string {
  const parts: string[] = []
  let from = 0
  for (const edit of [...edits].sort((left, right) => left.start - right.start)) {
    parts.push(text.slice(from, edit.start), edit.text)
    from = edit.end
  }
  const head = parts.join('') + text.slice(from, close)
  // Where the last members were cut out, the comma before them is left over.
  if (added.length === 0) return (/,\s*$/.test(head.slice(-32)) ? head.slice(0, head.lastIndexOf(',')) : head) + text.slice(close)
  const comma = /[{,]\s*$/.test(head.slice(-32)) ? '' : ','
  return `${head}${comma}${added.join(',')}${text.slice(close)}`
}

/** Cuts a member out together with one comma. */
function removal(text: string, member: Member, close: number): Edit {
  const after = text.slice(member.end, close)
  const comma = /^\s*,/.exec(after)
  if (comma) return { start: member.keyStart, end: member.end + comma[0].length, text: '' }
  const before = /,\s*$/.exec(text.slice(Math.max(0, member.keyStart - 32), member.keyStart))
  return { start: member.keyStart - (before?.[0].length ?? 0), end: member.end, text: '' }
}

function stringIn(text: string, member: Member | undefined): string | undefined {
  const value = member === undefined ? undefined : parsedJson(text.slice(member.start, member.end))
  return typeof value === 'string' ? value : undefined
}

function recordIn(text: string, member: Member | undefined): Record<string, unknown> {
  const value = member === undefined ? undefined : parsedJson(text.slice(member.start, member.end))
  return isRecord(value) ? value : {}
}

function arrayIn(text: string, member: Member | undefined): readonly unknown[] {
  const value = member === undefined ? undefined : parsedJson(text.slice(member.start, member.end))
  return Array.isArray(value) ? value : []
}

function parsedObject(text: string): Record<string, unknown> {
  const value = parsedJson(text)
  if (isRecord(value)) return value
  throw new CodexError('request_not_json', value === undefined ? 'The body of the request is not JSON.' : 'The body of the request is not a JSON object.')
}
