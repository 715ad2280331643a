import { createHash } from 'node:crypto'

import { isRecord, parsedJson } from '../../kernel/text/json.js'
import { memberText, type ObjectText } from '../body/json-edit.js'
import { scanElements } from '../body/json-scan.js'

/** What a connection holds after an answer: a later request that only adds to it may send what is new alone. */
export interface Anchor {
  readonly responseId: string
  /** Of every member but the conversation. */
  readonly rest: string
  /** Of the conversation sent so far, as text without its closing bracket. */
  readonly input: string
  /** Its length, in characters. */
  readonly inputLength: number
  /** The items of the answer, by what identifies them. */
  readonly output: readonly string[]
}

/** Why a request is sent whole. */
export type FullReason =
  'new_connection' | 'settings_changed' | 'history_changed' | 'answer_differs' | 'nothing_new'

/** Members that say nothing of what the backend holds. */
const OWN_MEMBERS = new Set(['input', 'client_metadata', 'stream', 'stream_options', 'background'])
/** An answer with more items is not continued. */
const MAX_ITEMS = 1_000

/**
 * What a request adds to what the connection holds: the text of an `input` array with the new items. By the rule of the
 * Codex CLI: every other member is as it was, and the conversation is the last one, the items of its answer, and more.
 * Any doubt means the whole request. Pure.
 */
export function additionTo(
  anchor: Anchor,
  body: ObjectText,
): { readonly input: string } | { readonly full: FullReason } {
  if (restOf(body) !== anchor.rest) return { full: 'settings_changed' }
  const input = memberText(body, 'input') ?? ''
  const known = input.slice(0, anchor.inputLength)
  if (input.length <= anchor.inputLength || hashOf(known) !== anchor.input)
    return { full: 'history_changed' }
  const added = input.slice(anchor.inputLength).trimStart()
  // Behind an empty conversation no comma stands.
  const tail = `[${added.startsWith(',') ? added.slice(1) : added}`
  if (added.startsWith(',') === (known.trim() === '[')) return { full: 'history_changed' }
  const elements = scanElements(tail)
  if (elements === undefined) return { full: 'history_changed' }
  const answered = elements.slice(0, anchor.output.length)
  const isSame = anchor.output.every((key, index) => {
    const element = answered[index]
    return element !== undefined && identityOf(parsedJson(textIn(tail, element))) === key
  })
  if (!isSame) return { full: 'answer_differs' }
  const rest = elements.slice(anchor.output.length)
  if (rest.length === 0) return { full: 'nothing_new' }
  return { input: `[${rest.map((element) => textIn(tail, element)).join(',')}]` }
}

/**
 * What the connection holds once a request was answered; undefined when that cannot be continued.
 * @param output the items of the answer, as they came
 */
export function anchorAfter(
  body: ObjectText,
  responseId: string,
  output: readonly unknown[],
): Anchor | undefined {
  const input = memberText(body, 'input')
  if (input?.startsWith('[') !== true || output.length > MAX_ITEMS) return undefined
  const keys = output.map(identityOf)
  if (!keys.every((key) => key !== undefined)) return undefined
  const known = input.slice(0, input.lastIndexOf(']'))
  return {
    responseId,
    rest: restOf(body),
    input: hashOf(known),
    inputLength: known.length,
    output: keys,
  }
}

/**
 * What identifies an item, in the form of the backend and in that of the host, which leaves out ids and states, keeps one
 * part of a summary, and writes arguments anew (docs/development/facts/opencode-host.md#websocket). Undefined for an item
 * of which that is not known. Pure.
 */
export function identityOf(item: unknown): string | undefined {
  if (!isRecord(item)) return undefined
  const { type, role, encrypted_content: sealed, call_id: call, name } = item
  if (type === 'reasoning') return typeof sealed === 'string' ? `reasoning ${sealed}` : undefined
  if (type === 'function_call') {
    const given = typeof item.arguments === 'string' ? parsedJson(item.arguments) : undefined
    return given === undefined ? undefined : JSON.stringify([type, call, name, given])
  }
  if (type === 'custom_tool_call') return JSON.stringify([type, call, name, item.input])
  if ((type === undefined || type === 'message') && role === 'assistant') {
    const texts = Array.isArray(item.content) ? item.content.map(textOfPart) : [undefined]
    return texts.every((text) => text !== undefined)
      ? JSON.stringify(['message', ...texts, item.phase ?? null])
      : undefined
  }
  return undefined
}

function textOfPart(part: unknown): string | undefined {
  return isRecord(part) && part.type === 'output_text' && typeof part.text === 'string'
    ? part.text
    : undefined
}

function textIn(text: string, { start, end }: { start: number; end: number }): string {
  return text.slice(start, end)
}

function restOf({ text, scan }: ObjectText): string {
  const hash = createHash('sha256')
  for (const [key, { start, end }] of scan.members)
    if (!OWN_MEMBERS.has(key)) hash.update(`${key}:`).update(text.slice(start, end)).update('\n')
  return hash.digest('base64')
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64')
}
