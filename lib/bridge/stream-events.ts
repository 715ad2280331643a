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

/** `response.done` under the name the host waits for; everything else of the event stays (host facts §4). */
export function asCompleted(bytes: Uint8Array): Uint8Array {
  const text = new TextDecoder().decode(bytes)
  const renamed = text.replace(/^(event:[ \t]*)response\.done/m, '$1response.completed').replace(/("type"\s*:\s*")response\.done"/, '$1response.completed"')
  return new TextEncoder().encode(renamed)
}

const count = z.number().catch(0)
const terminalSchema = z.looseObject({
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
