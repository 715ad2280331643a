import { dropUndefined } from '../../kernel/drop-undefined.js'
import { isRecord, type JsonRecord, parsedJson } from '../../kernel/text/json.js'

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
 * becomes the events it stands for, so that it need not be asked for, and paid, a second time.
 * @returns `inOnePiece` for JSON; undefined when it is JSON that is no answer
 */
export async function inEvents(
  response: Response,
): Promise<{ readonly response: Response; readonly inOnePiece: boolean } | undefined> {
  const type = response.headers.get('content-type') ?? ''
  if (response.body === null || type.startsWith('text/event-stream'))
    return { response, inOnePiece: false }
  const reader = response.body.getReader()
  const chunks: Uint8Array[] = []
  const start = await firstCharacter(reader, chunks)
  if (start !== '{' && start !== '[')
    return { response: rebuilt(response, chunks, reader), inOnePiece: false }
  const text = await wholeText(reader, chunks)
  const events = text === undefined ? undefined : eventsOf(parsedJson(text))
  if (events === undefined) return undefined
  const stream = events
    .map(
      (event, sequence) =>
        `event: ${event.type}\ndata: ${JSON.stringify({ ...event, sequence_number: sequence })}\n\n`,
    )
    .join('')
  const headers = new Headers(response.headers)
  headers.set('content-type', 'text/event-stream')
  return { response: new Response(stream, { headers }), inOnePiece: true }
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

type Event = JsonRecord & { readonly type: string }

/** The events of a finished answer, or the one of an error; undefined for anything else. */
function eventsOf(body: unknown): readonly Event[] | undefined {
  if (!isRecord(body)) return undefined
  const answer = isRecord(body.response) ? body.response : body
  const { status, output, error } = answer
  const end = typeof status === 'string' ? ENDS[status] : undefined
  if (end === 'response.failed') return [{ type: end, response: answer }]
  if (end !== undefined && Array.isArray(output)) {
    const begun = { ...answer, status: 'in_progress', output: [], usage: null }
    return [
      { type: 'response.created', response: begun },
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

function eventsOfItem(item: JsonRecord, index: number): readonly Event[] {
  const place = dropUndefined({
    output_index: index,
    item_id: typeof item.id === 'string' ? item.id : undefined,
  })
  const content: unknown[] =
    item.type === 'message' && Array.isArray(item.content) ? item.content : []
  const begun = { ...item, status: 'in_progress', ...(content.length === 0 ? {} : { content: [] }) }
  const call = item.type === 'function_call' ? item.arguments : undefined
  return [
    { type: 'response.output_item.added', output_index: index, item: begun },
    ...content.flatMap((part: unknown, at) =>
      isRecord(part) ? eventsOfPart(part, { ...place, content_index: at }) : [],
    ),
    ...(typeof call === 'string'
      ? [
          { type: 'response.function_call_arguments.delta', ...place, delta: call },
          { type: 'response.function_call_arguments.done', ...place, arguments: call },
        ]
      : []),
    { type: 'response.output_item.done', output_index: index, item },
  ]
}

function eventsOfPart(part: JsonRecord, place: JsonRecord): readonly Event[] {
  const text = part.type === 'output_text' && typeof part.text === 'string' ? part.text : undefined
  const isText = text !== undefined
  return [
    { type: 'response.content_part.added', ...place, part: isText ? { ...part, text: '' } : part },
    ...(isText
      ? [
          { type: 'response.output_text.delta', ...place, delta: text },
          { type: 'response.output_text.done', ...place, text },
        ]
      : []),
    { type: 'response.content_part.done', ...place, part },
  ]
}
