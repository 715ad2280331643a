import { isRecord, type JsonRecord } from '../../kernel/text/json.js'

/** Kinds of calls that the client answers, each with the kinds of output that answer it. */
const ANSWERS: ReadonlyMap<unknown, readonly string[]> = new Map([
  ['function_call', ['function_call_output']],
  ['custom_tool_call', ['custom_tool_call_output']],
  ['local_shell_call', ['local_shell_call_output', 'function_call_output']],
])
const OUTPUTS = new Set<unknown>([...ANSWERS.values()].flat())

/** Text of a result without its call that is kept, characters. */
export const MAX_ORPHAN_CHARS = 16_000
const NO_RESULT =
  'There is no result of this call: it was interrupted or its result was removed from the history.'

/** A call or an output that can be told by its id; anything else is none of both. */
export type ToolItem = JsonRecord & { readonly type: string; readonly call_id: string }

/** True for a call that the client has to answer. */
export function isCall(item: unknown): item is ToolItem {
  return isRecord(item) && ANSWERS.has(item.type) && hasId(item)
}

/** True for an answer to a call. */
export function isOutput(item: unknown): item is ToolItem {
  return isRecord(item) && OUTPUTS.has(item.type) && hasId(item)
}

/**
 * Makes every output follow its call and every call have its output, since the backend refuses anything else: an output
 * without a call becomes a message with its text, a call without an output gets one that says so, and an output of the
 * wrong kind gets the right one. Nothing else changes; the order stays. Pure, idempotent, takes any list.
 */
export function repairToolPairs(items: readonly unknown[]): unknown[] {
  const calls = callPositions(items)
  const answered = new Set(calls.values())
  return items.flatMap((item, index): unknown[] => {
    if (isCall(item))
      return answered.has(index) ? [withText(item)] : [withText(item), noResult(item)]
    if (!isOutput(item)) return [item]
    const call = items[calls.get(index) ?? -1]
    return isCall(call) ? [ofKind(item, call)] : orphan(item)
  })
}

/**
 * Which output answers which call, both by position: the newest open one of its id, as with brackets, so that a repaired
 * list pairs the same way again. Pure.
 */
export function callPositions(items: readonly unknown[]): Map<number, number> {
  const open = new Map<string, number[]>()
  const calls = new Map<number, number>()
  for (const [index, item] of items.entries()) {
    if (isCall(item)) open.set(item.call_id, [...(open.get(item.call_id) ?? []), index])
    else if (isOutput(item)) {
      const call = open.get(item.call_id)?.pop()
      if (call !== undefined) calls.set(index, call)
    }
  }
  return calls
}

/** A call whose arguments are the text that the backend expects. */
function withText(call: ToolItem): ToolItem {
  if (call.type === 'local_shell_call') return call
  const [key, none] =
    call.type === 'function_call' ? (['arguments', '{}'] as const) : (['input', ''] as const)
  const value = call[key]
  if (typeof value === 'string') return call
  return { ...call, [key]: value == null ? none : JSON.stringify(value) }
}

function noResult(call: ToolItem): JsonRecord {
  return { type: ANSWERS.get(call.type)?.[0], call_id: call.call_id, output: NO_RESULT }
}

function ofKind(output: ToolItem, call: ToolItem): ToolItem {
  const kinds = ANSWERS.get(call.type) ?? []
  return kinds.includes(output.type) ? output : { ...output, type: kinds[0] ?? output.type }
}

/** What an output without its call says; pictures and files can only come back as a message of the user. */
function orphan(output: ToolItem): unknown[] {
  const parts: unknown[] = Array.isArray(output.output) ? output.output : [output.output ?? '']
  const texts = parts.flatMap((part) => textOf(part) ?? [])
  const rest = parts.filter((part) => textOf(part) === undefined)
  const text = texts.join('\n')
  const shown =
    text.length > MAX_ORPHAN_CHARS
      ? `${text.slice(0, MAX_ORPHAN_CHARS)}\n[${text.length - MAX_ORPHAN_CHARS} more characters left out]`
      : text
  return [
    {
      role: 'assistant',
      content: [
        {
          type: 'output_text',
          text: `Result of the earlier tool call ${output.call_id}:\n${shown}`,
        },
      ],
    },
    ...(rest.length === 0 ? [] : [{ role: 'user', content: rest }]),
  ]
}

/** Undefined for what is no text. */
function textOf(part: unknown): string | undefined {
  if (!isRecord(part)) return typeof part === 'string' ? part : JSON.stringify(part)
  if (typeof part.text === 'string') return part.text
  return part.type === 'input_image' || part.type === 'input_file'
    ? undefined
    : JSON.stringify(part)
}

function hasId(item: JsonRecord): boolean {
  return typeof item.call_id === 'string' && item.call_id !== ''
}
