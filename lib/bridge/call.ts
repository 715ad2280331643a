import type { Account } from '../accounts/account.js'
import type { Clock } from '../kernel/clock.js'
import type { CodexError } from '../kernel/errors.js'
import type { Metrics } from '../kernel/metrics.js'
import type { Deadline } from './deadline.js'
import type { Failure } from './outcome-types.js'
import type { RequestRecord, Trace } from './trace.js'

/** How the last try of a request failed. */
export type Last =
  { readonly failure: Failure; readonly account: Account } | { readonly error: CodexError }

/** One request of the host, from its arrival to the end of its stream. */
export interface Call {
  readonly deadline: Deadline
  /** Aborted by the host or by the deadline. */
  readonly signal: AbortSignal
  /** What the breaker knows this request by. */
  readonly self: object
  sessionId?: string | undefined
  headers?: HeadersInit | undefined
  record?: RequestRecord
  last?: Last
  finish(outcome: string): void
}

/** Begins the account of one request; whoever learns of its end first calls `finish`. */
export function createCall(
  {
    clock,
    metrics,
    trace,
  }: { readonly clock: Clock; readonly metrics: Metrics; readonly trace: Trace },
  deadline: Deadline,
): Call {
  const call: Call = {
    deadline,
    signal: deadline.signal,
    self: {},
    finish(outcome) {
      deadline.close()
      if (call.record !== undefined) trace.finish(call.record, { outcome, nowMs: clock.now() })
      metrics.count(`requests.${outcome.split(':')[0] ?? outcome}`)
    },
  }
  return call
}
