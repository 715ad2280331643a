import type { Account } from '../../accounts/account.js'
import type { AccountStore } from '../../accounts/store/store.js'
import type { Config } from '../../config/settings.js'
import type { Clock } from '../../kernel/clock.js'
import type { Paths } from '../../kernel/files/paths.js'
import type { Logger } from '../../kernel/logger.js'
import type { Metrics } from '../../kernel/metrics.js'
import type { ObjectText } from '../body/json-edit.js'
import type { RequestRecord } from '../trace/trace.js'
import type { Outgoing } from './http.js'
import type { Passage } from './way-taken.js'

/** What did not have to be sent; undefined where nothing was saved. Pure. */
export function savedBytes(passage: Passage | undefined): number | undefined {
  const saved = passage === undefined ? 0 : passage.bodyBytes - passage.sentBytes
  return saved > 0 ? saved : undefined
}

/** Counts which way a request went, and what that saved. */
export function countPassage(metrics: Pick<Metrics, 'count'>, passage: Passage): void {
  const { transport, full } = passage
  metrics.count(`transport.${transport}`)
  if (transport === 'websocket')
    metrics.count(full === undefined ? 'transport.continued' : `transport.whole.${full}`)
  const saved = savedBytes(passage)
  if (saved !== undefined) metrics.count('transport.bytes_saved', saved)
}

/** A request on its way, and what the choice of the way depends on. */
export interface Shipment extends Omit<Outgoing, 'body'> {
  readonly body: ObjectText
  readonly account: Account
  readonly sessionId: string | undefined
  /** The request of the host that this is the newest attempt of; absent where nobody traces. */
  readonly record?: RequestRecord
  /** Told where it comes within an answer; by HTTP it is a header. */
  readonly onTurnState: (value: string) => void
}

/** The answer, whatever way it came: status, headers, and a body of server-sent events. */
export interface Exchange {
  readonly response: Response
  readonly passage: Passage
}

/** The way to the backend. */
export interface Transport {
  /** @throws HeaderTimeout, the reason of the signal, or what `fetch` throws */
  send(shipment: Shipment): Promise<Exchange>
  /** Reads what accounts were refused before; nothing where that cannot matter. Never throws. */
  load(): Promise<void>
  /** Ends every connection. */
  close(): Promise<void>
}

/** What the transport uses of the runtime. */
export interface TransportRuntime {
  readonly env: NodeJS.ProcessEnv
  readonly paths: Pick<Paths, 'refusalsFile'>
  readonly fetch: typeof globalThis.fetch
  readonly clock: Clock
  readonly config: Pick<Config, 'transport' | 'requestCompression'>
  readonly host: Logger
  readonly metrics: Pick<Metrics, 'count'>
  readonly store: Pick<AccountStore, 'read'>
}
