import { createParser } from 'eventsource-parser'
import * as s from '../../kernel/shape.js'

import { CodexError, ERROR_TABLE, type ErrorCode, isCodexError } from '../../kernel/errors.js'
import { parsedJson } from '../../kernel/text/json.js'
import { maybe } from '../../kernel/text/odd-values.js'
import { errorResponse } from '../failures/host-error.js'

/** A longer answer is refused: a caller without streaming holds it in memory twice, bytes. */
const MAX_BYTES = 32 * 1024 * 1024

const TERMINAL = new Set(['response.completed', 'response.done', 'response.incomplete'])

/** A place beyond this is taken for none. */
const MAX_INDEX = 9999

const eventSchema = s.looseObject({
  type: s.string(),
  item: s.unknown().optional(),
  output_index: maybe(s.int({ min: 0, max: MAX_INDEX })),
  response: maybe(s.looseObject({ output: maybe(s.array(s.unknown())) })),
  error: maybe(s.looseObject({ message: maybe(s.string()), reason: maybe(s.string()) })),
})

/**
 * Reads a stream to its end and answers with the finished response as JSON, for callers that do not stream. Items come
 * from `output_item.done`; the terminal event often has none (docs/development/facts/codex-backend.md#stream-events). A
 * failure becomes an error answer.
 * @throws what the stream was broken off with when it is no error of ours, the reason of an abort say
 */
export async function aggregate(body: ReadableStream<Uint8Array>): Promise<Response> {
  const items: unknown[] = []
  let response: Record<string, unknown> | undefined
  let failure: CodexError | undefined
  const parser = createParser({
    onEvent({ data }) {
      const event = eventSchema.safeParse(parsedJson(data)).data
      if (event === undefined) return
      if (event.type === 'response.output_item.done')
        items[event.output_index ?? items.length] = event.item
      else if (TERMINAL.has(event.type)) response ??= event.response ?? {}
      else if (event.type === 'error')
        failure = new CodexError(
          codeOf(event.error?.reason),
          event.error?.message ?? 'The answer broke off.',
          // Its message says already what to do.
          { hint: '' },
        )
    },
  })
  const decoder = new TextDecoder()
  let bytes = 0
  let endsWithCr = false
  try {
    for await (const chunk of body) {
      bytes += chunk.byteLength
      if (bytes > MAX_BYTES) return broken('The answer is too long to be handed over in one piece.')
      const text = decoder.decode(chunk, { stream: true })
      if (text !== '') endsWithCr = text.endsWith('\r')
      parser.feed(text)
    }
    // The parser waits behind a CR for the LF that may belong to it.
    if (endsWithCr) parser.feed('\n')
  } catch (error) {
    if (!isCodexError(error)) throw error
    return errorResponse(error)
  }
  if (failure !== undefined) return errorResponse(failure)
  if (response === undefined) return broken('The answer broke off before it was complete.')
  const output =
    Array.isArray(response.output) && response.output.length > 0
      ? response.output
      : items.filter((item) => item !== undefined)
  return Response.json({ ...response, output })
}

function broken(why: string): Response {
  return errorResponse(new CodexError('stream_broken', why))
}

/** Our own error events name their code (see `errorEventBytes`). */
function codeOf(reason: string | undefined): ErrorCode {
  return reason !== undefined && Object.hasOwn(ERROR_TABLE, reason)
    ? (reason as ErrorCode)
    : 'stream_broken'
}
