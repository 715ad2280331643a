import { createRing } from '../kernel/ring.js'
import type { Decision, ExplainedCandidate } from './types.js'

/** One decision, kept for `codex-status --why`. */
interface LoggedDecision {
  /** Epoch ms. */
  readonly atMs: number
  readonly sessionId: string | undefined
  readonly model: string
  readonly decision: Decision
  /** Everything that was weighed; computed when it is asked for, not when the request runs. */
  explain(): readonly ExplainedCandidate[]
}

/** The newest decisions of one plugin instance. */
export interface DecisionLog {
  record(entry: LoggedDecision): void
  /** Newest first. */
  recent(): readonly LoggedDecision[]
}

/** Creates a log that keeps the newest `limit` decisions. */
export function createDecisionLog(limit: number): DecisionLog {
  const ring = createRing<LoggedDecision>(limit)
  return {
    record: (entry) => ring.push(entry),
    recent: () => ring.toArray().reverse(),
  }
}
