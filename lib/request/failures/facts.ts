import { isRecord, parsedJson } from '../../kernel/text/json.js'
import type { Block } from '../../routing/limits.js'

/** What is known of one failed attempt. */
export interface FailureFacts {
  /** HTTP status, when there was one. */
  readonly status?: number
  /** The backend's own code, lower case. */
  readonly code?: string
  /** The backend's sentence, without secrets; still to be put into words the host does not act on. */
  readonly message?: string
  /** The pause the server asks for before the same account is asked again, ms. */
  readonly retryAfterMs?: number
  /** What keeps the account out for a while, with evidence and an end. */
  readonly block?: Block
  readonly requestId?: string
  /** The request was answered, if not as it should be: asking again could be billed again. */
  readonly once?: boolean
}

/** What an error answer says, read by structure: where it stands decides, never which words occur in it. */
export interface ErrorFacts {
  /** Every code of the answer in lower case, the most telling place first; empty when it has none. */
  readonly codes: readonly string[]
  /** The sentence of the backend, if it is one; raw, so clean it before it is shown. */
  readonly message: string | undefined
  /** The object the error stands in: `error`, `detail`, or the body itself. */
  readonly fields: Readonly<Record<string, unknown>>
}

/** Headers that name an error when the body does not. */
const CODE_HEADERS = ['x-openai-authorization-error', 'x-codex-rate-limit-reached-type'] as const

/** A sentence is read this far; what looks for words in it must not be made to look through a whole answer, in characters. */
const MAX_SENTENCE = 8 * 1024

/** Codes are short names; anything else in their place is a sentence. */
const CODE_SHAPE = /^[\w.:-]{1,100}$/

/**
 * Reads an error body and the headers that speak of the error.
 * Known shapes: `{error:{code,type,message}}`, `{error:"code"}`, `{code,message}`, `{detail:{code,message}}`,
 * `{detail:"sentence"}`, `{detail:[{msg}]}`, header `x-error-json` (base64 of `{error:{code}}`).
 */
export function parseErrorBody(bodyText: string, headers: Headers): ErrorFacts {
  const facts = factsOf(parsedJson(bodyText))
  const inHeader = Buffer.from(headers.get('x-error-json') ?? '', 'base64').toString('utf8')
  const codes = [
    ...facts.codes,
    ...CODE_HEADERS.flatMap((name) => codeOf(headers.get(name))),
    ...factsOf(parsedJson(inHeader)).codes,
  ]
  return { ...facts, codes: [...new Set(codes)] }
}

/**
 * Reads the event a stream failed with: `response.failed` or a top-level `error` event, flat or nested, also in the
 * WebSocket form with `status` and `headers`.
 */
export function parseErrorEvent(event: unknown): {
  facts: ErrorFacts
  status: number | undefined
  headers: Headers
} {
  const { status, headers, response, ...flat } = isRecord(event) ? event : {}
  // The type of the event itself ("error") is not a code.
  const { type: _type, ...source } = isRecord(response) ? response : flat
  return {
    facts: factsOf(source),
    status: typeof status === 'number' ? status : undefined,
    headers: headersOf(headers),
  }
}

/** A string with something in it, else undefined. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined
}

/** A finite number, also when it comes as text, else undefined. */
export function numberOf(value: unknown): number | undefined {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined
}

function factsOf(body: unknown): ErrorFacts {
  if (!isRecord(body)) return { codes: [], message: undefined, fields: {} }
  const { error, detail } = body
  const fields = [error, detail].find(isRecord) ?? body
  const codes = [fields.code, fields.type, fields.rate_limit_reached_type, error, body.code]
  const message =
    textOf(fields.message) ?? sentenceOf(detail) ?? sentenceOf(error) ?? textOf(body.message)
  return {
    codes: [...new Set(codes.flatMap(codeOf))],
    fields,
    message: message?.slice(0, MAX_SENTENCE),
  }
}

function codeOf(value: unknown): string[] {
  const text = textOf(value)
  return text !== undefined && CODE_SHAPE.test(text) ? [text.toLowerCase()] : []
}

/** A plain sentence, or the sentences of a list of validation errors. */
function sentenceOf(value: unknown): string | undefined {
  if (!Array.isArray(value)) return textOf(value)
  const sentences = value.flatMap((item) => (isRecord(item) ? (textOf(item.msg) ?? []) : []))
  return textOf(sentences.join('; '))
}

function headersOf(value: unknown): Headers {
  const headers = new Headers()
  for (const [name, content] of Object.entries(isRecord(value) ? value : {})) {
    if (typeof content !== 'string' && typeof content !== 'number') continue
    // A name or value that is no header is no fact either.
    if (/^[\w-]+$/.test(name) && /^[\x20-\x7e]*$/.test(String(content)))
      headers.set(name, String(content))
  }
  return headers
}

/** A longer pause than this is no pause but a limit; it is kept within reason, ms. */
export const MAX_RETRY_AFTER_MS = 32 * 86_400_000

/** "try again in 1.3s", "in 20 seconds", "in 250ms". */
const PAUSE_SENTENCE =
  /try again in\s{0,4}(\d{1,9}(?:\.\d{1,9})?)\s{0,4}(ms|s|seconds?|m|minutes?)\b/i

/**
 * How long the server asks to wait: `retry-after-ms`, `retry-after` in seconds or as a date (RFC 9110 §10.2.3), then the
 * hint inside its sentence. Undefined when it says nothing usable.
 * @returns ms, 0 or more
 */
export function retryAfterMs(
  headers: Headers,
  message: string | undefined,
  nowMs: number,
): number | undefined {
  const ms = numberOf(headers.get('retry-after-ms'))
  if (ms !== undefined && ms >= 0) return Math.min(ms, MAX_RETRY_AFTER_MS)
  const header = headers.get('retry-after')
  const seconds = numberOf(header)
  if (seconds !== undefined && seconds >= 0) return Math.min(seconds * 1000, MAX_RETRY_AFTER_MS)
  const date = header === null || seconds !== undefined ? Number.NaN : Date.parse(header)
  if (Number.isFinite(date)) return Math.min(Math.max(0, date - nowMs), MAX_RETRY_AFTER_MS)
  const hint = PAUSE_SENTENCE.exec(message ?? '')
  if (hint === null) return undefined
  const unit = hint[2]?.toLowerCase() ?? 's'
  const factor = unit === 'ms' ? 1 : unit.startsWith('m') ? 60_000 : 1000
  return Math.min(Number(hint[1]) * factor, MAX_RETRY_AFTER_MS)
}

/** An error answer longer than this is not read to its end, bytes. */
const MAX_BODY_BYTES = 64 * 1024
/** An error answer that does not come to its end in this time is judged by what is there, ms. */
const MAX_BODY_WAIT_MS = 5_000

/** The start of an error answer; what cannot be read, or does not come, counts as empty: the status says enough. */
export async function readErrorBody(response: Response, signal: AbortSignal): Promise<string> {
  const reader = response.body?.getReader()
  if (reader === undefined) return ''
  const stop = (): void => void reader.cancel().catch(() => undefined)
  const timer = setTimeout(stop, MAX_BODY_WAIT_MS)
  timer.unref()
  signal.addEventListener('abort', stop, { once: true })
  const decoder = new TextDecoder()
  let text = ''
  try {
    for (let bytes = 0; bytes < MAX_BODY_BYTES;) {
      const { done, value } = await reader.read()
      if (done) break
      const piece = value.subarray(0, MAX_BODY_BYTES - bytes)
      bytes += piece.byteLength
      text += decoder.decode(piece, { stream: true })
    }
  } catch {
    // As if it had ended here.
  }
  clearTimeout(timer)
  signal.removeEventListener('abort', stop)
  stop()
  return text
}
