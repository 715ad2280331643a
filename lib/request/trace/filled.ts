import { isRecord } from '../../kernel/text/json.js'
import { HIDDEN_NAME, hiddenIn } from './hide.js'
import type { ShownHeaders } from './hidden-headers.js'

/** No body that was kept is longer, whatever the lengths in a file say, in characters. */
const MAX_CHARS = 8 * 1024 * 1024
/** No header that is sent is longer, in characters. */
const MAX_HEADER_CHARS = 4096

/** A body that can be sent again, and what it lacks. */
interface FilledBody {
  readonly body: unknown
  /** Texts that were made up, each as long as the one it stands for. */
  readonly filled: number
  /** Items of the history that only the account they were made for can read. */
  readonly leftOut: number
}

/**
 * The body of a snapshot with texts in place of what was hidden: of the same length, and the same wherever the same was
 * hidden, so that a call still fits its output. Reasoning that only its account can read is left out. Pure.
 */
export function filledBody(body: unknown): FilledBody {
  let filled = 0
  let leftOut = 0
  let room = MAX_CHARS
  const madeUp = (length: number, digest: string): string => {
    const text = repeated(Math.min(length, room), digest)
    room -= text.length
    return text
  }
  const fill = (value: unknown): unknown => {
    const mark = hiddenIn(value)?.['~']
    if (mark !== undefined) {
      filled += 1
      return mark === 'number' ? 0 : mark === 'cut' ? null : madeUp(...mark)
    }
    if (Array.isArray(value)) return value.map(fill)
    if (!isRecord(value)) return value
    return Object.fromEntries(
      Object.entries(value).map(([name, inner]) => [filledName(name, madeUp), fill(inner)]),
    )
  }
  const readable =
    isRecord(body) && Array.isArray(body.input)
      ? { ...body, input: body.input.filter((item) => !isSealed(item)) }
      : body
  if (isRecord(body) && isRecord(readable) && Array.isArray(body.input))
    leftOut = body.input.length - (readable.input as unknown[]).length
  return { body: fill(readable), filled, leftOut }
}

/** The headers of a snapshot as far as they are known; those of an account and of this hop are not repeated. Pure. */
export function filledHeaders(headers: ShownHeaders): Record<string, string> {
  const filled: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (NOT_REPEATED.has(name) || HIDDEN_NAME.test(name)) continue
    const mark = typeof value === 'string' ? value : value['~']
    filled[name] =
      typeof mark === 'string' ? mark : repeated(Math.min(mark[0], MAX_HEADER_CHARS), mark[1])
  }
  return filled
}

const NOT_REPEATED = new Set([
  'accept-encoding',
  'authorization',
  'chatgpt-account-id',
  'connection',
  'content-encoding',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'x-codex-turn-state',
  'x-openai-account-routing-override',
])

function isSealed(item: unknown): boolean {
  return isRecord(item) && item.encrypted_content !== undefined && item.encrypted_content !== null
}

function filledName(name: string, madeUp: typeof repeated): string {
  const [, length, digest] = HIDDEN_NAME.exec(name) ?? []
  return length === undefined || digest === undefined ? name : madeUp(Number(length), digest)
}

function repeated(length: number, digest: string): string {
  return digest.repeat(Math.ceil(length / digest.length)).slice(0, length)
}
