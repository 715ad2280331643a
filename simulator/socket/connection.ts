import type { WebSocket } from 'ws'
import * as z from 'zod'

import type { SimAccount } from '../accounts/account.js'
import { createEventWriter, silentFrames } from '../codex/answer.js'
import { answerAsked, type Asked, firingFor } from '../codex/responses.js'
import { shapeStream } from '../codex/stream-faults.js'
import { unauthorized } from '../forced.js'
import { noted, type Simulated } from '../records.js'
import { apiError, type Frame, json, type Reply } from '../reply.js'
import type { Action } from '../scenario.js'
import { recordOf, type SimRequest } from '../world.js'
import { continued, type Held } from './continuation.js'
import { sendFrames } from './send-frames.js'

/** A WebSocket that was opened, and who opened it. */
export interface Opened {
  readonly socket: WebSocket
  readonly account: SimAccount
  readonly number: number
  /** The upgrade. */
  readonly request: SimRequest
  /** Bytes of the client so far, as they came. */
  readonly bytesRead: () => number
}

/** A message of the client. */
interface Message {
  readonly text: string
  readonly bytesUp: number
}

const responseCreate = z.looseObject({ type: z.literal('response.create') })
const errorBody = z.looseObject({ error: z.unknown() })
const detailBody = z.looseObject({ detail: z.unknown() })
const eventSchema = z.looseObject({
  type: z.string(),
  item: z.unknown().optional(),
  response: z.looseObject({ id: z.string() }).optional(),
})

/** Answers the messages of one connection, one after the other. */
export function serveConnection(simulated: Simulated, opened: Opened): void {
  const { socket } = opened
  const gone = new AbortController()
  const openedAtMs = simulated.control.world.now()
  let bytesBefore = opened.bytesRead()
  let held: Held | undefined
  let working = Promise.resolve()
  socket.on('error', () => undefined)
  socket.once('close', () => gone.abort())
  simulated.closing.signal.addEventListener('abort', () => socket.terminate(), { once: true })
  socket.on('message', (data: Buffer, isBinary) => {
    const bytesUp = opened.bytesRead() - bytesBefore
    bytesBefore = opened.bytesRead()
    const message: Message = { text: isBinary ? '' : data.toString('utf8'), bytesUp }
    working = working.then(async () => {
      held = await answerMessage(simulated, opened, message, {
        held,
        openedAtMs,
        gone: gone.signal,
      })
    })
  })
}

/** Answers one message; returns what the connection can be continued from afterwards. */
async function answerMessage(
  simulated: Simulated,
  opened: Opened,
  message: Message,
  state: {
    readonly held: Held | undefined
    readonly openedAtMs: number
    readonly gone: AbortSignal
  },
): Promise<Held | undefined> {
  const { world } = simulated.control
  const { reply, history, incremental } = judge(simulated, opened, message, state)
  const record = noted(
    simulated,
    { ...opened.request, method: 'FRAME', body: message.text },
    {
      status: reply.status,
      account: opened.account,
      transport: 'websocket',
      connection: opened.number,
      bytesUp: message.bytesUp,
      incremental,
    },
  )
  if (history !== undefined) record.history = history
  const items: unknown[] = []
  let completed: string | undefined
  try {
    const actions = reply.actions ?? []
    const { frames, writer } = streamOf(reply, message)
    await sendFrames(opened.socket, shapeStream(frames, actions, writer), actions, {
      gone: AbortSignal.any([state.gone, simulated.closing.signal]),
      deltaMs: world.settings.deltaMs,
      random: () => world.random.next(),
      onEvent(text) {
        if (!/"type":"response\.(?:output_item\.done|completed)"/.test(text)) return
        const event = eventSchema.safeParse(recordOf(text)).data
        if (event?.type === 'response.output_item.done') items.push(event.item)
        if (event?.type === 'response.completed') completed = event.response?.id
      },
    })
    record.end = 'sent'
  } catch {
    record.end = 'gone'
  }
  return completed === undefined || history === undefined
    ? undefined
    : {
        responseId: completed,
        items: [...history, ...items],
        instructed: typeof recordOf(message.text)?.instructions === 'string',
      }
}

/** What the message is answered with, and the input the answer is made from. */
function judge(
  { control: { world } }: Simulated,
  { account, request }: Opened,
  { text }: Message,
  { held, openedAtMs }: { readonly held: Held | undefined; readonly openedAtMs: number },
): { reply: Reply; history?: readonly unknown[]; incremental: boolean } {
  const refused = (reply: Reply, actions: readonly Action[] = []) => ({
    reply: { ...reply, actions },
    incremental: false,
  })
  const frame = responseCreate.safeParse(recordOf(text)).data
  if (frame === undefined)
    return refused(apiError(400, { message: 'The message is no response.create', param: 'type' }))
  const token = (request.headers.authorization ?? '').replace(/^Bearer /, '')
  if (world.tokens.access(token)?.state === 'revoked') return refused(unauthorized('token_revoked'))
  const { type: _type, generate, previous_response_id: _previous, ...members } = frame
  const asked: Asked = {
    transport: 'websocket',
    headers: request.headers,
    members,
    bytes: text.length,
    prewarm: generate === false,
  }
  const actions = firingFor(world, account, asked)
  const isDue = (type: 'forget' | 'connection_limit'): boolean =>
    actions.some((action) => action.type === type)
  if (world.now() - openedAtMs >= world.settings.webSocketMaxAgeMs || isDue('connection_limit'))
    return refused(connectionLimit(), actions)
  const found = continued(frame, isDue('forget') ? undefined : held, world.settings.duplicateItems)
  switch (found.kind) {
    case 'refused':
      return refused(json(400, { error: found.error }), actions)
    case 'empty':
      return {
        reply: emptyReply(world.random.hex(40), world.now(), frame.model),
        incremental: true,
      }
    case 'answer': {
      const { input, incremental } = found
      const reply = answerAsked(
        world,
        account,
        { ...asked, members: { ...members, input } },
        actions,
      )
      return typeof reply.body === 'object' && 'frames' in reply.body && Array.isArray(input)
        ? { reply, history: input, incremental }
        : { reply, incremental }
    }
  }
}

/** The events of a reply; one that is no stream is a single event, with a status an error. */
function streamOf(
  reply: Reply,
  { text }: Message,
): Extract<Reply['body'], { readonly frames: unknown }> {
  const { body, headers, status } = reply
  if (typeof body === 'object' && 'frames' in body) {
    const told = metadataOf(headers)
    const isPrewarm = recordOf(text)?.generate === false
    if (isPrewarm || Object.keys(told).length === 0) return body
    const first: Frame = { mark: 'head', text: sse({ type: 'response.metadata', headers: told }) }
    return { writer: body.writer, frames: behind(first, body.frames) }
  }
  const writer = createEventWriter('resp_none', '', 0)
  const said = body.toString()
  const frame: Frame =
    status >= 200 && status < 300
      ? { mark: 'tail', text: said }
      : {
          mark: 'tail',
          text: sse({ type: 'error', status, error: errorOf(said), headers: lessType(headers) }),
        }
  return { writer, frames: [frame] }
}

function* behind(first: Frame, frames: Iterable<Frame>): Generator<Frame> {
  yield first
  yield* frames
}

function sse(event: Readonly<Record<string, unknown>>): string {
  return `data: ${JSON.stringify(event)}\n\n`
}

/** Headers of an HTTP answer that come as an event here. */
function metadataOf(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    ['x-codex-turn-state', 'openai-model', 'x-models-etag'].flatMap((name) => {
      const value = headers[name]
      return value === undefined ? [] : [[name, value]]
    }),
  )
}

function lessType({
  'content-type': _type,
  ...headers
}: Readonly<Record<string, string>>): Record<string, string> {
  return headers
}

/** The `error` member for the body of a refusal, whichever of its two forms that has. */
function errorOf(body: string): unknown {
  const fields = recordOf(body)
  const given = errorBody.safeParse(fields).data
  if (given !== undefined) return given.error
  const detail = detailBody.safeParse(fields).data?.detail ?? body
  return typeof detail === 'string'
    ? { type: 'invalid_request_error', code: null, message: detail, param: null }
    : detail
}

/** docs/development/facts/codex-backend.md#websocket */
function connectionLimit(): Reply {
  return apiError(400, {
    code: 'websocket_connection_limit_reached',
    message:
      'Responses websocket connection limit reached (60 minutes). Create a new websocket connection to continue.',
  })
}

function emptyReply(id: string, nowMs: number, model: unknown): Reply {
  const name = typeof model === 'string' ? model : ''
  const writer = createEventWriter(`resp_${id}`, name, Math.floor(nowMs / 1000))
  return { status: 200, headers: {}, body: { frames: silentFrames(writer), writer } }
}
