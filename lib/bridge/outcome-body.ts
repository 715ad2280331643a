import { isRecord, parsedJson } from '../kernel/json.js'

/** What an error answer says, read by structure: where it stands decides, never which words occur in it. */
export interface ErrorFacts {
  /** Every code of the answer in lower case, the most telling place first; empty when it has none. */
  readonly codes: readonly string[]
  /** The sentence of the backend, if it is one; raw, so clean it before anybody sees it. */
  readonly message?: string
  /** The object the error stands in: `error`, `detail`, or the body itself. */
  readonly fields: Readonly<Record<string, unknown>>
}

const NOTHING: ErrorFacts = { codes: [], fields: {} }

/** Headers that name an error when the body does not (wire facts §7). */
const CODE_HEADERS = ['x-openai-authorization-error', 'x-codex-rate-limit-reached-type'] as const

/** A sentence is read this far; what looks for words in it must not be made to look through a whole answer, in characters. */
const MAX_SENTENCE = 8 * 1024

/** Codes are short names; anything else in their place is a sentence. */
const CODE_SHAPE = /^[\w.:-]{1,100}$/

/**
 * Reads an error body and the headers that speak of the error.
 * Known shapes: `{error:{code,type,message}}`, `{error:"code"}`, `{code,message}`, `{detail:{code,message}}`,
 * `{detail:"sentence"}`, `{detail:[{msg}]}`, header `x-error-json` (wire facts §7, §8; second study §7).
 */
export function parseErrorBody(bodyText: string, headers: Headers): ErrorFacts {
  const body = parsedRecord(bodyText)
  const facts = body === undefined ? NOTHING : factsOf(body)
  const named = [
    ...CODE_HEADERS.flatMap((name) => codeOf(headers.get(name))),
    ...codesOfErrorJson(headers),
  ]
  return named.length === 0 ? facts : { ...facts, codes: unique([...facts.codes, ...named]) }
}

/**
 * Reads the event a stream failed with: `response.failed` or a top-level `error` event, flat or nested, also in the
 * WebSocket form with `status` and `headers` (second study §3, §7).
 */
export function parseErrorEvent(event: unknown): {
  facts: ErrorFacts
  status?: number
  headers: Headers
} {
  if (!isRecord(event)) return { facts: NOTHING, headers: new Headers() }
  const { status, headers } = event
  const source = isRecord(event['response']) ? event['response'] : event
  // The type of the event itself ("error") is not a code.
  const { type: _type, ...rest } = source
  return {
    facts: factsOf(rest),
    ...(typeof status === 'number' ? { status } : {}),
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

function factsOf(body: Record<string, unknown>): ErrorFacts {
  const { error, detail } = body
  const inner = [error, detail].find(isRecord) ?? body
  const codes = [
    ...codeOf(inner['code']),
    ...codeOf(inner['type']),
    ...codeOf(inner['rate_limit_reached_type']),
    ...codeOf(error),
    ...codeOf(body['code']),
  ]
  const message =
    textOf(inner['message']) ?? sentenceOf(detail) ?? sentenceOf(error) ?? textOf(body['message'])
  return {
    codes: unique(codes),
    fields: inner,
    ...(message === undefined ? {} : { message: message.slice(0, MAX_SENTENCE) }),
  }
}

function codeOf(value: unknown): string[] {
  const text = textOf(value)
  return text !== undefined && CODE_SHAPE.test(text) ? [text.toLowerCase()] : []
}

/** A plain sentence, or the sentences of a list of validation errors. */
function sentenceOf(value: unknown): string | undefined {
  if (Array.isArray(value)) {
    const sentences = value.flatMap((item) => (isRecord(item) ? (textOf(item['msg']) ?? []) : []))
    return textOf(sentences.join('; '))
  }
  return textOf(value)
}

/** `x-error-json`: base64 of `{error:{code}}`. */
function codesOfErrorJson(headers: Headers): readonly string[] {
  const value = headers.get('x-error-json')
  if (value === null) return []
  const body = parsedRecord(Buffer.from(value, 'base64').toString('utf8'))
  return body === undefined ? [] : factsOf(body).codes
}

function headersOf(value: unknown): Headers {
  const headers = new Headers()
  if (!isRecord(value)) return headers
  for (const [name, content] of Object.entries(value)) {
    if (typeof content !== 'string' && typeof content !== 'number') continue
    // A name or value that is no header is no fact either.
    if (/^[\w-]+$/.test(name) && /^[\x20-\x7e]*$/.test(String(content)))
      headers.set(name, String(content))
  }
  return headers
}

function parsedRecord(text: string): Record<string, unknown> | undefined {
  const value = parsedJson(text)
  return isRecord(value) ? value : undefined
}

function unique(values: readonly string[]): string[] {
  return [...new Set(values)]
}
