import { isLow, mayLeave } from './compaction.js'
import { blockedUntil, exclusionOf, PAID } from './eligibility.js'
import { isBefore, scoreOf } from './score.js'
import type {
  Candidate,
  ChosenReason,
  Decision,
  DecisionContext,
  Exclusion,
  RefusedReason,
  RoutingSnapshot,
  Strategy,
} from './types.js'

/**
 * How far up an account stands before any score is looked at. Included quota comes before paid credits, within both the
 * accounts of the model's pool before the helpers, and last those whose answers failed just now.
 */
const INELIGIBLE = 0
const TOP_TIER = 8
const PAID_STEP = 4
const HELPER_STEP = 2
const RESTING_STEP = 1
/** The user's own hand, then the session, then the manual switch; a soft pin goes above every tier. */
const PIN_RANK = 100
const TIER_STEP = 4
const SESSION_RANK = 2
const SWITCH_RANK = 1

const STRATEGY_REASON: Readonly<Record<Strategy, ChosenReason>> = {
  hybrid: 'best_quota',
  sticky: 'sticky',
  'round-robin': 'round_robin',
  'drain-first': 'drain_first',
}

/**
 * Chooses the account that serves a request. Pure: equal input gives an equal answer, whatever the order of the
 * candidates. Never answers with an account that cannot serve while one can.
 *
 * A session stays on its account under every strategy; the strategy places new sessions. Order of precedence: hard
 * pin, project fence and strict pool (closed: no other account serves), soft pin, preferred pool, included quota before
 * paid credits, accounts that answer before those that failed just now, session, manual switch, strategy. At a compaction
 * the session leaves an account that is nearly used up.
 */
export function decide(snapshot: RoutingSnapshot): Decision {
  const { candidates } = snapshot
  if (candidates.length === 0) return refused('no_accounts', undefined)
  const early = decideEarly(snapshot, (uid) =>
    candidates.find((candidate) => candidate.uid === uid),
  )
  if (early !== undefined) return early

  const leaves = leavesSession(snapshot)
  let best: Candidate | undefined
  let bestRank = 0
  let bestScore = 0
  for (let i = 0; i < candidates.length; i++) {
    const candidate = candidates[i] as Candidate
    const rank = leaves ? rankAnew(candidate, snapshot) : rankOf(candidate, snapshot)
    if (rank < bestRank || rank === INELIGIBLE) continue
    const score = scoreOf(candidate, snapshot)
    if (best !== undefined && rank === bestRank) {
      if (score < bestScore) continue
      if (score === bestScore && !isBefore(candidate, best, snapshot.processOffset)) continue
    }
    best = candidate
    bestRank = rank
    bestScore = score
  }
  return best === undefined ? refuse(snapshot) : chosen(best, snapshot)
}

/**
 * The decision where the pin or the session settles it without a look at anybody else, else undefined. Lets a request
 * of a running session cost the same with 1,000 accounts as with one.
 * @param find the candidate of that name; called at most twice
 */
export function decideEarly(
  context: DecisionContext,
  find: (uid: string) => Candidate | undefined,
): Decision | undefined {
  if (context.pin !== undefined) {
    const pinned = find(context.pin.uid)
    if (pinned !== undefined && tierOf(pinned, context) !== INELIGIBLE)
      return chosen(pinned, context)
    if (context.pin.mode === 'hard') {
      return refused('pin_blocked', pinned === undefined ? undefined : freeAtOf(pinned, context))
    }
  }
  if (context.sessionUid === undefined) return undefined
  const holder = find(context.sessionUid)
  if (holder === undefined || tierOf(holder, context) !== TOP_TIER) return undefined
  if (mayLeave(holder, context)) return undefined
  return chosen(holder, context)
}

/** When time alone makes an account eligible that is blocked now, epoch ms; undefined when it never does or needs not. */
function freeAtOf(candidate: Candidate, context: DecisionContext): number | undefined {
  if (exclusionOf(candidate, context) !== undefined) return undefined
  const until = blockedUntil(candidate, context)
  return until > 0 ? until : undefined
}

function tierOf(candidate: Candidate, context: DecisionContext): number {
  if (exclusionOf(candidate, context) !== undefined) return INELIGIBLE
  if (context.triedUids?.has(candidate.uid) === true) return INELIGIBLE
  const until = blockedUntil(candidate, context)
  if (until > 0) return INELIGIBLE
  const isHelper = context.modelPool !== undefined && !context.modelPool.uids.has(candidate.uid)
  return (
    TOP_TIER -
    (isHelper ? HELPER_STEP : 0) -
    (until === PAID ? PAID_STEP : 0) -
    (candidate.resting ? RESTING_STEP : 0)
  )
}

function rankOf(candidate: Candidate, context: DecisionContext): number {
  const tier = tierOf(candidate, context)
  if (tier === INELIGIBLE) return INELIGIBLE
  const { uid } = candidate
  return (
    tier * TIER_STEP +
    (uid === context.pin?.uid ? PIN_RANK : 0) +
    (uid === context.sessionUid ? SESSION_RANK : uid === context.activeUid ? SWITCH_RANK : 0)
  )
}

/** True when the session's account is left at a compaction: it is low, and one that is not would serve as well. */
function leavesSession(snapshot: RoutingSnapshot): boolean {
  const { candidates, sessionUid } = snapshot
  const holder = candidates.find(({ uid }) => uid === sessionUid)
  if (holder === undefined || !mayLeave(holder, snapshot)) return false
  const tier = tierOf(holder, snapshot)
  return candidates.some((other) => !isLow(other, snapshot) && tierOf(other, snapshot) >= tier)
}

/** The rank where the session is placed anew: within a tier, those with enough left come first. */
function rankAnew(candidate: Candidate, context: DecisionContext): number {
  const rank = rankOf(candidate, { ...context, sessionUid: candidate.uid })
  return rank === INELIGIBLE || !isLow(candidate, context) ? rank : rank - SESSION_RANK
}

function chosen(candidate: Candidate, context: DecisionContext): Decision {
  const { uid } = candidate
  if (uid === context.pin?.uid) return { uid, reason: 'pinned' }
  if (uid === context.sessionUid) return { uid, reason: 'session' }
  if (context.atCompaction === true && context.sessionUid !== undefined)
    return { uid, reason: 'compaction' }
  if (uid === context.activeUid) return { uid, reason: 'manual_switch' }
  return { uid, reason: STRATEGY_REASON[context.strategy] }
}

/** Names the cause nearest to the user's own rules: a fence or pool that keeps a healthy account out goes first. */
function refuse(snapshot: RoutingSnapshot): Decision {
  const seen = new Set<Exclusion | 'blocked' | 'tried'>()
  let nextFreeAtMs: number | undefined
  for (const candidate of snapshot.candidates) {
    const exclusion = exclusionOf(candidate, snapshot)
    const until = exclusion === undefined ? blockedUntil(candidate, snapshot) : 0
    if (until > 0) nextFreeAtMs = Math.min(until, nextFreeAtMs ?? Infinity)
    seen.add(exclusion ?? (until > 0 ? 'blocked' : 'tried'))
  }
  return refused(refusal(seen, snapshot), nextFreeAtMs)
}

function refusal(
  seen: ReadonlySet<Exclusion | 'blocked' | 'tried'>,
  snapshot: RoutingSnapshot,
): RefusedReason {
  if (seen.has('outside_fence') && wouldServe(snapshot, 'outside_fence')) return 'fence_blocked'
  if (seen.has('outside_pool') && wouldServe(snapshot, 'outside_pool')) return 'pool_blocked'
  if (seen.has('blocked')) return 'all_blocked'
  if (seen.has('tried')) return 'all_tried'
  if (seen.has('needs_login')) return 'login_needed'
  if (seen.has('outside_fence')) return 'fence_blocked'
  return seen.has('outside_pool') ? 'pool_blocked' : 'all_disabled'
}

/** True when an account that only this rule keeps out could serve. */
function wouldServe(snapshot: RoutingSnapshot, rule: 'outside_fence' | 'outside_pool'): boolean {
  const { fence: _fence, ...unfenced } = snapshot
  const { modelPool: _pool, ...unpooled } = snapshot
  const relaxed = rule === 'outside_fence' ? unfenced : unpooled
  return snapshot.candidates.some(
    (candidate) =>
      exclusionOf(candidate, snapshot) === rule && tierOf(candidate, relaxed) !== INELIGIBLE,
  )
}

function refused(reason: RefusedReason, nextFreeAtMs: number | undefined): Decision {
  return { uid: undefined, reason, nextFreeAtMs }
}
