/**
 * What this process has lately met on an account: a health score and a soft token bucket. Both only move an account
 * up or down in the choice; neither ever makes it ineligible, and neither is written to disk.
 */
export interface Vitals {
  readonly health: number
  readonly tokens: number
  /** When both were last brought up to date, epoch ms. */
  readonly atMs: number
  /** Answers in a row that failed for no reason of a limit. */
  readonly strikes: number
  /** When the last of them failed, epoch ms; 0 for never. */
  readonly struckAtMs: number
}

/** What happened to one request. */
export type VitalEvent = 'sent' | 'succeeded' | 'limited' | 'failed' | 'network_failed'

/** Health and bucket of an account nothing is known about. */
export const FULL_HEALTH = 100
export const FULL_BUCKET = 50

/** Failures in a row after which an account rests while others can serve: its own circuit breaker. */
export const ACCOUNT_BREAKER_STRIKES = 3
/** How long it rests after the last of them, ms; the next request to it finds out. */
export const ACCOUNT_BREAKER_REST_MS = 30_000

/** Points by event, and points regained per hour of rest. */
const HEALTH_CHANGE: Readonly<Record<VitalEvent, number>> = {
  sent: 0,
  succeeded: 1,
  limited: -10,
  failed: -20,
  network_failed: -5,
}
export const HEALTH_PER_HOUR = 10
/** Tokens by event: a request costs one, a limit empties a good part, a request that never arrived is given back. */
const TOKEN_CHANGE: Readonly<Record<VitalEvent, number>> = {
  sent: -1,
  succeeded: 0,
  limited: -10,
  failed: 0,
  network_failed: 1,
}
export const TOKENS_PER_MINUTE = 6

/** Vitals after a rest until `nowMs`; a clock that went back changes nothing. */
export function restedVitals(vitals: Vitals, nowMs: number): Vitals {
  const restMs = nowMs - vitals.atMs
  if (restMs <= 0) return restMs === 0 ? vitals : { ...vitals, atMs: nowMs }
  return {
    health: Math.min(FULL_HEALTH, vitals.health + (restMs / 3_600_000) * HEALTH_PER_HOUR),
    tokens: Math.min(FULL_BUCKET, vitals.tokens + (restMs / 60_000) * TOKENS_PER_MINUTE),
    atMs: nowMs,
    strikes: vitals.strikes,
    struckAtMs: vitals.struckAtMs,
  }
}

function isResting({ strikes, struckAtMs }: Vitals, nowMs: number): boolean {
  return (
    strikes >= ACCOUNT_BREAKER_STRIKES &&
    nowMs >= struckAtMs &&
    nowMs < struckAtMs + ACCOUNT_BREAKER_REST_MS
  )
}

/** Vitals after an event at `nowMs`. Health stays within 0–100, tokens within 0–50. */
export function nextVitals(vitals: Vitals | undefined, event: VitalEvent, nowMs: number): Vitals {
  const rested = vitals === undefined ? fullVitals(nowMs) : restedVitals(vitals, nowMs)
  const struck = event === 'failed' || event === 'network_failed'
  return {
    health: Math.min(FULL_HEALTH, Math.max(0, rested.health + HEALTH_CHANGE[event])),
    tokens: Math.min(FULL_BUCKET, Math.max(0, rested.tokens + TOKEN_CHANGE[event])),
    atMs: nowMs,
    strikes: struck ? rested.strikes + 1 : event === 'succeeded' ? 0 : rested.strikes,
    struckAtMs: struck ? nowMs : rested.struckAtMs,
  }
}

function fullVitals(nowMs: number): Vitals {
  return { health: FULL_HEALTH, tokens: FULL_BUCKET, atMs: nowMs, strikes: 0, struckAtMs: 0 }
}

/** The vitals of every account of one plugin instance, by uid. */
export interface VitalsBook {
  /** @param nowMs epoch ms */
  read(uid: string, nowMs: number): Vitals
  /** True while an account comes after all others that can serve; it still serves when nobody else can. */
  isResting(uid: string, nowMs: number): boolean
  /** @param nowMs epoch ms */
  record(uid: string, event: VitalEvent, nowMs: number): void
  /** Forgets the accounts that are not in `uids`; a name that comes back later starts anew. */
  retain(uids: ReadonlySet<string>): void
}

/** Creates an empty book. */
export function createVitalsBook(): VitalsBook {
  const book = new Map<string, Vitals>()
  return {
    read: (uid, nowMs) => {
      const vitals = book.get(uid)
      return vitals === undefined ? fullVitals(nowMs) : restedVitals(vitals, nowMs)
    },
    isResting: (uid, nowMs) => {
      const vitals = book.get(uid)
      return vitals !== undefined && isResting(vitals, nowMs)
    },
    record: (uid, event, nowMs) => {
      book.set(uid, nextVitals(book.get(uid), event, nowMs))
    },
    retain: (uids) => {
      for (const uid of book.keys()) if (!uids.has(uid)) book.delete(uid)
    },
  }
}
