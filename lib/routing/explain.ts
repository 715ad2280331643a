import { decide, freeAtOf, isEligible } from './decide.js'
import {
  concerns,
  exclusionOf,
  exhaustedUntil,
  isWaivedByCredits,
  mayUseCredits,
} from './standing.js'
import { drainWindow, scoreOf, windowPace } from './score.js'
import type {
  Candidate,
  CandidateReason,
  ExplainedCandidate,
  Explanation,
  RoutingSnapshot,
} from './types.js'

/** Health and tokens below these are worth a word. */
const HEALTH_WORTH_A_WORD = 70
const TOKENS_WORTH_A_WORD = 10

/**
 * The decision for a snapshot with every fact that was weighed, for `codex-status --why`. Shares eligibility and score
 * with `decide`, so it can never tell another story; built on demand because a request does not need it.
 */
export function explain(snapshot: RoutingSnapshot): Explanation {
  const decision = decide(snapshot)
  const hardPin = snapshot.pin?.mode === 'hard' ? snapshot.pin.uid : undefined
  const candidates = snapshot.candidates
    .map((candidate) => explainCandidate(candidate, snapshot, hardPin))
    .sort((left, right) => left.position - right.position || (left.uid < right.uid ? -1 : 1))
  return { decision, candidates }
}

function explainCandidate(
  candidate: Candidate,
  snapshot: RoutingSnapshot,
  hardPin: string | undefined,
): ExplainedCandidate {
  const { uid, position, label } = candidate
  const keptOutByPin = hardPin !== undefined && hardPin !== uid
  const against = hindrances(candidate, snapshot)
  if (keptOutByPin) against.unshift({ code: 'not_pinned' })
  const eligible = !keptOutByPin && isEligible(candidate, snapshot)
  return {
    uid,
    position,
    label,
    eligible,
    score: eligible ? scoreOf(candidate, snapshot) : undefined,
    reasons: eligible ? preferences(candidate, snapshot) : against,
    freeAtMs: keptOutByPin ? undefined : freeAtOf(candidate, snapshot),
  }
}

function hindrances(candidate: Candidate, snapshot: RoutingSnapshot): CandidateReason[] {
  const reasons: CandidateReason[] = []
  const exclusion = exclusionOf(candidate, snapshot)
  if (exclusion === 'model_denied') reasons.push({ code: exclusion, model: snapshot.model })
  else if (exclusion !== undefined) reasons.push({ code: exclusion })
  if (snapshot.triedUids?.has(candidate.uid) === true) reasons.push({ code: 'already_tried' })
  const creditsUsable = mayUseCredits(candidate, snapshot)
  for (const block of candidate.blocks) {
    if (block.untilMs <= snapshot.nowMs || !concerns(block, snapshot)) continue
    if (!(creditsUsable && isWaivedByCredits(block))) reasons.push({ code: 'blocked', block })
  }
  for (const { window, untilMs } of exhaustedWindows(candidate, snapshot)) {
    if (!creditsUsable)
      reasons.push({
        code: 'window_exhausted',
        kind: window.kind,
        usedPercent: window.usedPercent,
        untilMs,
      })
  }
  return reasons
}

function preferences(candidate: Candidate, snapshot: RoutingSnapshot): CandidateReason[] {
  const { uid } = candidate
  const { pin } = snapshot
  const reasons: CandidateReason[] = []
  if (pin?.uid === uid) reasons.push({ code: 'pinned', scope: pin.scope, mode: pin.mode })
  if (snapshot.sessionUid === uid) reasons.push({ code: 'session' })
  if (snapshot.activeUid === uid) reasons.push({ code: 'manual_switch' })
  if (snapshot.modelPool?.uids.has(uid) === true) reasons.push({ code: 'pool_member' })
  if (drawsOnCredits(candidate, snapshot)) reasons.push({ code: 'uses_credits' })
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

function drawsOnCredits(candidate: Candidate, snapshot: RoutingSnapshot): boolean {
  if (!mayUseCredits(candidate, snapshot)) return false
  const waived = candidate.blocks.some(
    (block) =>
      block.untilMs > snapshot.nowMs && concerns(block, snapshot) && isWaivedByCredits(block),
  )
  return waived || exhaustedWindows(candidate, snapshot).length > 0
}

function exhaustedWindows(
  candidate: Candidate,
  snapshot: RoutingSnapshot,
): { window: NonNullable<Candidate['windows'][string]>[number]; untilMs: number }[] {
  return (candidate.windows[snapshot.limitId] ?? [])
    .map((window) => ({ window, untilMs: exhaustedUntil(window, snapshot.nowMs) }))
    .filter(({ untilMs }) => untilMs > 0)
}
