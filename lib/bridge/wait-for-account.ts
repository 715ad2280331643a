import type { Config } from '../config/settings.js'
import type { Clock } from '../kernel/clock.js'
import type { Metrics } from '../kernel/metrics.js'
import type { Spending } from './budget.js'
import type { Deadline } from './deadline.js'
import { COUNTDOWN_MS, type Notices } from './notices.js'

/** A block that ends is waited for a little longer: the backend's clock is not ours, ms. */
export const WAIT_MARGIN_MS = 250

export interface WaitDeps {
  readonly clock: Clock
  readonly config: Config
  readonly metrics: Metrics
  readonly notices: Notices
}

/**
 * Waits for the first account to come free, if the user allows that long a wait.
 * @param freeAtMs when that is; undefined when nobody knows
 * @returns false when it was not waited for
 * @throws the reason of the request's signal
 */
export async function waitForAccount(
  { clock, config, metrics, notices }: WaitDeps,
  freeAtMs: number | undefined,
  { spending, deadline }: { spending: Spending; deadline: Deadline },
): Promise<boolean> {
  if (freeAtMs === undefined || !config.retryAllAccountsRateLimited) return false
  const until = freeAtMs + WAIT_MARGIN_MS
  const waitMs = until - clock.now()
  if (
    waitMs > config.retryAllAccountsMaxWaitMs ||
    !deadline.allows(waitMs) ||
    !spending.take('rateLimitGlobal')
  )
    return false
  metrics.count('waits')
  // The clock of the machine may be set meanwhile: nobody waits longer than was decided.
  const endsAt = performance.now() + waitMs
  for (
    let leftMs = waitMs;
    leftMs > 0;
    leftMs = Math.min(until - clock.now(), endsAt - performance.now())
  ) {
    notices.waiting(until)
    await clock.sleep(Math.min(COUNTDOWN_MS, leftMs), deadline.signal)
  }
  return true
}
