import { blockedUntil, ineligibleReasons, PAID } from '../routing/eligibility.js'
import type { EligibilityContext, EligibilityFacts, IneligibleReason } from '../routing/types.js'

/** What time alone lifts: a block, or a window that is used up. */
export type Limitation = Extract<
  IneligibleReason,
  { readonly code: 'blocked' | 'window_exhausted' }
>

/** What an account is to a request, each state with its evidence and its end. Only the last two can serve. */
export type AccountState =
  | { readonly kind: 'disabled' }
  | { readonly kind: 'login-needed'; readonly reason: string }
  /** The project is fenced off to other accounts. */
  | { readonly kind: 'fenced-out' }
  /** The model of the request has a strict pool of other accounts. */
  | { readonly kind: 'set-aside' }
  /** Another account has a hard pin. */
  | { readonly kind: 'pinned-out' }
  | { readonly kind: 'tried' }
  /** `limited`: its quota or rate is used up; `blocked`: the backend refuses it for another reason. `untilMs` epoch ms. */
  | {
      readonly kind: 'limited' | 'blocked'
      readonly evidence: Limitation
      readonly untilMs: number
    }
  /** Its last answers all failed: others go first, and it serves when no other can. */
  | { readonly kind: 'resting'; readonly untilMs: number }
  | { readonly kind: 'eligible'; readonly onCredits: boolean }

/** True when the account can serve now, be it as the last. */
export function canServe({ kind }: AccountState): boolean {
  return kind === 'eligible' || kind === 'resting'
}

/**
 * The state of an account for a request, from the reasons the router itself goes by. What only the user can change comes
 * before what time changes; of several limits and blocks the one that ends last counts. Pure.
 */
export function stateOf(
  facts: EligibilityFacts,
  context: EligibilityContext,
  known: { readonly loginReason?: string | undefined; readonly restsUntilMs?: number | undefined },
): AccountState {
  const reasons = ineligibleReasons(facts, context)
  const [rule] = reasons
  switch (rule?.code) {
    case 'disabled':
      return { kind: 'disabled' }
    case 'needs_login':
      return { kind: 'login-needed', reason: known.loginReason ?? '' }
    case 'outside_fence':
      return { kind: 'fenced-out' }
    case 'outside_pool':
      return { kind: 'set-aside' }
    case 'not_pinned':
      return { kind: 'pinned-out' }
    case 'already_tried':
      return { kind: 'tried' }
    case 'blocked':
    case 'window_exhausted':
      return limited(
        reasons.filter(isLimitation).reduce((last, one) => (endOf(one) > endOf(last) ? one : last)),
      )
    case undefined:
      return known.restsUntilMs === undefined
        ? { kind: 'eligible', onCredits: blockedUntil(facts, context) === PAID }
        : { kind: 'resting', untilMs: known.restsUntilMs }
  }
}

function isLimitation(reason: IneligibleReason): reason is Limitation {
  return reason.code === 'blocked' || reason.code === 'window_exhausted'
}

function limited(evidence: Limitation): AccountState {
  if (evidence.code === 'window_exhausted')
    return { kind: 'limited', evidence, untilMs: evidence.untilMs }
  const { reason, untilMs } = evidence.block
  const isLimit = reason === 'usage_limit' || reason === 'rate_limit'
  return { kind: isLimit ? 'limited' : 'blocked', evidence, untilMs }
}

function endOf(evidence: Limitation): number {
  return evidence.code === 'blocked' ? evidence.block.untilMs : evidence.untilMs
}
