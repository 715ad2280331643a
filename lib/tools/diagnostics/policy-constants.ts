import { HELD_RETRY_MS } from '../../tokens/commit.js'
import { RUNNING_GRACE_MS } from '../../tokens/journal/entry.js'
import { ANSWER_TIMEOUT_MS } from '../../oauth/login-server.js'
import { JOURNAL_MAX_AGE_MS, RECEIVED_MAX_AGE_MS } from '../../tokens/journal/journal.js'
import { LEASE_STALE_MS } from '../../tokens/lease.js'
import { REUSED_GRACE_MS } from '../../tokens/refresh.js'
import {
  FIRST_PAUSE_MS,
  LONGEST_PAUSE_MS,
  LONGEST_SERVER_PAUSE_MS,
} from '../../tokens/token-rules.js'
import { REFRESH_AHEAD_MS } from '../../tokens/tokens.js'
import {
  MAX_HOLD_AGE_MS,
  MAX_SESSIONS,
  TOUCH_INTERVAL_MS,
} from '../../accounts/session-affinity.js'
import { BREAKER_OPEN_MS, BREAKER_THRESHOLD, BREAKER_WINDOW_MS } from '../../request/breaker.js'
import { COUNTDOWN_MS, WAIT_MARGIN_MS } from '../../request/notices.js'
import {
  HOLD_MS,
  LONGEST_RATE_LIMIT_MS,
  UNAUTHORIZED_HOLD_MS,
} from '../../request/failures/blocks.js'
import { MAX_RETRY_AFTER_MS } from '../../request/failures/facts.js'
import { BASE_DELAY_MS, JITTER, MAX_DELAY_MS, SHORT_WAIT_MS } from '../../request/failures/retry.js'
import {
  ACCOUNT_BREAKER_REST_MS,
  ACCOUNT_BREAKER_STRIKES,
  FULL_BUCKET,
  FULL_HEALTH,
  HEALTH_PER_HOUR,
  TOKENS_PER_MINUTE,
} from '../../routing/health.js'
import { UNKNOWN_RESET_HOLD_MS } from '../../routing/eligibility.js'
import { ALERT_LEVELS } from '../../quota/alerts.js'

/** The constants of one policy by name; times in ms. */
type Policy = Readonly<
  Record<string, number | readonly number[] | Readonly<Record<string, number>>>
>

/** Every number the policies go by, from the modules that own them. */
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
    REFRESH_TIMEOUT_MS: ANSWER_TIMEOUT_MS,
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
