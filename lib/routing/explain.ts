import { decide } from './decide.js'
import { blockedUntil, ineligibleReasons, PAID } from './eligibility.js'
import { drainWindow, scoreOf, windowPace } from './score.js'
import type { Candidate, CandidateReason, ExplainedCandidate, RoutingSnapshot } from './types.js'

/** Health and tokens below these are worth a word. */
const HEALTH_WORTH_A_WORD = 70
const TOKENS_WORTH_A_WORD = 10

/**
 * The decision for a snapshot with every fact that was weighed, for `codex-status --why`. Shares eligibility and score
 * with `decide`, so it can never tell another story; built on demand because a request does not need it.
 */
export function explain(snapshot: RoutingSnapshot) {
  const candidates = snapshot.candidates
    .map((candidate) => explainCandidate(candidate, snapshot))
    .sort((left, right) => left.position - right.position || (left.uid < right.uid ? -1 : 1))
  return { decision: decide(snapshot), candidates }
}

function explainCandidate(candidate: Candidate, snapshot: RoutingSnapshot): ExplainedCandidate {
  const { uid, position, label } = candidate
  const against = ineligibleReasons(candidate, snapshot)
  const eligible = against.length === 0
  return {
    uid,
    position,
    label,
    eligible,
    score: eligible ? scoreOf(candidate, snapshot) : undefined,
    reasons: eligible ? preferences(candidate, snapshot) : against,
  }
}

function preferences(candidate: Candidate, snapshot: RoutingSnapshot): CandidateReason[] {
  const { uid } = candidate
  const { pin } = snapshot
  const reasons: CandidateReason[] = []
  if (pin?.uid === uid) reasons.push({ code: 'pinned', scope: pin.scope, mode: pin.mode })
  if (snapshot.sessionUid === uid) reasons.push({ code: 'session' })
  if (snapshot.activeUid === uid) reasons.push({ code: 'manual_switch' })
  if (snapshot.modelPool?.uids.has(uid) === true) reasons.push({ code: 'pool_member' })
  if (blockedUntil(candidate, snapshot) === PAID) reasons.push({ code: 'uses_credits' })
  reasons.push(...quotaFacts(candidate, snapshot))
  if (candidate.modelSupport === 'unknown') reasons.push({ code: 'model_unverified' })
  if (candidate.inFlight > 0) reasons.push({ code: 'in_flight', count: candidate.inFlight })
  if (candidate.bucketTokens < TOKENS_WORTH_A_WORD)
    reasons.push({ code: 'bucket_low', tokens: candidate.bucketTokens })
  if (candidate.resting) reasons.push({ code: 'resting' })
  if (candidate.health < HEALTH_WORTH_A_WORD)
    reasons.push({ code: 'health_low', health: candidate.health })
  return reasons
}

function quotaFacts(candidate: Candidate, snapshot: RoutingSnapshot): CandidateReason[] {
  const windows = candidate.windows[snapshot.limitId] ?? []
  if (windows.length === 0) return [{ code: 'quota_unknown' }]
  const reasons: CandidateReason[] = windows.map((window) => ({
    code: 'headroom',
    kind: window.kind,
    leftPercent: Math.max(0, 100 - window.usedPercent),
    pace: windowPace(window, snapshot.nowMs),
  }))
  const drain = snapshot.strategy === 'drain-first' ? drainWindow(candidate, snapshot) : undefined
  if (drain?.resetsAtMs !== undefined)
    reasons.push({ code: 'resets_at', kind: drain.kind, atMs: drain.resetsAtMs })
  return reasons
}
