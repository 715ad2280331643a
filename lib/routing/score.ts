import type { QuotaWindow } from './limits.js'
import type { Candidate, DecisionContext } from './types.js'

/** Weights of the `hybrid` score. Quota speaks loudest; the rest decides between accounts that are about equal. */
const QUOTA_WEIGHT = 50
const HEALTH_WEIGHT = 0.2
const BUCKET_WEIGHT = 0.2
const IN_FLIGHT_WEIGHT = 8
const VERIFIED_MODEL_BONUS = 5
const IDLE_WEIGHT = 2
/** With spreading on, scores this near to each other count as equal, and the process decides between them. */
const SPREAD_STEP = 3

/** Past this pace more surplus does not attract more: everything above would be lost unused anyhow. */
const MAX_PACE = 2
/** Below this much left an account is about to run dry, and a session started there would soon move. */
export const LOW_HEADROOM_PERCENT = 10
/** A reading of this age counts half; with more age it fades towards "nothing known". */
const READING_HALF_LIFE_MS = 6 * 3_600_000
/** Idle time counts up to here, so that an account never used does not beat everything for ever. */
const IDLE_CAP_MS = 24 * 3_600_000
const MAX_COUNTED_IN_FLIGHT = 10
/** Full soft bucket, see health.ts. */
const BUCKET_FULL = 50

/** An account with nothing read is taken to be exactly on pace. */
const NEUTRAL_PACE = 1
/** Keys are billed by use: accounts whose quota is already paid for go first. */
const API_KEY_PENALTY = 1000
/** Ranks below every real reset time in `drain-first`. */
const NO_RESET_KNOWN_MS = 8e15
const DRAIN_API_KEY_MS = 8.5e15

/** How good a new session is placed on this account; higher is better, comparable within one decision only. */
export function scoreOf(candidate: Candidate, context: DecisionContext): number {
  switch (context.strategy) {
    case 'hybrid': {
      const score = hybridScore(candidate, context)
      return context.processOffset === 0 ? score : Math.round(score / SPREAD_STEP) * SPREAD_STEP
    }
    case 'sticky':
      return candidate.lastUsedMs
    case 'round-robin':
      return -candidate.lastUsedMs
    case 'drain-first':
      return -drainTime(candidate, context)
  }
}

function hybridScore(candidate: Candidate, context: DecisionContext): number {
  const idleMs = Math.min(Math.max(context.nowMs - candidate.lastUsedMs, 0), IDLE_CAP_MS)
  return (
    QUOTA_WEIGHT * accountPace(candidate, context) +
    HEALTH_WEIGHT * candidate.health +
    BUCKET_WEIGHT * Math.min(candidate.bucketTokens, BUCKET_FULL) -
    IN_FLIGHT_WEIGHT * Math.min(candidate.inFlight, MAX_COUNTED_IN_FLIGHT) +
    (candidate.modelSupport === 'known' ? VERIFIED_MODEL_BONUS : 0) +
    IDLE_WEIGHT * (idleMs / IDLE_CAP_MS) -
    (candidate.kind === 'api-key' ? API_KEY_PENALTY : 0)
  )
}

/** The pace of the window that binds first; `NEUTRAL_PACE` when nothing is known. */
function accountPace(candidate: Candidate, context: DecisionContext): number {
  const windows = candidate.windows[context.limitId]
  if (windows === undefined || windows.length === 0) return NEUTRAL_PACE
  let pace = MAX_PACE
  for (let i = 0; i < windows.length; i++) {
    const own = windowPace(windows[i] as QuotaWindow, context.nowMs)
    if (own < pace) pace = own
  }
  return pace
}

/**
 * Usable quota per remaining window time: the share of quota left over the share of time left. 1 lasts exactly until
 * the reset when used evenly; 2 means half of it would be lost; 0.5 is gone half-way. Without a known reset or length
 * it is the share left. A window that has reset since the reading is full.
 * @returns 0 to 2
 */
export function windowPace(window: QuotaWindow, nowMs: number): number {
  const { resetsAtMs, windowMinutes } = window
  if (resetsAtMs !== undefined && resetsAtMs <= nowMs) return NEUTRAL_PACE
  const leftPercent = Math.max(0, 100 - window.usedPercent)
  let pace = leftPercent / 100
  if (resetsAtMs !== undefined && windowMinutes !== undefined && windowMinutes > 0) {
    const timeLeft = Math.min(1, (resetsAtMs - nowMs) / (windowMinutes * 60_000))
    pace = Math.min(MAX_PACE, pace / timeLeft)
  }
  if (leftPercent < LOW_HEADROOM_PERCENT) pace *= leftPercent / LOW_HEADROOM_PERCENT
  const ageMs = Math.max(0, nowMs - window.observedAtMs)
  const trust = READING_HALF_LIFE_MS / (READING_HALF_LIFE_MS + ageMs)
  return NEUTRAL_PACE + (pace - NEUTRAL_PACE) * trust
}

/**
 * When the account's quota is lost unused: the reset of its longest window. A five-hour window is filled again and
 * again out of the weekly one, so its reset loses nothing that the longer window does not keep.
 */
function drainTime(candidate: Candidate, context: DecisionContext): number {
  if (candidate.kind === 'api-key') return DRAIN_API_KEY_MS
  return drainWindow(candidate, context)?.resetsAtMs ?? NO_RESET_KNOWN_MS
}

/** The window `drain-first` goes by: the longest one with a reset still to come. */
export function drainWindow(
  candidate: Candidate,
  context: DecisionContext,
): QuotaWindow | undefined {
  const windows = candidate.windows[context.limitId]
  if (windows === undefined) return undefined
  let longest: QuotaWindow | undefined
  for (let i = 0; i < windows.length; i++) {
    const window = windows[i] as QuotaWindow
    if (window.resetsAtMs === undefined || window.resetsAtMs <= context.nowMs) continue
    if (longest === undefined || (window.windowMinutes ?? 0) > (longest.windowMinutes ?? 0))
      longest = window
  }
  return longest
}

/** Breaks a tie between equal scores: by process when spreading, then by position, then by name. */
export function isBefore(left: Candidate, right: Candidate, processOffset: number): boolean {
  if (processOffset !== 0) {
    const difference = spread(left.uid, processOffset) - spread(right.uid, processOffset)
    if (difference !== 0) return difference > 0
  }
  if (left.position !== right.position) return left.position < right.position
  return left.uid < right.uid
}

/** A number from 0 to 1 that depends on the account and the process, and evenly on both (FNV-1a). */
function spread(uid: string, processOffset: number): number {
  let hash = 0x811c9dc5 ^ processOffset
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
  for (let i = 0; i < uid.length; i++) hash = Math.imul(hash ^ uid.charCodeAt(i), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x45d9f3b)
  return ((hash ^ (hash >>> 16)) >>> 0) / 0x1_0000_0000
}
