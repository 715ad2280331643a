import { createParser } from 'eventsource-parser'
import * as z from 'zod'

import type { TokenUsage } from './trace.js'

/** The data of one whole SSE event as JSON; undefined when it is none. */
export function dataOfEvent(bytes: Uint8Array): unknown {
  let value: unknown
  const parser = createParser({
    onEvent: ({ data }) => {
      try {
        value = JSON.parse(data)
      } catch {
        value = undefined
      }
    },
  })
  parser.feed(new TextDecoder().decode(bytes))
  return value
}

/**
 * A terminal event in the form the host ends a turn on: named `response.completed`, with token counts. It takes one
 * without counts for no end at all and asks again (host facts §4).
 * @returns the same bytes when they are in that form already
 */
export function asCompleted(bytes: Uint8Array, event: unknown): Uint8Array {
  const parsed = terminalSchema.safeParse(event)
  if (!parsed.success) return bytes
  const isDone = parsed.data.type === 'response.done'
  if (usageOf(event) !== undefined) return isDone ? renamed(bytes) : bytes
  const type = isDone ? 'response.completed' : parsed.data.type
  const response = { ...parsed.data.response, usage: NO_USAGE }
  return new TextEncoder().encode(`event: ${type}\ndata: ${JSON.stringify({ ...parsed.data, type, response })}\n\n`)
}

/** Only the two names differ; Latin-1 keeps every other byte as it is, there and back. */
function renamed(bytes: Uint8Array): Uint8Array {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
  const named = text.replace(/^(event: ?)response\.done(?=\r?$)/m, '$1response.completed').replace(/("type"\s*:\s*)"response\.done"/, '$1"response.completed"')
  return new Uint8Array(Buffer.from(named, 'latin1'))
}

const NO_USAGE = { input_tokens: 0, output_tokens: 0, total_tokens: 0 }

const count = z.number().catch(0)
const terminalSchema = z.looseObject({
  type: z.string().catch('response.completed'),
  response: z
    .looseObject({
      output: z.array(z.unknown()).optional().catch(undefined),
      usage: z
        .looseObject({
          input_tokens: count,
          output_tokens: count,
          input_tokens_details: z.looseObject({ cached_tokens: count }).nullable().optional().catch(undefined),
          output_tokens_details: z.looseObject({ reasoning_tokens: count }).nullable().optional().catch(undefined),
        })
        .nullable()
        .optional()
        .catch(undefined),
    })
    .optional()
    .catch(undefined),
})

/** Token counts of a terminal event, if it has any (wire facts §9). */
export function usageOf(event: unknown): TokenUsage | undefined {
  const usage = terminalSchema.safeParse(event).data?.response?.usage
  if (usage == null) return undefined
  return {
    inputTokens: usage.input_tokens,
    cachedTokens: usage.input_tokens_details?.cached_tokens ?? 0,
    outputTokens: usage.output_tokens,
    reasoningTokens: usage.output_tokens_details?.reasoning_tokens ?? 0,
  }
}

/** True when the terminal event itself carries output that was never streamed. */
export function hasOutput(event: unknown): boolean {
  return (terminalSchema.safeParse(event).data?.response?.output ?? []).length > 0
}
