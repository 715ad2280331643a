import type http from 'node:http'
import type { Duplex } from 'node:stream'

import type { SimAccount } from './accounts/account.js'
import type { ControlDeps, Seen } from './control.js'
import type { Transport } from './scenario.js'
import type { SimRequest } from './world.js'

/**
 * One answered request, with everything that was sent. The upgrade of a WebSocket is one, a `GET` with the status 101 or
 * that of its refusal, and so is each message on it: method `FRAME`, the headers of the upgrade, and status 200 or that of
 * the error frame.
 */
export interface RecordedRequest extends Seen {
  /** How the answer ended: `gone` when the client left before its end; undefined while it runs. */
  end?: 'sent' | 'gone'
  readonly headers: Readonly<Record<string, string>>
  /** Unpacked. */
  readonly body: string
  /**
   * What the answer was made from: the input of the frame behind all that its connection held. Only of a frame that
   * was not refused.
   */
  history?: readonly unknown[]
}

/** What answering one request needs of a running simulator. */
export interface Simulated {
  readonly control: ControlDeps
  /** The newest requests, oldest first. */
  readonly recorded: RecordedRequest[]
  /** Aborted when the simulator closes. */
  readonly closing: AbortController
  /** The same number for the same connection; the first is 1. */
  readonly connectionOf: (socket: Duplex) => number
}

/** Requests kept for tests and for the control plane. */
const MAX_RECORDED = 20_000

/** A request as the handlers see it. */
export function requestOf(
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

/** Keeps a request for `requests`. */
export function noted(
  { control, recorded }: Simulated,
  request: SimRequest,
  facts: {
    readonly status: number
    readonly account: SimAccount | undefined
    readonly transport: Transport
    readonly connection: number
    readonly bytesUp: number
    readonly incremental?: boolean
  },
): RecordedRequest {
  const record: RecordedRequest = {
    method: request.method,
    path: request.path,
    account: facts.account?.name,
    status: facts.status,
    atMs: control.world.now(),
    transport: facts.transport,
    connection: facts.connection,
    bytesUp: facts.bytesUp,
    incremental: facts.incremental ?? false,
    headers: request.headers,
    body: request.body,
  }
  if (request.path.startsWith('/__sim/')) return record
  recorded.push(record)
  if (recorded.length > MAX_RECORDED) recorded.shift()
  return record
}
