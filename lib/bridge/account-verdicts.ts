import type { Account } from '../accounts/account.js'
import type { Endpoints } from '../auth/endpoints.js'
import type { Clock } from '../kernel/clock.js'
import type { Metrics } from '../kernel/metrics.js'
import type { QuotaLedger } from '../quota/ledger.js'
import type { VitalEvent } from '../routing/health.js'
import type { Breaker, Breakers } from './breaker.js'
import { destinationOf, type EndpointForKeys } from './endpoint.js'
import type { Failure } from './outcome-types.js'
import type { Router } from './router.js'
import type { StreamEnd } from './stream.js'

/** An account whose token stays refused is left alone this long, ms. */
export const UNAUTHORIZED_HOLD_MS = 10 * 60_000

/** Takes down what an answer says about the account, for other requests and other windows. */
export interface AccountVerdicts {
  /** The breaker of the host that the account's requests go to. */
  breakerOf(account: Account): Breaker
  note(account: Account, failure: Failure): void
  holdUnauthorized(uid: string): void
}

export interface VerdictDeps {
  readonly clock: Clock
  readonly router: Router
  readonly ledger: QuotaLedger
  readonly metrics: Metrics
  readonly breakers: Breakers
  readonly endpoints: Endpoints
  readonly endpointForKeys?: EndpointForKeys | undefined
}

/** Creates the notebook over ledger, router and breakers. */
export function createVerdicts(deps: VerdictDeps): AccountVerdicts {
  const { clock, router, metrics } = deps

  function breakerOf(account: Account): Breaker {
    try {
      return deps.breakers.of(destinationOf(account, deps.endpoints, deps.endpointForKeys))
    } catch {
      // The attempt says what is wrong with the address.
      return deps.breakers.of('')
    }
  }

  return {
    breakerOf,
    note(account, failure) {
      const nowMs = clock.now()
      const breaker = breakerOf(account)
      metrics.count(`failures.${failure.kind}`)
      if (failure.block !== undefined) deps.ledger.block(account.uid, failure.block)
      switch (failure.kind) {
        case 'usage_limit':
        case 'quota_exceeded':
        case 'rate_limit':
          router.record(account.uid, 'limited', nowMs)
          breaker.reached()
          break
        case 'network':
        case 'header_timeout':
          router.record(account.uid, 'network_failed', nowMs)
          breaker.failed(nowMs)
          break
        case 'server_error':
        case 'overloaded':
          router.record(account.uid, 'failed', nowMs)
          breaker.failed(nowMs)
          break
        case 'not_sse':
        case 'stream_broken':
        case 'empty':
        case 'aborted':
          break
        default:
          breaker.reached()
      }
    },
    holdUnauthorized(uid) {
      const nowMs = clock.now()
      deps.ledger.block(uid, {
        scope: '*',
        reason: 'unauthorized',
        source: 'body',
        sinceMs: nowMs,
        untilMs: nowMs + UNAUTHORIZED_HOLD_MS,
      })
    },
  }
}

/** What the end of an answer says about its account; undefined when it says nothing: who stops reading blames nobody. Pure. */
export function vitalOfEnd(kind: StreamEnd['kind']): VitalEvent | undefined {
  switch (kind) {
    case 'completed':
    case 'incomplete':
      return 'succeeded'
    case 'failed':
      return 'failed'
    case 'broken':
    case 'idle':
      return 'network_failed'
    case 'aborted':
    case 'cancelled':
      return undefined
  }
}

/** Why an account was left, for a toast. */
export function wordFor(failure: Failure): string {
  switch (failure.kind) {
    case 'usage_limit':
    case 'quota_exceeded':
    case 'rate_limit':
      return 'is at its limit'
    case 'unauthorized':
      return 'is not accepted any more'
    case 'workspace_deactivated':
    case 'usage_not_included':
    case 'forbidden':
    case 'model_not_supported':
      return 'may not be used for this'
    default:
      return 'got no answer'
  }
}
