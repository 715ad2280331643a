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

/** States that have neither evidence nor end. */
const STATE_WORDS = {
  disabled: 'disabled',
  'login-needed': 'login needed',
  'fenced-out': 'not allowed in this project',
  'set-aside': 'not in the pool of this model',
  'pinned-out': 'another account is pinned',
  tried: 'tried for this request',
} as const

/** The state in a few words, the same on every surface. */
export function stateText(state: AccountState, isActive: boolean, moment: Moment): string {
  if (state.kind === 'eligible') return isActive ? 'active' : 'ok'
  return 'untilMs' in state
    ? `${state.kind} ${untilText(state.untilMs, moment)}`
    : STATE_WORDS[state.kind]
}

/** When a state ends that time alone ends; where there is hardly any room, all that is said of it. */
export function untilText(untilMs: number, moment: Moment): string {
  return `until ${moment(untilMs)}`
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

const REASON_WORDS = {
  disabled: STATE_WORDS.disabled,
  needs_login: STATE_WORDS['login-needed'],
  already_tried: STATE_WORDS.tried,
  outside_fence: STATE_WORDS['fenced-out'],
  outside_pool: STATE_WORDS['set-aside'],
  not_pinned: STATE_WORDS['pinned-out'],
  session: 'serves this session already',
  manual_switch: 'switched to by hand',
  pool_member: 'in the pool of this model',
  uses_credits: 'on paid credits',
  quota_unknown: 'quota not read yet',
  model_unverified: 'not known to have this model',
  bucket_low: 'many requests lately',
  resting: 'resting after several failures in a row',
} as const

/** One fact that was weighed in a decision. */
export function reasonText(reason: CandidateReason, nowMs: number): string {
  switch (reason.code) {
    case 'blocked':
      return `${limitationText(reason)} until ${formatWhen(reason.block.untilMs, nowMs)}`
    case 'window_exhausted':
      return `${limitationText(reason)} until ${formatWhen(reason.untilMs, nowMs)}`
    case 'pinned':
      return pinText(reason)
    case 'headroom':
      return `${percentText(reason.leftPercent)} of the ${limitName(reason.kind)} left`
    case 'resets_at':
      return `${limitName(reason.kind)} resets ${formatWhen(reason.atMs, nowMs)}`
    case 'in_flight':
      return `${reason.count} running`
    case 'health_low':
      return `failed lately (health ${Math.round(reason.health)})`
    default:
      return REASON_WORDS[reason.code]
  }
}
