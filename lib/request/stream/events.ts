import { createParser } from 'eventsource-parser'
import * as s from '../../kernel/shape.js'

import { isRecord, parsedJson } from '../../kernel/text/json.js'
import { maybe } from '../../kernel/text/odd-values.js'
import { cutText } from '../failures/host-text.js'
import type { TokenUsage } from '../trace/trace.js'

/** The data of one whole SSE event as JSON; undefined when it is none. */
export function dataOfEvent(bytes: Uint8Array): unknown {
  let value: unknown
  const parser = createParser({
    onEvent: ({ data }) => {
      value = parsedJson(data)
    },
  })
  // The parser waits behind a CR for the LF that may belong to it.
  parser.feed(`${new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)}\n`)
  return value
}

/** The type the data of an event has, undefined without one. */
export function typeOf(data: unknown): string | undefined {
  const type = isRecord(data) ? data.type : undefined
  return typeof type === 'string' ? type : undefined
}

/** What is left of an event that is taken out: comments, and fields that hold for the events behind it too. */
export function otherLines(bytes: Uint8Array): Uint8Array {
  const lines = latin1(bytes).split(/\r\n|\r|\n/)
  const left = lines.filter((line) => /^(?::|id(?::|$)|retry:)/.test(line))
  return left.length === 0 ? new Uint8Array() : bytesOfLatin1(`${left.join('\n')}\n\n`)
}

/**
 * A terminal event in the form the host ends a turn on: named `response.completed`, with token counts, behind a whole
 * line end. It takes one without counts for no end at all and asks again
 * (docs/development/facts/opencode-host.md#end-of-a-stream).
 * @param event its data
 * @returns the same bytes when they are in that form already
 */
export function asCompleted(bytes: Uint8Array, event: unknown): Uint8Array {
  if (!isRecord(event)) return bytes
  const { response } = event
  const type = event.type === 'response.done' ? 'response.completed' : event.type
  if (!hasHostUsage(event))
    return inUsualForm(bytes, {
      ...event,
      type,
      response: { ...(isRecord(response) ? response : {}), usage: countedUsage(event) },
    })
  if (type === event.type) return withLineEnd(bytes)
  return renamed(bytes) ?? inUsualForm(bytes, { ...event, type })
}

/** What has to follow a terminal event that went out before it was known for one; often nothing. */
export function afterTerminal(bytes: Uint8Array, event: unknown): Uint8Array {
  const put = asCompleted(bytes, event)
  return hasHostUsage(event) && typeOf(event) !== 'response.done' ? put.subarray(bytes.length) : put
}

const CR = 13
const LF = 10

/** Parsers wait behind a CR for the LF that may belong to it; behind the last event nothing follows. */
function withLineEnd(bytes: Uint8Array): Uint8Array {
  return bytes.at(-1) === CR ? Buffer.concat([bytes, Uint8Array.of(LF)]) : bytes
}

function inUsualForm(bytes: Uint8Array, data: Readonly<Record<string, unknown>>): Uint8Array {
  const others = otherLines(bytes)
  const text = `event: ${String(data.type)}\ndata: ${JSON.stringify(data)}\n\n`
  const event = new TextEncoder().encode(text)
  return others.length === 0 ? event : Buffer.concat([others.subarray(0, -1), event])
}

const DONE_MEMBER = /("type"\s*:\s*)"response\.done"/g

/**
 * Only the two names differ; Latin-1 keeps every other byte as it is, there and back.
 * @returns undefined when the name is written in another way, or in more places
 */
function renamed(bytes: Uint8Array): Uint8Array | undefined {
  const text = latin1(withLineEnd(bytes))
  if ((text.match(DONE_MEMBER) ?? []).length !== 1) return undefined
  const named = text
    .replace(/^(event: ?)response\.done(?=\r?$)/m, '$1response.completed')
    .replace(DONE_MEMBER, '$1"response.completed"')
  const put = bytesOfLatin1(named)
  return typeOf(dataOfEvent(put)) === 'response.completed' ? put : undefined
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}

function bytesOfLatin1(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'latin1'))
}

/** Limits for an event that tells of a failure: its texts are cleaned by expressions and shown to people. */
const MAX_DEPTH = 6
const MAX_MEMBERS = 100
const MAX_ITEMS = 20

/** A copy small enough to be judged: long texts are cut, and what lies deep or far behind is left out. */
export function shortened(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return cutText(value)
  if (typeof value !== 'object' || value === null) return value
  if (depth >= MAX_DEPTH) return undefined
  if (Array.isArray(value))
    return value.slice(0, MAX_ITEMS).map((item) => shortened(item, depth + 1))
  const members = Object.entries(value).slice(0, MAX_MEMBERS)
  return Object.fromEntries(members.map(([key, inner]) => [key, shortened(inner, depth + 1)]))
}

const NO_USAGE = { input_tokens: 0, output_tokens: 0, total_tokens: 0 }

/** Token counts as the host reads them; others make the event no end for it. */
const hostUsageSchema = s.looseObject({
  input_tokens: s.number(),
  output_tokens: s.number(),
  input_tokens_details: s.looseObject({ cached_tokens: s.number().nullish() }).nullish(),
  output_tokens_details: s.looseObject({ reasoning_tokens: s.number().nullish() }).nullish(),
})

function hasHostUsage(event: unknown): boolean {
  const response = isRecord(event) ? event.response : undefined
  return isRecord(response) && hostUsageSchema.safeParse(response.usage).success
}

/** What can be used of the counts; zero for the others. */
function countedUsage(event: unknown): Readonly<Record<string, unknown>> {
  return { ...NO_USAGE, ...responseOf(event)?.usage }
}

const count = s.number().catch(0)
const usageSchema = s.looseObject({
  input_tokens: count,
  output_tokens: count,
  input_tokens_details: maybe(s.looseObject({ cached_tokens: count })),
  output_tokens_details: maybe(s.looseObject({ reasoning_tokens: count })),
})
const responseSchema = s.looseObject({
  output: maybe(s.array(s.unknown())),
  usage: maybe(usageSchema),
})

/** The answer a terminal event tells of, as far as it can be used. */
function responseOf(event: unknown): s.Infer<typeof responseSchema> | undefined {
  return responseSchema.safeParse(isRecord(event) ? event.response : undefined).data
}

/** Token counts of a terminal event, if it has any (docs/development/facts/codex-backend.md#stream-events). */
export function usageOf(event: unknown): TokenUsage | undefined {
  const usage = responseOf(event)?.usage
  if (usage === undefined) return undefined
  return {
    inputTokens: usage.input_tokens,
    cachedTokens: usage.input_tokens_details?.cached_tokens ?? 0,
    outputTokens: usage.output_tokens,
    reasoningTokens: usage.output_tokens_details?.reasoning_tokens ?? 0,
  }
}

/** True when the terminal event itself carries output that was never streamed. */
export function hasOutput(event: unknown): boolean {
  return (responseOf(event)?.output ?? []).length > 0
}
