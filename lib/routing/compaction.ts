import { LOW_HEADROOM_PERCENT } from './score.js'
import type { Candidate, DecisionContext } from './types.js'

/**
 * A session that is compacted begins anew: what an account holds of it in its cache is worth nothing afterwards, so that
 * moving costs nothing. Who is about to run dry is left then, rather than in the middle of the work that follows.
 */

/** Whether a window of the account, for the model of the request, is nearly used up. */
export function isLow({ windows }: Candidate, { limitId, nowMs }: DecisionContext): boolean {
  return (windows[limitId] ?? []).some(
    ({ usedPercent, resetsAtMs }) =>
      100 - usedPercent < LOW_HEADROOM_PERCENT && (resetsAtMs === undefined || resetsAtMs > nowMs),
  )
}

/** True when the account of the session is left for another one at this compaction, where one serves as well. */
export function mayLeave(holder: Candidate, context: DecisionContext): boolean {
  return context.atCompaction === true && isLow(holder, context)
}
