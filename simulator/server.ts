import http from 'node:http'
import type { Duplex } from 'node:stream'

import { ACCOUNT_PAGES, answerAccountPage } from './accounts/account-pages.js'
import type { SimAccount } from './accounts/account.js'
import { answerClientPage } from './accounts/client-pages.js'
import { unpacked } from './codex/encoded-body.js'
import { answerResponses } from './codex/responses.js'
import { answerControl, type ControlDeps, type Seen } from './control.js'
import { unauthorized } from './forced.js'
import { detail, type Reply } from './reply.js'
import { sendReply } from './send.js'
import type { SimRequest } from './world.js'

/** One answered request, with everything that was sent. */
export interface RecordedRequest extends Seen {
  /** How the answer ended: `gone` when the client left before its end; undefined while it runs. */
  end?: 'sent' | 'gone'
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** What answering one request needs of a running simulator. */
export interface Simulated {
  readonly control: ControlDeps
  /** The newest requests, oldest first. */
  readonly recorded: RecordedRequest[]
  /** Aborted when the simulator closes. */
  readonly closing: AbortController
}

/** Requests kept for tests and for the control plane. */
const MAX_RECORDED = 20_000

/** Reads a request whole, answers it and notes both. */
export async function answerRequest(
  simulated: Simulated,
  incoming: http.IncomingMessage,
  response: http.ServerResponse,
): Promise<void> {
  const { world } = simulated.control
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  const parts: Buffer[] = []
  try {
    for await (const part of incoming) parts.push(part as Buffer)
  } catch {
    return
  }
  const body = await unpacked(Buffer.concat(parts), incoming.headers['content-encoding'] ?? '')
  const request = requestOf(simulated, incoming, body?.toString('utf8') ?? '')
  const { reply, account } =
    body === undefined
      ? { reply: detail(415, 'The encoding of the body is not supported'), account: undefined }
      : answer(simulated, request)
  const record = noted(simulated, request, reply.status, account)
  if (request.path === '/oauth/token' && world.settings.tokenLatencyMs > 0)
    await new Promise((resolve) => setTimeout(resolve, world.settings.tokenLatencyMs))
  response.once('close', () => {
    record.end = response.writableFinished ? 'sent' : 'gone'
  })
  await sendReply(response, reply, {
    gone: AbortSignal.any([gone.signal, simulated.closing.signal]),
    deltaMs: world.settings.deltaMs,
    random: () => world.random.next(),
  })
}

function requestOf(
  { control }: Simulated,
  incoming: http.IncomingMessage,
  body: string,
): SimRequest {
  const target = new URL(incoming.url ?? '/', control.world.issuer)
  return {
    method: incoming.method ?? 'GET',
    path: target.pathname.replace(/(?<=.)\/+$/, ''),
    query: target.searchParams,
    headers: Object.fromEntries(
      Object.entries(incoming.headers).map(([name, value]) => [
        name,
        Array.isArray(value) ? value.join(', ') : (value ?? ''),
      ]),
    ),
    body,
  }
}

function noted(
  { control, recorded }: Simulated,
  request: SimRequest,
  status: number,
  account: SimAccount | undefined,
): RecordedRequest {
  const record: RecordedRequest = {
    method: request.method,
    path: request.path,
    account: account?.name,
    status,
    atMs: control.world.now(),
    headers: request.headers,
    body: request.body,
  }
  if (request.path.startsWith('/__sim/')) return record
  recorded.push(record)
  if (recorded.length > MAX_RECORDED) recorded.shift()
  return record
}

/**
 * There is no WebSocket here; 426 is what sends a client to HTTP at once and for good
 * (docs/development/facts/codex-backend.md#transport).
 */
export function refuseUpgrade(
  simulated: Simulated,
  incoming: http.IncomingMessage,
  socket: Duplex,
): void {
  const request = requestOf(simulated, incoming, '')
  const status = request.path === '/backend-api/codex/responses' ? 426 : 404
  noted(simulated, request, status, undefined)
  const body = JSON.stringify({ detail: status === 426 ? 'Upgrade Required' : 'Not Found' })
  socket.on('error', () => undefined)
  socket.end(
    `HTTP/1.1 ${status} ${http.STATUS_CODES[status]}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
  )
}

function answer(
  { control }: Simulated,
  request: SimRequest,
): { reply: Reply; account?: SimAccount } {
  const { world, oauth } = control
  if (request.path.startsWith('/__sim/')) return { reply: answerControl(control, request) }
  switch (`${request.method} ${request.path}`) {
    case 'GET /oauth/authorize':
      return { reply: oauth.authorize(request) }
    case 'POST /oauth/token':
      return { reply: oauth.token(request) }
    case 'POST /oauth/revoke':
      return { reply: oauth.revoke(request) }
    case 'POST /api/accounts/deviceauth/usercode':
      return { reply: oauth.deviceCode(request) }
    case 'POST /api/accounts/deviceauth/token':
      return { reply: oauth.deviceToken(request) }
    case 'GET /codex/device':
      return { reply: oauth.devicePage(request) }
  }
  const besides = answerClientPage(request)
  if (besides !== undefined) return { reply: besides }
  const page = ACCOUNT_PAGES[`${request.method} ${request.path}`]
  const isResponses = request.method === 'POST' && request.path === '/backend-api/codex/responses'
  if (page === undefined && !isResponses) return { reply: detail(404, 'Not Found') }
  const access = world.tokens.access((request.headers.authorization ?? '').replace(/^Bearer /, ''))
  if (access === undefined) return { reply: unauthorized('invalid_token') }
  const { account, state } = access
  if (state !== 'live')
    return {
      account,
      reply: unauthorized(state === 'expired' ? 'token_expired' : 'token_revoked'),
    }
  const named = request.headers['chatgpt-account-id']
  if (named !== undefined && named !== account.accountId)
    return { account, reply: detail(403, 'The token is not for this workspace') }
  return {
    account,
    reply:
      page === undefined
        ? answerResponses(world, account, request)
        : answerAccountPage(world, account, request, page),
  }
}
