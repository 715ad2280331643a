import { createRing } from '../kernel/ring.js'
import type { Decision, ExplainedCandidate } from './types.js'

interface LoggedDecision {
  /** Epoch ms. */
  readonly atMs: number
  readonly sessionId: string | undefined
  readonly model: string
  readonly decision: Decision
  /** Everything that was weighed; computed when it is asked for, not when the request runs. */
  explain(): readonly ExplainedCandidate[]
}

/** The newest decisions of one plugin instance, for `codex-status --why`. */
export type DecisionLog = ReturnType<typeof createDecisionLog>

/** Creates a log that keeps the newest `limit` decisions. */
export function createDecisionLog(limit: number) {
  const ring = createRing<LoggedDecision>(limit)
  return {
    record: (entry: LoggedDecision) => ring.push(entry),
    /** Newest first. */
    recent: () => ring.toArray().reverse(),
  }
}
