/**
 * What this process has lately met on an account: a health score and a soft token bucket. Both only move an account
 * up or down in the choice; neither ever makes it ineligible, and neither is written to disk.
 */
export interface AccountHealth {
  readonly health: number
  readonly tokens: number
  /** When both were last brought up to date, epoch ms. */
  readonly atMs: number
  /** Answers in a row that failed for no reason of a limit. */
  readonly consecutiveFailures: number
  /** When the last of them failed, epoch ms; 0 for never. */
  readonly lastFailureAtMs: number
}

/** What happened to one request. */
export type HealthEvent = 'sent' | 'succeeded' | 'limited' | 'failed' | 'network_failed'

/** Health and bucket of an account nothing is known about. */
export const FULL_HEALTH = 100
export const FULL_BUCKET = 50

/** Failures in a row after which an account rests while others can serve: its own circuit breaker. */
export const ACCOUNT_BREAKER_STRIKES = 3
/** How long it rests after the last of them, ms; the next request to it finds out. */
export const ACCOUNT_BREAKER_REST_MS = 30_000

/** Points by event, and points regained per hour of rest. */
const HEALTH_CHANGE: Readonly<Record<HealthEvent, number>> = {
  sent: 0,
  succeeded: 1,
  limited: -10,
  failed: -20,
  network_failed: -5,
}
export const HEALTH_PER_HOUR = 10
/** Tokens by event: a request costs one, a limit empties a good part, a request that never arrived is given back. */
const TOKEN_CHANGE: Readonly<Record<HealthEvent, number>> = {
  sent: -1,
  succeeded: 0,
  limited: -10,
  failed: 0,
  network_failed: 1,
}
export const TOKENS_PER_MINUTE = 6

/** The health after a rest until `nowMs`; a clock that went back changes nothing. */
function restedHealth(before: AccountHealth, nowMs: number): AccountHealth {
  const restMs = Math.max(0, nowMs - before.atMs)
  return {
    ...before,
    health: Math.min(FULL_HEALTH, before.health + (restMs / 3_600_000) * HEALTH_PER_HOUR),
    tokens: Math.min(FULL_BUCKET, before.tokens + (restMs / 60_000) * TOKENS_PER_MINUTE),
    atMs: nowMs,
  }
}

const UNKNOWN: AccountHealth = {
  health: FULL_HEALTH,
  tokens: FULL_BUCKET,
  atMs: 0,
  consecutiveFailures: 0,
  lastFailureAtMs: 0,
}

/** The health after an event at `nowMs`. Health stays within 0–100, tokens within 0–50. */
export function nextHealth(
  before: AccountHealth | undefined,
  event: HealthEvent,
  nowMs: number,
): AccountHealth {
  const rested = restedHealth(before ?? UNKNOWN, nowMs)
  const next = {
    ...rested,
    health: Math.min(FULL_HEALTH, Math.max(0, rested.health + HEALTH_CHANGE[event])),
    tokens: Math.min(FULL_BUCKET, Math.max(0, rested.tokens + TOKEN_CHANGE[event])),
  }
  if (event === 'succeeded') return { ...next, consecutiveFailures: 0 }
  if (event !== 'failed' && event !== 'network_failed') return next
  return { ...next, consecutiveFailures: rested.consecutiveFailures + 1, lastFailureAtMs: nowMs }
}

/** The health of every account of one plugin instance, by uid. */
export type HealthTracker = ReturnType<typeof createHealthTracker>

/** Creates a tracker that knows nothing yet. */
export function createHealthTracker() {
  const known = new Map<string, AccountHealth>()
  return {
    read: (uid: string, nowMs: number) => restedHealth(known.get(uid) ?? UNKNOWN, nowMs),
    /**
     * Until when an account comes after all others that can serve, epoch ms; undefined when it does not rest. It still
     * serves when no other can.
     */
    restsUntil(uid: string, nowMs: number): number | undefined {
      const { consecutiveFailures, lastFailureAtMs } = known.get(uid) ?? UNKNOWN
      const endMs = lastFailureAtMs + ACCOUNT_BREAKER_REST_MS
      const rests =
        consecutiveFailures >= ACCOUNT_BREAKER_STRIKES && nowMs >= lastFailureAtMs && nowMs < endMs
      return rests ? endMs : undefined
    },
    record(uid: string, event: HealthEvent, nowMs: number) {
      known.set(uid, nextHealth(known.get(uid), event, nowMs))
    },
    /** Forgets the accounts that are not in `uids`; a name that comes back later starts again. */
    retain(uids: ReadonlySet<string>) {
      for (const uid of known.keys()) if (!uids.has(uid)) known.delete(uid)
    },
  }
}
