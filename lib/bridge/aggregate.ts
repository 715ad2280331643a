import { createParser } from 'eventsource-parser'
import * as z from 'zod'

import { CodexError } from '../kernel/errors.js'
import { errorResponse } from './host-error.js'

/** A longer answer is refused: a caller without streaming holds it in memory twice, bytes. */
const MAX_BYTES = 32 * 1024 * 1024

const eventSchema = z.looseObject({
  type: z.string(),
  item: z.unknown().optional(),
  output_index: z.number().optional().catch(undefined),
  response: z.looseObject({ output: z.array(z.unknown()).optional().catch(undefined) }).optional().catch(undefined),
  error: z.looseObject({ message: z.string().optional().catch(undefined) }).optional().catch(undefined),
})

/**
 * Reads a stream to its end and answers with the finished response as JSON, for callers that do not stream. Items come
 * from `output_item.done`; the terminal event often has none (wire facts §9).
 */
export async function aggregate(body: ReadableStream<Uint8Array>): Promise<Response> {
  const items: unknown[] = []
  let response: Record<string, unknown> | undefined
  let failure: string | undefined
  const parser = createParser({
    onEvent({ data }) {
      const event = parsed(data)
      if (event === undefined) return
      if (event.type === 'response.output_item.done') items[event.output_index ?? items.length] = event.item
      else if (event.type === 'response.completed' || event.type === 'response.incomplete') response = event.response ?? {}
      else if (event.type === 'error') failure = event.error?.message ?? 'The answer broke off.'
    },
  })
  const decoder = new TextDecoder()
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.byteLength
    if (bytes > MAX_BYTES) return errorResponse(new CodexError('stream_broken', 'The answer is too long to be handed over in one piece.'))
    parser.feed(decoder.decode(chunk, { stream: true }))
  }
  if (failure !== undefined || response === undefined) return errorResponse(new CodexError('stream_broken', failure ?? 'The answer broke off before it was complete.'))
  const output = Array.isArray(response.output) && response.output.length > 0 ? response.output : items.filter((item) => item !== undefined)
  return Response.json({ ...response, output })
}

function parsed(data: string): z.infer<typeof eventSchema> | undefined {
  try {
    return eventSchema.safeParse(JSON.parse(data)).data
  } catch {
    return undefined
  }
}
