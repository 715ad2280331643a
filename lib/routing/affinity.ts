import { type ReasoningOwners, UNCERTAIN } from './reasoning-owners.js'

/** Which account serves a session. */
export interface SessionHold {
  readonly uid: string
  /** Last request of the session, epoch ms, exact to `TOUCH_INTERVAL_MS`. */
  readonly usedAtMs: number
  /** Who produced the encrypted reasoning in its history; absent: not known. */
  readonly reasoning?: ReasoningOwners | undefined
  /** Goes up with every move: the higher one is the later one, whatever the clocks say. */
  readonly revision?: number | undefined
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
  return replaced(
    holds,
    sessionId,
    {
      ...current,
      uid,
      usedAtMs: nowMs,
      revision: (current?.revision ?? 0) + (current?.uid === uid ? 0 : 1),
    },
    nowMs,
  )
}

/** The holds with other owners of a session's reasoning; of a session that nobody holds nothing is kept. */
export function withReasoning(
  holds: Holds,
  sessionId: string,
  reasoning: ReasoningOwners,
  nowMs: number,
): Holds {
  const current = holds.get(sessionId)
  if (current === undefined || current.reasoning === reasoning) return holds
  return replaced(
    holds,
    sessionId,
    { ...current, reasoning, revision: (current.revision ?? 0) + 1 },
    nowMs,
  )
}

function replaced(holds: Holds, sessionId: string, hold: SessionHold, nowMs: number): Holds {
  const next = new Map(holds)
  next.set(sessionId, hold)
  return prunedHolds(next, nowMs)
}

/** The account a session is held on, unless the hold is too old. */
export function holderOf(holds: Holds, sessionId: string, nowMs: number): string | undefined {
  const hold = holds.get(sessionId)
  return hold !== undefined && nowMs - hold.usedAtMs <= MAX_HOLD_AGE_MS ? hold.uid : undefined
}

/** Both together; where they differ the later move wins, then the later use, and of equal times `ours`. */
export function mergedHolds(ours: Holds, theirs: Holds, nowMs: number): Holds {
  const merged = new Map(prunedHolds(theirs, nowMs))
  for (const [sessionId, hold] of prunedHolds(ours, nowMs)) {
    const other = merged.get(sessionId)
    merged.set(sessionId, other === undefined ? hold : later(hold, other))
  }
  return prunedHolds(merged, nowMs)
}

function later(ours: SessionHold, theirs: SessionHold): SessionHold {
  const moves = (ours.revision ?? 0) - (theirs.revision ?? 0)
  if (moves !== 0) return moves > 0 ? ours : theirs
  const newer = ours.usedAtMs >= theirs.usedAtMs ? ours : theirs
  // Two windows have moved the session at once.
  const isSame =
    ours.uid === theirs.uid && JSON.stringify(ours.reasoning) === JSON.stringify(theirs.reasoning)
  return isSame ? newer : { ...newer, reasoning: UNCERTAIN }
}

/** Without the sessions too old or too many; times from a clock that ran ahead are pulled back to now. */
export function prunedHolds(holds: Holds, nowMs: number): Holds {
  const kept = [...holds]
    .map(([id, hold]): [string, SessionHold] => [
      id,
      hold.usedAtMs > nowMs ? { ...hold, usedAtMs: nowMs } : hold,
    ])
    .filter(([, hold]) => nowMs - hold.usedAtMs <= MAX_HOLD_AGE_MS)
  if (kept.length > MAX_SESSIONS) {
    kept.sort(
      ([leftId, left], [rightId, right]) =>
        right.usedAtMs - left.usedAtMs || (leftId < rightId ? -1 : 1),
    )
    kept.length = MAX_SESSIONS
  }
  return new Map(kept)
}
