import type { Account, AccountPool } from '../accounts/account.js'
import type { Config } from '../config/settings.js'
import type { Clock } from '../kernel/clock.js'
import type { CodexError } from '../kernel/errors.js'
import type { QuotaLedger } from '../quota/ledger.js'
import { blockedClause } from './blocked-accounts.js'
import { errorOfRefusal, type Refusal } from './no-account.js'
import type { RoutedRequest, Router } from './router.js'

export interface PoolErrorDeps {
  readonly clock: Clock
  readonly config: Config
  readonly ledger: QuotaLedger
  readonly router: Router
  readonly label: (account: Account) => string
}

/** The error for a request that no account of the pool can serve, with who is kept out and why. */
export function errorOfPool(
  { clock, config, ledger, router, label }: PoolErrorDeps,
  refusal: Refusal,
  { pool, request }: { pool: AccountPool; request: RoutedRequest },
): CodexError {
  const nowMs = clock.now()
  const { model } = request
  const hasCredits = pool.accounts.some(
    ({ uid, enabled }) => enabled !== false && ledger.hasCredits(uid),
  )
  const meant = router.meantBy(pool, request, refusal.reason, nowMs)
  const concerned =
    meant === undefined ? pool.accounts : pool.accounts.filter((one) => meant.has(one.uid))
  const blocked = blockedClause(concerned, ledger, {
    label,
    model,
    limitId: router.limitOf(model),
    nowMs,
  })
  return errorOfRefusal(refusal, {
    accounts: pool.accounts.length,
    model,
    nowMs,
    blocked,
    hasUnusedCredits: config.creditsPolicy === 'ask' && hasCredits,
  })
}
