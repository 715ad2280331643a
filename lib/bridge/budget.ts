import type { Config } from '../config/settings.js'

/** Classes of failure that a request may get over by trying once more. */
export type RetryClass =
  'authRefresh' | 'network' | 'server' | 'rateLimitShort' | 'rateLimitGlobal' | 'emptyResponse'

/** How often one request may try again, per class. */
export type RetryBudget = Readonly<Record<RetryClass, number>>

/** Budgets of one request by profile (peer facts §5.7). */
export const RETRY_PROFILES: Readonly<Record<Config['retryProfile'], RetryBudget>> = {
  conservative: {
    authRefresh: 2,
    network: 2,
    server: 2,
    rateLimitShort: 2,
    rateLimitGlobal: 1,
    emptyResponse: 1,
  },
  balanced: {
    authRefresh: 4,
    network: 4,
    server: 4,
    rateLimitShort: 4,
    rateLimitGlobal: 3,
    emptyResponse: 2,
  },
  aggressive: {
    authRefresh: 8,
    network: 8,
    server: 8,
    rateLimitShort: 8,
    rateLimitGlobal: 10,
    emptyResponse: 4,
  },
}

/** The budget of every request under a configuration. Pure. */
export function budgetOf(config: Config): RetryBudget {
  const profile = RETRY_PROFILES[config.retryProfile]
  return {
    ...profile,
    rateLimitGlobal: Math.min(profile.rateLimitGlobal, config.retryAllAccountsMaxRetries),
    emptyResponse: Math.min(profile.emptyResponse, config.emptyResponseMaxRetries),
    ...definedOnly(config.retryBudgetOverrides),
  }
}

function definedOnly(overrides: Config['retryBudgetOverrides']): Partial<RetryBudget> {
  return Object.fromEntries(Object.entries(overrides).filter(([, value]) => value !== undefined))
}

/** What one request has spent. Every retry of every kind goes through here, so that each has an end. */
export interface Spending {
  /** Spends one retry of the class; false when none is left. */
  take(kind: RetryClass): boolean
  used(kind: RetryClass): number
}

/** Opens the account of one request. */
export function createSpending(budget: RetryBudget): Spending {
  const used: Record<RetryClass, number> = {
    authRefresh: 0,
    network: 0,
    server: 0,
    rateLimitShort: 0,
    rateLimitGlobal: 0,
    emptyResponse: 0,
  }
  return {
    take(kind) {
      if (used[kind] >= budget[kind]) return false
      used[kind] += 1
      return true
    },
    used: (kind) => used[kind],
  }
}
