import { formatWhen } from '../kernel/moments.js'
import type { CandidateReason } from '../routing/types.js'

/** One fact of a decision in words. */
export function reasonText(reason: CandidateReason, nowMs: number): string {
  switch (reason.code) {
    case 'disabled':
      return 'disabled'
    case 'needs_login':
      return 'must sign in again'
    case 'already_tried':
      return 'already tried for this request'
    case 'outside_fence':
      return 'not allowed in this project'
    case 'outside_pool':
      return 'not set aside for this model'
    case 'not_pinned':
      return 'another account is pinned'
    case 'model_denied':
      return `may not use ${reason.model}`
    case 'blocked':
      return `${reason.block.reason.replaceAll('_', ' ')} until ${formatWhen(reason.block.untilMs, nowMs)}`
    case 'window_exhausted':
      return `${reason.kind.replaceAll('_', ' ')} window used up until ${formatWhen(reason.untilMs, nowMs)}`
    case 'pinned':
      return `pinned (${reason.scope}, ${reason.mode})`
    case 'session':
      return 'serves this session already'
    case 'manual_switch':
      return 'switched to by hand'
    case 'pool_member':
      return 'set aside for this model'
    case 'uses_credits':
      return 'would draw on paid credits'
    case 'quota_unknown':
      return 'quota not read yet'
    case 'model_unverified':
      return 'not known to have this model'
    case 'headroom':
      return `${Math.round(reason.leftPercent)} % of the ${reason.kind.replaceAll('_', ' ')} window left`
    case 'resets_at':
      return `${reason.kind.replaceAll('_', ' ')} window resets ${formatWhen(reason.atMs, nowMs)}`
    case 'in_flight':
      return `${reason.count} running`
    case 'bucket_low':
      return 'many requests lately'
    case 'resting':
      return 'rests after several failures in a row'
    case 'health_low':
      return `failed lately (health ${Math.round(reason.health)})`
  }
}
