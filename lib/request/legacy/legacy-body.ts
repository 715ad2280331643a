import { modelFact } from '../../models/facts.js'
import { clampEffort, isEffort } from '../../models/resolve.js'
import { toolMessage } from '../../prompts/tool-message.js'
import { isRecord, type JsonRecord } from '../../kernel/text/json.js'
import { allowsFastSession, endOfConversation, type FastSession } from './fast-session.js'
import { repairToolPairs } from '../body/tool-pairs.js'

export interface LegacyOptions {
  /** Tell the model which tools it has. */
  readonly codexMode: boolean
  /** Instructions for requests that bring none; not asked for others. */
  instructions(): string
  /** Undefined: conversations are sent whole. */
  readonly fastSession?: FastSession | undefined
}

const SUMMARIES: readonly unknown[] = ['auto', 'concise', 'detailed']

/**
 * A request of an old host in the form of today's: instructions in their place, calls and outputs in pairs, effort and
 * verbosity as the model takes them. What has no list of items is none and passes untouched. Pure, takes any JSON.
 */
export function legacyBody(body: JsonRecord, options: LegacyOptions): JsonRecord {
  if (!Array.isArray(body.input)) return body
  const model = typeof body.model === 'string' ? body.model : ''
  const { instructions, items } = hoisted(body.instructions, body.input, () =>
    options.instructions(),
  )
  const whole = repairToolPairs(items)
  const fast =
    options.fastSession !== undefined && allowsFastSession(whole, options.fastSession)
      ? options.fastSession
      : undefined
  const message = options.codexMode ? toolMessage(toolNames(body.tools)) : undefined
  return {
    ...body,
    instructions,
    input: withMessage(
      fast === undefined ? whole : endOfConversation(whole, fast.maxItems),
      message,
    ),
    ...reasoningOf(body.reasoning, model, fast !== undefined),
    ...textOf(body.text, model),
  }
}

/** Old hosts send the system prompt as the first item (docs/development/facts/opencode-host.md#requests). */
function hoisted(
  given: unknown,
  items: readonly unknown[],
  fallback: () => string,
): { instructions: unknown; items: readonly unknown[] } {
  if (given != null && given !== '') return { instructions: given, items }
  const text = promptText(items[0])
  return text === undefined
    ? { instructions: fallback(), items }
    : { instructions: text, items: items.slice(1) }
}

function promptText(item: unknown): string | undefined {
  if (
    !isRecord(item) ||
    (item.role !== 'developer' && item.role !== 'system') ||
    (item.type !== undefined && item.type !== 'message')
  )
    return undefined
  const parts: unknown[] = Array.isArray(item.content) ? item.content : [item.content]
  const texts = parts.map((part) =>
    isRecord(part) && part.type === 'input_text' ? part.text : part,
  )
  return texts.every((text) => typeof text === 'string') && texts.some((text) => text !== '')
    ? texts.join('\n\n')
    : undefined
}

function withMessage(items: readonly unknown[], text: string | undefined): readonly unknown[] {
  if (text === undefined) return items
  const item = { role: 'developer', content: [{ type: 'input_text', text }] }
  return JSON.stringify(items[0]) === JSON.stringify(item) ? items : [item, ...items]
}

function reasoningOf(given: unknown, model: string, least: boolean): JsonRecord {
  if (given != null && !isRecord(given)) return {}
  const { effort: asked, summary: wanted, ...rest } = given ?? {}
  const usual =
    least && modelFact(model) !== undefined
      ? clampEffort(model, 'none')
      : modelFact(model)?.defaultEffort
  const effort = isEffort(asked) ? clampEffort(model, asked) : (asked ?? usual)
  const summary = SUMMARIES.includes(wanted) ? wanted : wanted === 'none' ? undefined : 'auto'
  return { reasoning: { ...rest, effort, summary } }
}

function textOf(given: unknown, model: string): JsonRecord {
  const verbosity = modelFact(model)?.verbosity
  if (verbosity === undefined || (given != null && !isRecord(given)) || given?.verbosity != null)
    return {}
  return { text: { ...given, verbosity } }
}

/** Names of the tools of a request; tools of the backend have no name but a type. Pure. */
function toolNames(tools: unknown): string[] {
  if (!Array.isArray(tools)) return []
  return tools.flatMap((tool: unknown): string[] => {
    if (!isRecord(tool)) return []
    if (tool.type === 'namespace') return toolNames(tool.tools)
    const name = tool.name ?? tool.type
    return typeof name === 'string' && name !== '' ? [name] : []
  })
}
