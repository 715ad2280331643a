import { type Account, isSignedIn } from '../../accounts/account.js'
import { outgoingHeaders } from '../../request/headers/headers.js'
import { compressed } from '../../request/transport/compression.js'
import { Socket } from '../../request/transport/socket.js'
import { bunWebSocket } from '../../request/transport/transport.js'
import { dialOf } from '../../request/transport/ways.js'
import type { Runtime } from '../../runtime.js'
import type { Grant } from '../../tokens/tokens.js'
import { type Finding, ok, warning } from './finding.js'

const TIMEOUT_MS = 10_000

/**
 * Whether the network and the backend let through what the settings ask for. A connection is opened and closed without a
 * word, and the compressed request holds nothing: neither counts against a limit.
 */
export async function transport(
  runtime: Runtime,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const { config, store, tokens } = runtime
  if (config.transport === 'http' && config.requestCompression === 'off') return []
  const account = (await store.read()).accounts.find(mayBeAsked)
  const grant =
    account && (await Promise.resolve(tokens.access(account, signal)).catch(() => undefined))
  if (grant === undefined) return []
  return [
    ...(config.transport === 'auto' ? [await webSocket(runtime, grant, signal)] : []),
    ...(config.requestCompression === 'auto' ? [await compression(runtime, grant, signal)] : []),
  ]
}

function mayBeAsked(account: Account): boolean {
  return account.kind !== 'api-key' && isSignedIn(account)
}

function requestOf({ endpoints, userAgent }: Runtime, { token, account }: Grant) {
  return {
    url: `${endpoints.backend}/codex/responses`,
    headers: outgoingHeaders(undefined, { token, account, userAgent }),
  }
}

async function webSocket(runtime: Runtime, grant: Grant, signal: AbortSignal): Promise<Finding> {
  const open = bunWebSocket()
  if (open === undefined)
    return ok('websocket', 'The WebSocket can be tried inside OpenCode only: run {/doctor} there.')
  const { url, ...options } = dialOf(requestOf(runtime, grant), runtime.env)
  try {
    const socket = await Socket.connect(() => open(url, options), {
      now: () => runtime.clock.now(),
      timeoutMs: TIMEOUT_MS,
      signal,
      onClose: () => undefined,
    })
    socket.close()
    return ok('websocket', 'The network and the backend let the WebSocket through.')
  } catch (error) {
    if (signal.aborted) throw error
    return warning(
      'websocket',
      'The WebSocket is not let through, so requests go by HTTP.',
      'A proxy or a firewall may stand between. To stop trying: {config set transport http}',
    )
  }
}

async function compression(runtime: Runtime, grant: Grant, signal: AbortSignal): Promise<Finding> {
  const body = await compressed('{}')
  if (body === undefined)
    return ok(
      'compression',
      'Compressed requests can be tried inside OpenCode only: run {/doctor} there.',
    )
  const { url, headers } = requestOf(runtime, grant)
  try {
    const response = await runtime.fetch(url, {
      method: 'POST',
      redirect: 'error',
      headers: { ...headers, 'content-encoding': 'zstd' },
      body,
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    })
    void response.body?.cancel().catch(() => undefined)
    if (response.status !== 415)
      return ok(
        'compression',
        `The backend reads compressed requests (HTTP ${response.status} to an empty one).`,
      )
    return warning(
      'compression',
      'The backend refuses compressed requests (HTTP 415), so they go out as they are.',
      'To stop trying: {config set requestCompression off}',
    )
  } catch (error) {
    if (signal.aborted) throw error
    return warning(
      'compression',
      'The backend could not be asked for compressed requests.',
      'Check the network, the proxy and the firewall.',
    )
  }
}
