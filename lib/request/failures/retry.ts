import type { Config } from '../../config/settings.js'
import type { FailureFacts } from './facts.js'

/** Classes of failure that a request may get over by trying once more. */
type RetryClass =
  'authRefresh' | 'network' | 'server' | 'rateLimitShort' | 'rateLimitGlobal' | 'emptyResponse'

/** How often one request may try again, per class. */
export type RetryLimits = Readonly<Record<RetryClass, number>>

/** The limits of one request by profile. */
export const RETRY_PROFILES: Readonly<Record<Config['retryProfile'], RetryLimits>> = {
  conservative: limits(2, { rateLimitGlobal: 1, emptyResponse: 1 }),
  balanced: limits(4, { rateLimitGlobal: 3, emptyResponse: 2 }),
  aggressive: limits(8, { rateLimitGlobal: 10, emptyResponse: 4 }),
}

function limits(
  each: number,
  others: Pick<RetryLimits, 'rateLimitGlobal' | 'emptyResponse'>,
): RetryLimits {
  return { authRefresh: each, network: each, server: each, rateLimitShort: each, ...others }
}

/** The limits of every request under a configuration. Pure. */
export function retryLimitsOf(config: Config): RetryLimits {
  const profile = RETRY_PROFILES[config.retryProfile]
  const overrides = Object.entries(config.retryBudgetOverrides)
  return {
    ...profile,
    rateLimitGlobal: Math.min(profile.rateLimitGlobal, config.retryAllAccountsMaxRetries),
    emptyResponse: Math.min(profile.emptyResponse, config.emptyResponseMaxRetries),
    ...Object.fromEntries(overrides.filter(([, value]) => value !== undefined)),
  }
}

/** What one request may still spend. Every retry of every kind goes through here, so that each has an end. */
export type RetryBudget = ReturnType<typeof createRetryBudget>

/** Opens the budget of one request. */
export function createRetryBudget(allowed: RetryLimits) {
  const spent = new Map<RetryClass, number>()
  const used = (kind: RetryClass): number => spent.get(kind) ?? 0
  return {
    used,
    /** Spends one retry of the class; false when none is left. */
    take(kind: RetryClass): boolean {
      if (used(kind) >= allowed[kind]) return false
      spent.set(kind, used(kind) + 1)
      return true
    },
  }
}

/** First pause before the same account is asked again, ms; doubles each time, as in the Codex CLI. */
export const BASE_DELAY_MS = 200
/** Longest pause that is not asked for by the server, ms. */
export const MAX_DELAY_MS = 5_000
/** Share by which a pause varies, so that several windows do not come back in step. */
export const JITTER = 0.1

/**
 * Pause before the next try.
 * @param attempt failed tries of this kind so far, from 1
 * @param serverAsksMs the pause the server asks for; never undercut
 * @param random 0 up to 1
 * @returns ms
 */
export function backoffMs(
  attempt: number,
  serverAsksMs: number | undefined,
  random: number,
): number {
  const own =
    Math.min(MAX_DELAY_MS, BASE_DELAY_MS * 2 ** Math.max(0, attempt - 1)) *
    (1 - JITTER + 2 * JITTER * random)
  return Math.round(Math.max(own, serverAsksMs ?? 0))
}

/** What a rule knows of the request so far. */
export interface Progress {
  readonly budget: RetryBudget
  /** The refused token came out of a refresh made for this request. */
  readonly refreshed: boolean
  /** The body was already sent without encrypted reasoning. */
  readonly droppedReasoning: boolean
  readonly hasEncryptedReasoning: boolean
  /** The body was already sent with its tool calls paired again. */
  readonly repairedHistory: boolean
  /** True when another account could try. Looks at all of them, so it is asked only where it decides. */
  readonly hasAlternative: () => boolean
  /** 0 up to 1. */
  readonly random: number
  /** Pause before an empty answer is asked for again, ms. */
  readonly emptyRetryDelayMs: number
}

/** What to do after a failed attempt. */
export type NextStep =
  /** Ask the same account again. */
  | { readonly do: 'again'; readonly afterMs: number }
  | {
      readonly do:
        /** Give the failure to the host. */
        | 'stop'
        /** Let another account try. Free, since each account is asked once. */
        | 'next_account'
        /** Get another token for the same account, then ask again. */
        | 'refresh'
        /** Send the same without encrypted reasoning. */
        | 'drop_reasoning'
        /** Send the same with every tool call and its output paired again. */
        | 'repair_history'
        /** No account may use the model: the fallback chain, if the user wants one. */
        | 'other_model'
    }

/** What follows a failure. Pure but for the budget it spends. */
export interface RetryRule {
  /** For the table in docs/development/FAILOVER.md. */
  readonly words: string
  /** The class whose budget it spends. */
  readonly budget?: RetryClass
  decide(failure: FailureFacts, progress: Progress): NextStep
}

/** A pause up to here is waited out on the same account; for a longer one another account is better, ms. */
export const SHORT_WAIT_MS = 5_000

export const STOP: RetryRule = { words: 'the user is told', decide: () => ({ do: 'stop' }) }

export const NEXT_ACCOUNT: RetryRule = {
  words: 'the next account',
  decide: () => ({ do: 'next_account' }),
}

export const REFRESH_ONCE: RetryRule = {
  words: 'adopt a token that another window has stored, else refresh once; then the next account',
  budget: 'authRefresh',
  decide: (_failure, { refreshed, budget }) => ({
    do: refreshed || !budget.take('authRefresh') ? 'next_account' : 'refresh',
  }),
}

export const OTHER_MODEL_LAST: RetryRule = {
  words: 'the next account; then the fallback chain, if the user wants one',
  decide: (_failure, { hasAlternative }) => ({
    do: hasAlternative() ? 'next_account' : 'other_model',
  }),
}

export const DROP_REASONING_ONCE: RetryRule = {
  words: 'once more without it',
  decide: (_failure, { droppedReasoning, hasEncryptedReasoning }) => ({
    do: droppedReasoning || !hasEncryptedReasoning ? 'stop' : 'drop_reasoning',
  }),
}

export const REPAIR_HISTORY_ONCE: RetryRule = {
  words: 'once more with every call paired (`lib/request/body/tool-pairs.ts`)',
  decide: (_failure, { repairedHistory }) => ({
    do: repairedHistory ? 'stop' : 'repair_history',
  }),
}

export const WAIT_IF_ALONE: RetryRule = {
  words: `the next account; the only one waits up to ${SHORT_WAIT_MS / 1000} s`,
  budget: 'rateLimitShort',
  decide({ retryAfterMs }, { budget, hasAlternative, random }) {
    const afterMs = backoffMs(budget.used('rateLimitShort') + 1, retryAfterMs, random)
    if (afterMs > SHORT_WAIT_MS || hasAlternative()) return { do: 'next_account' }
    return budget.take('rateLimitShort') ? { do: 'again', afterMs } : { do: 'stop' }
  },
}

export const ASK_AGAIN: RetryRule = {
  words: 'asked again after a pause',
  budget: 'emptyResponse',
  decide: (_failure, { budget, emptyRetryDelayMs }) =>
    budget.take('emptyResponse') ? { do: 'again', afterMs: emptyRetryDelayMs } : { do: 'stop' },
}

export const AT_ONCE: RetryRule = {
  words: 'asked again at once, in full, on another connection',
  budget: 'network',
  decide: (_failure, { budget }) =>
    budget.take('network') ? { do: 'again', afterMs: 0 } : { do: 'stop' },
}

/**
 * Trouble of the backend or the line, not of the account: one more try on the same account keeps its prompt cache; after
 * that another account.
 */
export function sameThenNext(kind: 'server' | 'network'): RetryRule {
  return {
    words: 'once more on the same account, then the next',
    budget: kind,
    decide({ retryAfterMs }, { budget, hasAlternative, random }) {
      if (!budget.take(kind)) return { do: 'stop' }
      const tries = budget.used(kind)
      const afterMs = backoffMs(tries, retryAfterMs, random)
      if ((tries > 1 || afterMs > SHORT_WAIT_MS) && hasAlternative()) return { do: 'next_account' }
      return afterMs > SHORT_WAIT_MS * 2 ? { do: 'stop' } : { do: 'again', afterMs }
    },
  }
}
