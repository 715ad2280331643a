import http from 'node:http'
import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'

import { accessOf } from '../accounts/access.js'
import { modelList } from '../codex/catalogue.js'
import { forcedReply } from '../forced.js'
import { noted, requestOf, type Simulated } from '../records.js'
import { detail, type Reply } from '../reply.js'
import type { Action } from '../scenario.js'
import { firing, type SimRequest } from '../world.js'
import { type Opened, serveConnection } from './connection.js'

const PATH = '/backend-api/codex/responses'
/** Noted of an upgrade whose client left before an answer. */
const UNANSWERED: Reply = { status: 0, headers: {}, body: '' }
/** Smaller messages are not worth the work. */
const DEFLATE_FROM_BYTES = 64

/**
 * Opens a WebSocket, or refuses it with the status of an HTTP answer: 426 is what sends a client to HTTP at once and for
 * good (docs/development/facts/codex-backend.md#transport).
 */
export async function answerUpgrade(
  simulated: Simulated,
  incoming: http.IncomingMessage,
  socket: Duplex & { readonly bytesRead: number },
  head: Buffer,
): Promise<Opened | undefined> {
  const { world } = simulated.control
  socket.on('error', () => undefined)
  const request = requestOf(simulated, incoming, '')
  const number = simulated.connectionOf(socket)
  const access = accessOf(world, request)
  const refuse = (reply: Reply): void => {
    noted(simulated, request, {
      status: reply.status,
      account: access.account,
      transport: 'websocket',
      connection: number,
      bytesUp: 0,
    })
    if (!socket.destroyed) refuseUpgrade(socket, reply)
  }
  const early = refusal(simulated, request)
  if (early !== undefined) {
    refuse(early)
    return undefined
  }
  if (access.refused !== undefined) {
    refuse(access.refused)
    return undefined
  }
  const { account } = access
  const actions = firing(world, 'upgrade', {
    account: account.name,
    session: request.headers['session-id'],
    transport: 'websocket',
  })
  await beforeAnswer(actions, socket, simulated)
  const forced = forcedReply(actions, { now: world.now(), account, familyIndex: 0 })
  if (forced !== undefined || socket.destroyed) {
    refuse(forced ?? UNANSWERED)
    return undefined
  }
  return open(simulated, { incoming, socket, head, request, number, account, actions })
}

/** Why nobody can open a WebSocket there. */
function refusal({ control: { world } }: Simulated, { path }: SimRequest): Reply | undefined {
  if (path !== PATH) return detail(404, 'Not Found')
  return world.settings.webSocket ? undefined : detail(426, 'Upgrade Required')
}

async function beforeAnswer(
  actions: readonly Action[],
  socket: Duplex,
  { closing, control: { world } }: Simulated,
): Promise<void> {
  const gone = new AbortController()
  socket.once('close', () => gone.abort())
  const signal = AbortSignal.any([gone.signal, closing.signal])
  for (const action of actions) {
    const ms =
      action.type === 'latency'
        ? action.ms + action.jitterMs * world.random.next()
        : action.type === 'stall'
          ? action.ms
          : 0
    // A client that has left is told nothing any more.
    await sleep(ms === 'forever' ? 2_147_483_647 : ms, undefined, { signal }).catch(() => undefined)
    if (action.type === 'cut') socket.destroy()
  }
}

async function open(
  simulated: Simulated,
  {
    incoming,
    socket,
    head,
    request,
    number,
    account,
    actions,
  }: Pick<Opened, 'request' | 'number' | 'account'> & {
    readonly incoming: http.IncomingMessage
    readonly socket: Duplex & { readonly bytesRead: number }
    readonly head: Buffer
    readonly actions: readonly Action[]
  },
): Promise<Opened> {
  const { world } = simulated.control
  // Loaded where it is needed: the command line starts without it.
  const { WebSocketServer } = await import('ws')
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: world.settings.webSocketMaxBytes,
    perMessageDeflate: world.settings.webSocketDeflate && { threshold: DEFLATE_FROM_BYTES },
  })
  server.on('headers', (lines) => {
    lines.push(`x-models-etag: ${modelList(account).etag}`, `x-request-id: ${world.random.uuid()}`)
    for (const action of actions)
      if (action.type === 'headers')
        for (const [name, value] of Object.entries(action.headers)) lines.push(`${name}: ${value}`)
  })
  return new Promise((resolve) => {
    server.handleUpgrade(incoming, socket, head, (webSocket) => {
      noted(simulated, request, {
        status: 101,
        account,
        transport: 'websocket',
        connection: number,
        bytesUp: 0,
      })
      const opened: Opened = {
        socket: webSocket,
        account,
        number,
        request,
        bytesRead: () => socket.bytesRead,
      }
      serveConnection(simulated, opened)
      resolve(opened)
    })
  })
}

function refuseUpgrade(socket: Duplex, { status, headers, body }: Reply): void {
  const bytes =
    typeof body === 'string' || Buffer.isBuffer(body) ? Buffer.from(body) : Buffer.alloc(0)
  const lines = Object.entries({
    ...headers,
    'content-length': String(bytes.length),
    connection: 'close',
  }).map(([name, value]) => `${name}: ${value}`)
  socket.end(
    Buffer.concat([
      Buffer.from(
        `HTTP/1.1 ${status} ${http.STATUS_CODES[status] ?? 'Unknown'}\r\n${lines.join('\r\n')}\r\n\r\n`,
      ),
      bytes,
    ]),
  )
}
