import type http from 'node:http'

import { ACCOUNT_PAGES, answerAccountPage } from './accounts/account-pages.js'
import { accessOf } from './accounts/access.js'
import type { SimAccount } from './accounts/account.js'
import { answerClientPage } from './accounts/client-pages.js'
import { encodingOf, unpacked } from './codex/encoded-body.js'
import { answerResponses } from './codex/responses.js'
import { answerControl } from './control.js'
import { noted, requestOf, type Simulated } from './records.js'
import { detail, type Reply } from './reply.js'
import { sendReply } from './send.js'
import type { SimRequest } from './world.js'

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
  const bytes = Buffer.concat(parts)
  const { encodings, encodingRefusal } = world.settings
  const body = await unpacked(bytes, encodingOf(incoming.headers['content-encoding']), encodings)
  const request = requestOf(simulated, incoming, body?.toString('utf8') ?? '')
  const { reply, account } =
    body === undefined
      ? {
          reply: detail(encodingRefusal, 'The encoding of the body is not supported'),
          account: accessOf(world, request).account,
        }
      : answer(simulated, request)
  const record = noted(simulated, request, {
    status: reply.status,
    account,
    transport: 'http',
    connection: simulated.connectionOf(incoming.socket),
    bytesUp: bytes.length,
  })
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

function answer(
  { control }: Simulated,
  request: SimRequest,
): { reply: Reply; account?: SimAccount | undefined } {
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
  const { account, refused } = accessOf(world, request)
  if (refused !== undefined) return { reply: refused, account }
  return {
    account,
    reply:
      page === undefined
        ? answerResponses(world, account, request)
        : answerAccountPage(world, account, request, page),
  }
}
