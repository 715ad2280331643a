/** Which account serves a session. */
export interface SessionHold {
  readonly uid: string
  /** Last request of the session, epoch ms, exact to `TOUCH_INTERVAL_MS`. */
  readonly usedAtMs: number
}

/** Sessions by id. */
export type Holds = ReadonlyMap<string, SessionHold>

/** The oldest sessions beyond this number are forgotten. */
export const MAX_SESSIONS = 1000
/** A session left alone for this long is placed anew. Encrypted reasoning in its history makes an early move costly. */
export const MAX_HOLD_AGE_MS = 30 * 24 * 3_600_000
/** The time of use is moved on in steps, so that a running session causes next to no writes. */
export const TOUCH_INTERVAL_MS = 3_600_000

/**
 * The holds after a session was served by an account. The same map comes back when nothing worth writing changed.
 * @param nowMs epoch ms
 */
export function withHold(holds: Holds, sessionId: string, uid: string, nowMs: number): Holds {
  const current = holds.get(sessionId)
  if (current?.uid === uid && Math.abs(nowMs - current.usedAtMs) < TOUCH_INTERVAL_MS) return holds
  const next = new Map(holds)
  next.set(sessionId, { uid, usedAtMs: nowMs })
  return prunedHolds(next, nowMs)
}

/** The account a session is held on, unless the hold is too old. */
export function holderOf(holds: Holds, sessionId: string, nowMs: number): string | undefined {
  const hold = holds.get(sessionId)
  return hold !== undefined && nowMs - hold.usedAtMs <= MAX_HOLD_AGE_MS ? hold.uid : undefined
}

/** Both together; where they differ the later use wins, and of equal times `ours`. */
export function mergedHolds(ours: Holds, theirs: Holds, nowMs: number): Holds {
  const merged = new Map(prunedHolds(theirs, nowMs))
  for (const [sessionId, hold] of prunedHolds(ours, nowMs)) {
    const other = merged.get(sessionId)
    if (other === undefined || hold.usedAtMs >= other.usedAtMs) merged.set(sessionId, hold)
  }
  return prunedHolds(merged, nowMs)
}

/** Without the sessions too old or too many; times from a clock that ran ahead are pulled back to now. */
export function prunedHolds(holds: Holds, nowMs: number): Holds {
  const kept = [...holds]
    .map(([id, hold]): [string, SessionHold] => [id, hold.usedAtMs > nowMs ? { ...hold, usedAtMs: nowMs } : hold])
    .filter(([, hold]) => nowMs - hold.usedAtMs <= MAX_HOLD_AGE_MS)
  if (kept.length > MAX_SESSIONS) {
    kept.sort(([leftId, left], [rightId, right]) => right.usedAtMs - left.usedAtMs || (leftId < rightId ? -1 : 1))
    kept.length = MAX_SESSIONS
  }
  return new Map(kept)
}
