import { backoffMs } from './backoff.js'
import type { Spending } from './budget.js'
import type { Failure, OutcomeKind } from './outcome-types.js'

/** What to do after a failed attempt. */
export type Next =
  /** Give the failure to the host. */
  | { readonly do: 'stop' }
  /** Let another account try. `block`: keep this one out for other requests too, for as long as the failure says. */
  | { readonly do: 'next_account'; readonly reason: string }
  /** Ask the same account again. */
  | { readonly do: 'again'; readonly afterMs: number; readonly reason: string }
  /** Get another token for the same account, then ask again. */
  | { readonly do: 'refresh' }
  /** Send the same without encrypted reasoning. */
  | { readonly do: 'drop_reasoning' }
  /** Send the same with every tool call and its output paired again. */
  | { readonly do: 'repair_history' }
  /** No account may use the model: the fallback chain, if the user wants one. */
  | { readonly do: 'other_model' }

/** What the policy knows of the request so far. */
export interface Progress {
  readonly spending: Spending
  /** The refused token came out of a refresh made for this request. */
  readonly refreshed: boolean
  /** The body was already sent without encrypted reasoning. */
  readonly droppedReasoning: boolean
  readonly hasEncryptedReasoning: boolean
  /** The body was already sent with its tool calls paired again. */
  readonly repairedHistory: boolean
  /** Another account could try. */
  readonly hasAlternative: boolean
  /** 0 up to 1. */
  readonly random: number
  /** Pause before an empty answer is asked for again, ms. */
  readonly emptyRetryDelayMs: number
}

/** A pause up to here is waited out on the same account; for a longer one another account is better, ms (peer facts §5.7). */
export const SHORT_WAIT_MS = 5_000

/** What only says that this account may not; nothing was done that anybody pays for. */
const REFUSES_ACCOUNT: ReadonlySet<OutcomeKind> = new Set<OutcomeKind>([
  'usage_limit',
  'quota_exceeded',
  'rate_limit',
  'usage_not_included',
  'workspace_deactivated',
  'forbidden',
  'unauthorized',
  'model_not_supported',
])

/**
 * Decides what follows a failure: the whole retry policy of one request in one place. Moving to another account is free,
 * since each account is asked once; everything that repeats spends the budget of its class. Pure but for the spending.
 */
export function decideNext(failure: Failure, progress: Progress): Next {
  const { spending, hasAlternative } = progress
  if (failure.once === true)
    return hasAlternative && REFUSES_ACCOUNT.has(failure.kind)
      ? { do: 'next_account', reason: `switched_account_after_${failure.kind}` }
      : { do: 'stop' }
  switch (failure.kind) {
    case 'aborted':
    case 'context_too_long':
    case 'policy_refused':
    case 'bad_request':
      return { do: 'stop' }

    case 'usage_limit':
    case 'quota_exceeded':
    case 'usage_not_included':
    case 'workspace_deactivated':
    case 'forbidden':
      return { do: 'next_account', reason: `switched_account_after_${failure.kind}` }

    case 'unauthorized':
      if (progress.refreshed || !spending.take('authRefresh'))
        return { do: 'next_account', reason: 'switched_account_after_unauthorized' }
      return { do: 'refresh' }

    case 'model_not_supported':
      return hasAlternative
        ? { do: 'next_account', reason: 'switched_account_after_model_not_supported' }
        : { do: 'other_model' }

    case 'invalid_encrypted_content':
      return progress.droppedReasoning || !progress.hasEncryptedReasoning
        ? { do: 'stop' }
        : { do: 'drop_reasoning' }

    case 'broken_history':
      return progress.repairedHistory ? { do: 'stop' } : { do: 'repair_history' }

    case 'rate_limit': {
      const afterMs = backoffMs(
        spending.used('rateLimitShort') + 1,
        failure.retryAfterMs,
        progress.random,
      )
      if (hasAlternative || afterMs > SHORT_WAIT_MS)
        return { do: 'next_account', reason: 'switched_account_after_rate_limit' }
      return spending.take('rateLimitShort')
        ? { do: 'again', afterMs, reason: 'repeated_after_rate_limit' }
        : { do: 'stop' }
    }

    case 'overloaded':
    case 'server_error':
    case 'not_sse':
      return sameOrNext(failure, progress, 'server')

    case 'network':
    case 'header_timeout':
    case 'stream_broken':
      return sameOrNext(failure, progress, 'network')

    case 'empty':
      if (!spending.take('emptyResponse')) return { do: 'stop' }
      return {
        do: 'again',
        afterMs: progress.emptyRetryDelayMs,
        reason: 'repeated_after_empty_answer',
      }
  }
}

/**
 * Trouble of the backend or the line, not of the account: one more try on the same account keeps its prompt cache; after
 * that somebody else.
 */
function sameOrNext(failure: Failure, progress: Progress, kind: 'server' | 'network'): Next {
  const { spending, hasAlternative, random } = progress
  if (!spending.take(kind)) return { do: 'stop' }
  const tries = spending.used(kind)
  const afterMs = backoffMs(tries, failure.retryAfterMs, random)
  if (hasAlternative && (tries > 1 || afterMs > SHORT_WAIT_MS))
    return { do: 'next_account', reason: `switched_account_after_${failure.kind}` }
  return afterMs > SHORT_WAIT_MS * 2
    ? { do: 'stop' }
    : { do: 'again', afterMs, reason: `repeated_after_${failure.kind}` }
}
