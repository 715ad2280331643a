import { isRecord, parsedJson } from '../kernel/json.js'
import type { Exchange } from './transport.js'

/** A longer answer in one piece is not taken, bytes. */
const MAX_BYTES = 32 * 1024 * 1024

/** Statuses of a finished answer, with the event that ends a stream in that way. */
const ENDS: Readonly<Record<string, string>> = {
  completed: 'response.completed',
  incomplete: 'response.incomplete',
  failed: 'response.failed',
}

/**
 * An answer as events. An event stream passes as it is; a whole answer in JSON, from an endpoint that does not stream,
 * becomes the events it stands for, so that nobody has to ask, and pay, a second time.
 * @returns `inOnePiece` for JSON; undefined when it is JSON that is no answer
 */
export async function inEvents(
  exchange: Exchange,
): Promise<{ readonly exchange: Exchange; readonly inOnePiece: boolean } | undefined> {
  const { response } = exchange
  const type = response.headers.get('content-type') ?? ''
  if (response.body === null || type.startsWith('text/event-stream'))
    return { exchange, inOnePiece: false }
  const reader = response.body.getReader()
  const chunks: Uint8Array[] = []
  const start = await firstCharacter(reader, chunks)
  if (start !== '{' && start !== '[')
    return {
      exchange: { ...exchange, response: rebuilt(response, chunks, reader) },
      inOnePiece: false,
    }
  const text = await wholeText(reader, chunks)
  const events = text === undefined ? undefined : eventsOf(parsedJson(text))
  if (events === undefined) {
    exchange.release()
    return undefined
  }
  const stream = events
    .map(
      (event, sequence) =>
        `event: ${event.type}\ndata: ${JSON.stringify({ ...event, sequence_number: sequence })}\n\n`,
    )
    .join('')
  const headers = new Headers(response.headers)
  headers.set('content-type', 'text/event-stream')
  return {
    exchange: { ...exchange, response: new Response(stream, { headers }) },
    inOnePiece: true,
  }
}

/** The first character that is no blank; what was read up to it is in `chunks`. */
async function firstCharacter(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  chunks: Uint8Array[],
): Promise<string> {
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return ''
    chunks.push(value)
    const text = new TextDecoder().decode(value).trimStart()
    if (text !== '') return text.charAt(0)
  }
}

async function wholeText(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  chunks: Uint8Array[],
): Promise<string | undefined> {
  let bytes = chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0)
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return Buffer.concat(chunks).toString('utf8')
      bytes += value.byteLength
      if (bytes > MAX_BYTES) break
      chunks.push(value)
    }
  } catch {
    // Half an answer is none.
  }
  void reader.cancel().catch(() => undefined)
  return undefined
}

function rebuilt(
  response: Response,
  chunks: Uint8Array[],
  reader: ReadableStreamDefaultReader<Uint8Array>,
): Response {
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const ready = chunks.shift()
        if (ready !== undefined) {
          controller.enqueue(ready)
          return
        }
        const { done, value } = await reader.read()
        if (done) controller.close()
        else controller.enqueue(value)
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  )
  return new Response(body, { status: response.status, headers: response.headers })
}

type Event = Readonly<Record<string, unknown>> & { readonly type: string }

/** The events of a finished answer, or the one of an error; undefined for anything else. */
function eventsOf(body: unknown): readonly Event[] | undefined {
  if (!isRecord(body)) return undefined
  const answer = isRecord(body.response) ? body.response : body
  const { status, output, error } = answer
  const end = typeof status === 'string' ? ENDS[status] : undefined
  if (end === 'response.failed') return [{ type: end, response: answer }]
  if (end !== undefined && Array.isArray(output)) {
    return [
      {
        type: 'response.created',
        response: { ...answer, status: 'in_progress', output: [], usage: null },
      },
      ...output.flatMap((item: unknown, index) =>
        isRecord(item) ? eventsOfItem(item, index) : [],
      ),
      { type: end, response: answer },
    ]
  }
  return isRecord(error) || typeof error === 'string'
    ? [{ type: 'error', error: isRecord(error) ? error : { message: error } }]
    : undefined
}

function eventsOfItem(item: Readonly<Record<string, unknown>>, index: number): readonly Event[] {
  const place = {
    output_index: index,
    ...(typeof item.id === 'string' ? { item_id: item.id } : {}),
  }
  const content: unknown[] =
    item.type === 'message' && Array.isArray(item.content) ? item.content : []
  return [
    {
      type: 'response.output_item.added',
      output_index: index,
      item: { ...item, status: 'in_progress', ...(content.length === 0 ? {} : { content: [] }) },
    },
    ...content.flatMap((part: unknown, at) =>
      isRecord(part) ? eventsOfPart(part, { ...place, content_index: at }) : [],
    ),
    ...(item.type === 'function_call' && typeof item.arguments === 'string'
      ? [
          { type: 'response.function_call_arguments.delta', ...place, delta: item.arguments },
          { type: 'response.function_call_arguments.done', ...place, arguments: item.arguments },
        ]
      : []),
    { type: 'response.output_item.done', output_index: index, item },
  ]
}

function eventsOfPart(
  part: Readonly<Record<string, unknown>>,
  place: Readonly<Record<string, unknown>>,
): readonly Event[] {
  const text = part.type === 'output_text' && typeof part.text === 'string' ? part.text : undefined
  return [
    {
      type: 'response.content_part.added',
      ...place,
      part: text === undefined ? part : { ...part, text: '' },
    },
    ...(text === undefined
      ? []
      : [
          { type: 'response.output_text.delta', ...place, delta: text },
          { type: 'response.output_text.done', ...place, text },
        ]),
    { type: 'response.content_part.done', ...place, part },
  ]
}
