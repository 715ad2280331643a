import { type Account, type AccountPool, isSignedIn } from '../../accounts/account.js'
import { dropUndefined } from '../../kernel/drop-undefined.js'
import { messageOf } from '../../kernel/errors.js'
import { compressed, MIN_COMPRESSED } from './compression.js'
import { additionTo, type FullReason } from './continuation.js'
import { requestFrame, TURN_STATE } from './frames.js'
import { HeaderTimeout, send } from './http.js'
import { proxyFor } from './proxy.js'
import { createRefusalMemory, type RefusalMemory } from './refusals.js'
import type { OpenWebSocket, Socket } from './socket.js'
import { type Dial, type Owner, Sockets } from './sockets.js'
import {
  countPassage,
  type Exchange,
  type Shipment,
  type Transport,
  type TransportRuntime,
} from './passage.js'

interface TransportDeps extends TransportRuntime {
  readonly refusals: RefusalMemory
}

/** The switch of the API for this way (docs/development/facts/codex-backend.md#websocket). */
const WEBSOCKET_BETA = 'responses_websockets=2026-02-06'

/**
 * Creates the ways to the backend: the WebSocket or compression where the settings and the account allow it, else plain HTTP.
 * @param openWebSocket undefined where the runtime has none that takes headers
 */
export function createWays(
  runtime: TransportRuntime,
  openWebSocket: OpenWebSocket | undefined,
): Transport {
  const { clock, config, host, paths, store } = runtime
  const refusals = createRefusalMemory({ file: paths.refusalsFile, clock, log: host })
  const deps: TransportDeps = { ...runtime, refusals }
  const sockets =
    config.transport === 'auto' && openWebSocket !== undefined
      ? new Sockets(
          openWebSocket,
          () => clock.now(),
          async () => serving(await store.read()),
        )
      : undefined
  return {
    load: () => refusals.load(),
    async send(shipment) {
      const tried = sockets && (await sendBySocket(deps, sockets, shipment))
      if (tried !== undefined && 'response' in tried) {
        countPassage(deps.metrics, tried.passage)
        return tried
      }
      const exchange = await sendByHttp(deps, shipment)
      // Where this way does not answer either, or refuses the account too, it was not for the other.
      if (tried?.refused === true && exchange.response.ok)
        deps.refusals.refused(shipment.account.uid, 'websocket')
      countPassage(deps.metrics, exchange.passage)
      return exchange
    },
    close() {
      sockets?.close()
      return refusals.close()
    },
  }
}

async function sendByHttp(deps: TransportDeps, shipment: Shipment): Promise<Exchange> {
  const { account } = shipment
  const body = shipment.body.text
  const plain = { ...shipment, body }
  const exchange = (response: Response, sentBytes: number): Exchange => ({
    response,
    passage: { transport: 'http', bodyBytes: body.length, sentBytes },
  })
  const isCompressed =
    deps.config.requestCompression === 'auto' &&
    body.length >= MIN_COMPRESSED &&
    isChatGpt(account) &&
    !deps.refusals.isRefused(account.uid, 'zstd')
  const packed = isCompressed ? await compressed(body) : undefined
  if (packed === undefined) return exchange(await send(deps.fetch, plain), body.length)
  const headers = { ...shipment.headers, 'content-encoding': 'zstd' }
  const first = await send(deps.fetch, { ...shipment, headers, body: packed })
  if (first.ok) deps.refusals.accepted(account.uid, 'zstd')
  if (!mayMeanEncoding(first)) return exchange(first, packed.byteLength)
  await first.body?.cancel().catch(() => undefined)
  const second = await send(deps.fetch, plain)
  // A request that is refused either way was not refused for its encoding.
  if (!mayMeanEncoding(second)) deps.refusals.refused(account.uid, 'zstd')
  return exchange(second, body.length + packed.byteLength)
}

/** RFC 9110 §15.5.16 has 415 for an encoding; who does not know encodings takes the body for broken JSON. */
function mayMeanEncoding({ status }: Response): boolean {
  return status === 415 || status === 400
}

function isChatGpt({ kind }: Account): boolean {
  return kind !== 'api-key'
}

/**
 * The members without which a continuation is answered by nothing (docs/development/facts/codex-backend.md#websocket);
 * requests without them are no conversation either.
 */
const NEEDED = ['instructions', 'prompt_cache_key']

/** The answer; or that nothing was answered and the request goes by HTTP, and whether a new connection was refused. */
async function sendBySocket(
  deps: TransportDeps,
  sockets: Sockets,
  shipment: Shipment,
): Promise<Exchange | { readonly refused: boolean } | undefined> {
  const { account, sessionId } = shipment
  if (sessionId === undefined || !isChatGpt(account)) return undefined
  const owner = { uid: account.uid, sessionId }
  if (deps.refusals.isRefused(account.uid, 'websocket') || !sockets.isWayOpen(owner))
    return undefined
  const { body } = shipment
  if (NEEDED.some((key) => !body.scan.members.has(key))) return undefined
  let isNew = true
  try {
    const ready = await readied(deps, sockets, owner, shipment)
    if (ready === undefined) return undefined
    const { socket, frame, full } = ready
    isNew = !socket.hasServed
    const response = await socket.ask(frame, body, {
      signal: shipment.signal,
      timeoutMs: shipment.headerTimeoutMs,
      onTurnState: shipment.onTurnState,
    })
    if (response.ok) deps.refusals.accepted(account.uid, 'websocket')
    const passage = dropUndefined({
      transport: 'websocket' as const,
      bodyBytes: body.text.length,
      sentBytes: frame.length,
      full,
    })
    return { response, passage }
  } catch (error) {
    if (shipment.signal.aborted) throw error
    if (error instanceof HeaderTimeout) {
      // Something on the way may take frames and bring none.
      deps.refusals.refused(account.uid, 'websocket')
      throw error
    }
    deps.host.log('info', 'The WebSocket could not be used; the request goes by HTTP.', {
      reason: messageOf(error),
    })
    deps.metrics.count('transport.fallbacks')
    // That an idle connection is found closed says nothing of the next one.
    return { refused: isNew }
  }
}

interface Ready {
  readonly socket: Socket
  readonly frame: string
  readonly full?: FullReason
}

/**
 * A connection, and the frame for it: what is new alone where that is certain, else all of it on a fresh connection.
 * Undefined where there is none to be had.
 */
async function readied(
  deps: TransportDeps,
  sockets: Sockets,
  owner: Owner,
  shipment: Shipment,
): Promise<Ready | undefined> {
  const { body } = shipment
  let existing = sockets.existing(owner)
  if (existing !== undefined && !(await existing.isAlive())) {
    existing.close()
    existing = undefined
  }
  let full: FullReason = 'new_connection'
  if (existing?.anchor !== undefined) {
    const { anchor } = existing
    const found = additionTo(anchor, body)
    if ('input' in found)
      return {
        socket: existing,
        frame: requestFrame(body, {
          responseId: anchor.responseId,
          input: found.input,
          turnState: shipment.headers[TURN_STATE],
        }),
      }
    ;({ full } = found)
  }
  // The whole history on a connection that holds it is refused as a double.
  existing?.close()
  if (!sockets.mayConnect(owner)) return undefined
  const socket = await sockets.connect(owner, dialOf(shipment, deps.env), shipment.signal)
  return { socket, frame: requestFrame(body), full }
}

/** Where and as what a request by HTTP would be a connection. */
export function dialOf(
  { url, headers }: { readonly url: string; readonly headers: Readonly<Record<string, string>> },
  env: NodeJS.ProcessEnv,
): Dial {
  const { accept: _accept, ...others } = headers
  return dropUndefined({
    url: url.replace(/^http/, 'ws'),
    headers: { 'openai-beta': WEBSOCKET_BETA, ...others },
    proxy: proxyFor(url, env),
  })
}

function serving({ accounts }: AccountPool): ReadonlySet<string> {
  return new Set(accounts.filter(isSignedIn).map(({ uid }) => uid))
}
