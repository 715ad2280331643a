import { formatWhen } from '../kernel/text/moments.js'
import {
  type Block,
  type BlockReason,
  DEFAULT_LIMIT_ID,
  LIMIT_NAMES,
  WINDOW_NAMES,
  type WindowKind,
} from '../routing/limits.js'
import type { CandidateReason, Pin } from '../routing/types.js'
import type { AccountState, Limitation } from './state.js'

/** The one vocabulary for accounts: whatever a surface says of a window, a state or a reason, it says with these. */

const BLOCK_WORDS: Readonly<Record<BlockReason, string>> = {
  usage_limit: 'usage used up',
  rate_limit: 'too many requests',
  usage_not_included: 'its plan does not include Codex',
  unauthorized: 'rejected by the backend',
  forbidden: 'refused by the backend',
  workspace_deactivated: 'its workspace was deactivated',
  model_not_supported: 'may not use this model',
}

/** A window where there is little room: `5h`, `7d`, and its family where that is not the usual one: `7d codex_spark`. */
export function windowName(kind: WindowKind, limitId = DEFAULT_LIMIT_ID): string {
  return limitId === DEFAULT_LIMIT_ID ? WINDOW_NAMES[kind] : `${WINDOW_NAMES[kind]} ${limitId}`
}

/** A window in a sentence: `weekly limit`. */
export function limitName(kind: WindowKind): string {
  return LIMIT_NAMES[kind]
}

/** A percentage wherever one is shown, rounded down so that no part is taken for the whole: `62%`, and `<1%` for almost nothing. */
export function percentText(percent: number): string {
  return percent > 0 && percent < 1 ? '<1%' : `${Math.floor(percent)}%`
}

/** A share too small for whole numbers: `0.25%`. */
export function sharePercent(percent: number): string {
  return `${percent.toFixed(2)}%`
}

/** A code of ours as words: `round_robin` is `round robin`. */
export function spelledOut(code: string): string {
  return code.replaceAll('_', ' ')
}

/** Why a block stands: what the backend named, or the reason in our words. */
export function blockText({ detail, reason }: Pick<Block, 'detail' | 'reason'>): string {
  return detail ?? BLOCK_WORDS[reason]
}

function limitationText(limitation: Limitation): string {
  return limitation.code === 'blocked' ? blockText(limitation.block) : limitName(limitation.kind)
}

/** What a block concerns where that is not the whole account: ` (model gpt-5.5)`. */
export function scopeText(scope: string): string {
  return scope === '*' ? '' : ` (${scope.replace(':', ' ')})`
}

/** Where a pin counts and what it does. */
export function pinText({ mode, scope }: Omit<Pin, 'uid'>): string {
  const where = scope === 'project' ? 'in this project' : 'everywhere'
  return mode === 'hard'
    ? `pinned ${where}; no other account serves`
    : `pinned ${where}; others help out when it cannot serve`
}

/** A moment to come, `14:20 (in 45 min)`; a surface with little room gives its own. */
export type Moment = (atMs: number) => string

/** The state in a few words, the same on every surface. */
export function stateText(state: AccountState, isActive: boolean, moment: Moment): string {
  switch (state.kind) {
    case 'disabled':
      return 'disabled'
    case 'login-needed':
      return 'login needed'
    case 'fenced-out':
      return 'not allowed in this project'
    case 'set-aside':
      return 'not in the pool of this model'
    case 'pinned-out':
      return 'another account is pinned'
    case 'tried':
      return 'tried for this request'
    case 'limited':
    case 'blocked':
    case 'resting':
      return `${state.kind} until ${moment(state.untilMs)}`
    case 'eligible':
      return isActive ? 'active' : 'ok'
  }
}

/** What a state rests on, for sentences: `weekly limit`; empty where the state says it all. */
export function evidenceText(state: AccountState): string {
  switch (state.kind) {
    case 'login-needed':
      return state.reason
    case 'limited':
    case 'blocked':
      return limitationText(state.evidence)
    case 'resting':
      return 'several requests failed in a row'
    case 'eligible':
      return state.onCredits ? 'on paid credits' : ''
    default:
      return ''
  }
}

/** One fact that was weighed in a decision. */
export function reasonText(reason: CandidateReason, nowMs: number): string {
  const stateWords = (state: AccountState): string => stateText(state, false, String)
  switch (reason.code) {
    case 'disabled':
      return stateWords({ kind: 'disabled' })
    case 'needs_login':
      return stateWords({ kind: 'login-needed', reason: '' })
    case 'already_tried':
      return stateWords({ kind: 'tried' })
    case 'outside_fence':
      return stateWords({ kind: 'fenced-out' })
    case 'outside_pool':
      return stateWords({ kind: 'set-aside' })
    case 'not_pinned':
      return stateWords({ kind: 'pinned-out' })
    case 'blocked':
      return `${limitationText(reason)} until ${formatWhen(reason.block.untilMs, nowMs)}`
    case 'window_exhausted':
      return `${limitationText(reason)} until ${formatWhen(reason.untilMs, nowMs)}`
    case 'pinned':
      return pinText(reason)
    case 'session':
      return 'serves this session already'
    case 'manual_switch':
      return 'switched to by hand'
    case 'pool_member':
      return 'in the pool of this model'
    case 'uses_credits':
      return 'on paid credits'
    case 'quota_unknown':
      return 'quota not read yet'
    case 'model_unverified':
      return 'not known to have this model'
    case 'headroom':
      return `${percentText(reason.leftPercent)} of the ${limitName(reason.kind)} left`
    case 'resets_at':
      return `${limitName(reason.kind)} resets ${formatWhen(reason.atMs, nowMs)}`
    case 'in_flight':
      return `${reason.count} running`
    case 'bucket_low':
      return 'many requests lately'
    case 'resting':
      return 'resting after several failures in a row'
    case 'health_low':
      return `failed lately (health ${Math.round(reason.health)})`
  }
}
