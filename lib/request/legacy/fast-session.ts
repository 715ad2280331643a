import { isRecord } from '../../kernel/text/json.js'
import { callPositions, isCall, isOutput } from '../body/tool-pairs.js'

export interface FastSession {
  /** `hybrid`: only for talk without tools and structure. */
  readonly strategy: 'hybrid' | 'always'
  /** Longest conversation that is sent, items. */
  readonly maxItems: number
}

/** Items at the end that are looked at for tools, at least. */
const RECENT_ITEMS = 12
/** Messages of the user that are looked at for structure. */
const RECENT_PROMPTS = 3
/** Lines from which on a prompt has structure. */
const MANY_LINES = 3
/** Fences of code, lists, tables. */
const STRUCTURE = /```|^[ \t]*(?:[-*+]|\d{1,9}[.)])\s|^[ \t]*\|.*\|/m

/** True for a conversation that a fast session may shorten. Pure. */
export function allowsFastSession(items: readonly unknown[], { strategy }: FastSession): boolean {
  if (strategy === 'always') return true
  const recent = items.slice(-Math.max(RECENT_ITEMS, Math.floor(items.length / 2)))
  if (recent.some((item) => isCall(item) || isOutput(item))) return false
  const prompts = items.filter(isPrompt).slice(-RECENT_PROMPTS).map(promptText)
  return !prompts.some(
    (text) =>
      STRUCTURE.test(text) ||
      text.split('\n').filter((line) => line.trim() !== '').length >= MANY_LINES,
  )
}

/**
 * The end of a conversation, with what stands before it: the prompts of the system at its head and the last message of the
 * user. Never parts a call from its output, so it may be longer than `maxItems`. The beginning moves in steps, because each
 * move costs the prompt cache. Pure; calls and outputs have to be in pairs.
 */
export function endOfConversation(items: readonly unknown[], maxItems: number): readonly unknown[] {
  const found = items.findIndex((item) => !isSystem(item))
  const head = found < 0 ? items.length : found
  const surplus = items.length - head - maxItems
  if (surplus <= 0) return items
  const step = Math.max(1, Math.floor(maxItems / 2))
  const start = wholePairsFrom(items, head + Math.ceil(surplus / step) * step)
  const prompt = items.findLastIndex(isPrompt)
  return [
    ...items.slice(0, head),
    ...(prompt >= head && prompt < start ? [items[prompt]] : []),
    ...items.slice(start),
  ]
}

/** The nearest place at or before `from` that no pair of call and output reaches across. */
function wholePairsFrom(items: readonly unknown[], from: number): number {
  const calls = callPositions(items)
  let start = from
  for (let at = items.length - 1; at >= start; at -= 1)
    start = Math.min(start, calls.get(at) ?? start)
  return start
}

function isSystem(item: unknown): boolean {
  return isRecord(item) && (item.role === 'developer' || item.role === 'system')
}

function isPrompt(item: unknown): boolean {
  return isRecord(item) && item.role === 'user'
}

function promptText(item: unknown): string {
  const content = isRecord(item) ? item.content : undefined
  const parts: unknown[] = Array.isArray(content) ? content : [content]
  return parts
    .flatMap((part) =>
      typeof part === 'string'
        ? [part]
        : isRecord(part) && typeof part.text === 'string'
          ? [part.text]
          : [],
    )
    .join('\n')
}
