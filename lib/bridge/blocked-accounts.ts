import type { Account } from '../accounts/account.js'
import { type Block, type BlockReason, LIMIT_NAMES, type QuotaWindow } from '../routing/limits.js'
import { concerns } from '../routing/standing.js'
import { formatWhen } from '../kernel/moments.js'
import type { QuotaView } from './router.js'

/** Accounts that are named one by one; the others are counted. */
const MOST_NAMED = 3

const REASONS: Readonly<Record<BlockReason, string>> = {
  usage_limit: 'usage used up',
  rate_limit: 'too many requests',
  usage_not_included: 'its plan does not include Codex',
  unauthorized: 'not accepted by the backend',
  forbidden: 'refused by the backend',
  workspace_deactivated: 'its workspace was switched off',
  model_not_supported: 'may not use this model',
  server_error: 'the backend failed',
  network: 'not reached',
  credits_not_allowed: 'only paid credits are left',
  manual: 'blocked by hand',
}

/**
 * Who is kept out, why and until when, in one clause: ` (Account 1: weekly limit until Thu 14:20; …)`. Of several blocks
 * of an account the one that ends last is told; blocks of other models and limits are no reason. Pure; empty when nothing
 * is known.
 * @param facts model of the request and the limit family it counts against
 */
export function blockedClause(
  accounts: readonly Account[],
  quota: Pick<QuotaView, 'activeBlocks' | 'windowsByLimit'>,
  facts: {
    readonly label: (account: Account) => string
    readonly model: string
    readonly limitId: string
    readonly nowMs: number
  },
): string {
  const { nowMs, limitId } = facts
  const told = accounts.flatMap((account) => {
    if (account.enabled === false || account.needsLogin !== undefined) return []
    const blocks = quota
      .activeBlocks(account.uid, nowMs)
      .filter((block) => concerns(block, facts))
      .map((block) => ({ why: wordsOf(block), untilMs: block.untilMs }))
    const windows = (quota.windowsByLimit(account.uid, nowMs)[limitId] ?? []).flatMap((window) =>
      exhausted(window),
    )
    const [last] = [...windows, ...blocks].sort((left, right) => right.untilMs - left.untilMs)
    return last === undefined
      ? []
      : [`${facts.label(account)}: ${last.why} until ${formatWhen(last.untilMs, nowMs)}`]
  })
  if (told.length === 0) return ''
  const more = told.length - MOST_NAMED
  return ` (${told.slice(0, MOST_NAMED).join('; ')}${more > 0 ? `; and ${more} more` : ''})`
}

function wordsOf(block: Block): string {
  return block.detail ?? REASONS[block.reason]
}

function exhausted(window: QuotaWindow): { why: string; untilMs: number }[] {
  return window.usedPercent >= 100 && window.resetsAtMs !== undefined
    ? [{ why: LIMIT_NAMES[window.kind], untilMs: window.resetsAtMs }]
    : []
}
