import { HELD_RETRY_MS } from '../auth/refresh-commit.js'
import { RUNNING_GRACE_MS } from '../auth/refresh-entry.js'
import { REFRESH_TIMEOUT_MS } from '../auth/refresh-exchange.js'
import { JOURNAL_MAX_AGE_MS, RECEIVED_MAX_AGE_MS } from '../auth/refresh-journal.js'
import { LEASE_STALE_MS } from '../auth/refresh-lease.js'
import { REUSED_GRACE_MS } from '../auth/refresh-renewal.js'
import { FIRST_PAUSE_MS, LONGEST_PAUSE_MS, LONGEST_SERVER_PAUSE_MS } from '../auth/refresh-rules.js'
import { REFRESH_AHEAD_MS } from '../auth/tokens.js'
import { BASE_DELAY_MS, JITTER, MAX_DELAY_MS } from '../bridge/backoff.js'
import { BREAKER_OPEN_MS, BREAKER_THRESHOLD, BREAKER_WINDOW_MS } from '../bridge/breaker.js'
import { UNAUTHORIZED_HOLD_MS } from '../bridge/account-verdicts.js'
import { WAIT_MARGIN_MS } from '../bridge/wait-for-account.js'
import { COUNTDOWN_MS } from '../bridge/notices.js'
import { HOLD_MS, LONGEST_RATE_LIMIT_MS } from '../bridge/outcome.js'
import { SHORT_WAIT_MS } from '../bridge/policy.js'
import { MAX_RETRY_AFTER_MS } from '../bridge/retry-after.js'
import { MAX_HOLD_AGE_MS, MAX_SESSIONS, TOUCH_INTERVAL_MS } from '../routing/affinity.js'
import {
  ACCOUNT_BREAKER_REST_MS,
  ACCOUNT_BREAKER_STRIKES,
  FULL_BUCKET,
  FULL_HEALTH,
  HEALTH_PER_HOUR,
  TOKENS_PER_MINUTE,
} from '../routing/health.js'
import { UNKNOWN_RESET_HOLD_MS } from '../routing/standing.js'
import { ALERT_LEVELS } from '../quota/alerts.js'

/** The constants of one policy by name; times in ms. */
type Policy = Readonly<
  Record<string, number | readonly number[] | Readonly<Record<string, number>>>
>

/** Every number the policies go by, from the rooms that own them. */
export const POLICY_CONSTANTS: Readonly<Record<string, Policy>> = {
  failover: {
    SHORT_WAIT_MS,
    HOLD_MS,
    LONGEST_RATE_LIMIT_MS,
    UNAUTHORIZED_HOLD_MS,
    MAX_RETRY_AFTER_MS,
    UNKNOWN_RESET_HOLD_MS,
  },
  backoff: { BASE_DELAY_MS, MAX_DELAY_MS, JITTER },
  'circuit breaker of a host': { BREAKER_THRESHOLD, BREAKER_WINDOW_MS, BREAKER_OPEN_MS },
  'circuit breaker of an account': { ACCOUNT_BREAKER_STRIKES, ACCOUNT_BREAKER_REST_MS },
  'health and token bucket': { FULL_HEALTH, HEALTH_PER_HOUR, FULL_BUCKET, TOKENS_PER_MINUTE },
  'wait for a limit': { WAIT_MARGIN_MS, COUNTDOWN_MS },
  refresh: {
    REFRESH_AHEAD_MS,
    REFRESH_TIMEOUT_MS,
    LEASE_STALE_MS,
    RUNNING_GRACE_MS,
    REUSED_GRACE_MS,
    HELD_RETRY_MS,
    FIRST_PAUSE_MS,
    LONGEST_PAUSE_MS,
    LONGEST_SERVER_PAUSE_MS,
    JOURNAL_MAX_AGE_MS,
    RECEIVED_MAX_AGE_MS,
  },
  'session affinity': { MAX_SESSIONS, MAX_HOLD_AGE_MS, TOUCH_INTERVAL_MS },
  alerts: { ALERT_LEVELS },
}
