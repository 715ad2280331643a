import type { Block, QuotaWindow } from './limits.js'
import type { EligibilityContext, EligibilityFacts, Exclusion, IneligibleReason } from './types.js'

/**
 * An exhausted window whose end is unknown holds for this long after the reading: every state has an end, and after
 * it one request finds out.
 */
export const UNKNOWN_RESET_HOLD_MS = 15 * 60_000

/** An account that may serve now on included quota. */
const FREE = 0
/** An account that may serve now, on paid credits. */
export const PAID = -1

/** What keeps an account out whatever the hour, if anything. */
export function exclusionOf(
  candidate: EligibilityFacts,
  context: EligibilityContext,
): Exclusion | undefined {
  if (!candidate.enabled) return 'disabled'
  if (candidate.needsLogin) return 'needs_login'
  if (context.fence !== undefined && !context.fence.has(candidate.uid)) return 'outside_fence'
  if (context.modelPool?.mode === 'strict' && !context.modelPool.uids.has(candidate.uid))
    return 'outside_pool'
  return undefined
}

/**
 * `FREE`, `PAID`, or the time in epoch ms when the last of the account's own blocks ends. The last one counts: an
 * account is not free before every block that concerns the request is over.
 */
export function blockedUntil(candidate: EligibilityFacts, context: EligibilityContext): number {
  const creditsUsable = mayUseCredits(candidate, context)
  let until = FREE
  let paid = false
  const { blocks } = candidate
  for (let i = 0; i < blocks.length; i++) {
    const block = blocks[i] as Block
    if (block.untilMs <= context.nowMs || !concerns(block, context)) continue
    if (creditsUsable && isWaivedByCredits(block)) paid = true
    else if (block.untilMs > until) until = block.untilMs
  }
  const windows = candidate.windows[context.limitId]
  if (windows !== undefined) {
    for (let i = 0; i < windows.length; i++) {
      const end = exhaustedUntil(windows[i] as QuotaWindow, context.nowMs)
      if (end === 0) continue
      if (creditsUsable) paid = true
      else if (end > until) until = end
    }
  }
  if (until !== FREE) return until
  return paid ? PAID : FREE
}

/**
 * Everything that keeps an account from serving this request, rules first, each with its evidence; empty for one that
 * may serve. The slow twin of `exclusionOf` and `blockedUntil`, for people: a property test holds them together.
 */
export function ineligibleReasons(
  candidate: EligibilityFacts,
  context: EligibilityContext,
): IneligibleReason[] {
  const reasons: IneligibleReason[] = []
  const { pin } = context
  const exclusion = exclusionOf(candidate, context)
  if (exclusion !== undefined) reasons.push({ code: exclusion })
  if (pin?.mode === 'hard' && pin.uid !== candidate.uid) reasons.push({ code: 'not_pinned' })
  if (context.triedUids?.has(candidate.uid) === true) reasons.push({ code: 'already_tried' })
  const creditsUsable = mayUseCredits(candidate, context)
  for (const block of candidate.blocks) {
    if (block.untilMs <= context.nowMs || !concerns(block, context)) continue
    if (!(creditsUsable && isWaivedByCredits(block))) reasons.push({ code: 'blocked', block })
  }
  if (creditsUsable) return reasons
  for (const window of candidate.windows[context.limitId] ?? []) {
    const untilMs = exhaustedUntil(window, context.nowMs)
    if (untilMs === 0) continue
    const { kind, usedPercent } = window
    reasons.push({ code: 'window_exhausted', kind, usedPercent, untilMs })
  }
  return reasons
}

/** True when a block stands in the way of this request: the whole account, its limit family, or its model. */
export function concerns(
  block: Block,
  context: Pick<EligibilityContext, 'limitId' | 'model'>,
): boolean {
  const { scope } = block
  if (scope === '*') return true
  return isScope(scope, 'limit:', context.limitId) || isScope(scope, 'model:', context.model)
}

/** Compares without building the other string: this runs for every block of every account. */
function isScope(scope: string, prefix: string, name: string): boolean {
  return (
    scope.length === prefix.length + name.length && scope.startsWith(prefix) && scope.endsWith(name)
  )
}

/** When an exhausted window ends, epoch ms; 0 when it is not exhausted or over. */
function exhaustedUntil(window: QuotaWindow, nowMs: number): number {
  if (window.usedPercent < 100) return 0
  const end = window.resetsAtMs ?? window.observedAtMs + UNKNOWN_RESET_HOLD_MS
  return end > nowMs ? end : 0
}

/** True when the policy allows paid credits and the account has some. */
function mayUseCredits(candidate: EligibilityFacts, context: EligibilityContext): boolean {
  return context.creditsPolicy === 'allow' && candidate.hasCredits
}

/**
 * Credits carry an account over an exhausted window that we read, not over a refusal by the backend: where credits
 * would have helped, it would not have refused.
 */
function isWaivedByCredits(block: Block): boolean {
  return block.reason === 'usage_limit' && block.source !== 'body'
}
