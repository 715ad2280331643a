import { blockText, limitName } from '../../account-view/words.js'
import { type Account, isSignedIn } from '../../accounts/account.js'
import { dropUndefined } from '../../kernel/drop-undefined.js'
import { CodexError, type ErrorCode } from '../../kernel/errors.js'
import { formatWhen } from '../../kernel/text/moments.js'
import { counted } from '../../kernel/text/plural.js'
import { cut } from '../../kernel/text/table.js'
import type { QuotaLedger } from '../../quota/ledger.js'
import { concerns } from '../../routing/eligibility.js'
import type { Decision, RefusedReason } from '../../routing/types.js'

/** Why no account was chosen. */
export type Refusal = Extract<Decision, { uid: undefined }>

/** What the refusal is told of. */
export interface RefusalFacts {
  /** How many accounts there are. */
  readonly accounts: number
  /** Those the refusal speaks of. */
  readonly concerned: readonly Account[]
  readonly quota: Pick<QuotaLedger, 'activeBlocks' | 'windowsByLimit'>
  readonly label: (account: Account) => string
  readonly model: string
  /** Limit family the request counts against. */
  readonly limitId: string
  /** Paid credits could help, and the user wants to be told. */
  readonly hasUnusedCredits: boolean
  readonly nowMs: number
}

/** What a sentence is made of. */
interface Parts {
  /** How many accounts it speaks of. */
  readonly count: number
  /** The only account, by name. */
  readonly only: string | undefined
  /** What keeps the only account out: `at its weekly limit until 14:20 (in 45 min)`. */
  readonly because: string
  /** What keeps the other ones out, where only one could serve. */
  readonly others: string
  /** `before 14:20 (in 45 min)`, or `now`. */
  readonly when: string
  readonly model: string
}

/** Columns of a name in a sentence. */
const NAME_COLUMNS = 30

const REFUSALS: Readonly<
  Record<
    RefusedReason,
    { readonly error: ErrorCode; says: (parts: Parts) => string; readonly hint?: string }
  >
> = {
  no_accounts: { error: 'no_accounts', says: () => 'No ChatGPT account is signed in.' },
  pin_blocked: {
    error: 'account_not_allowed',
    says: ({ only = 'The account', because }) => `${only} is pinned and ${because}.`,
    hint: 'Lift the pin: {switch}',
  },
  fence_blocked: {
    error: 'account_not_allowed',
    says: ({ count, when }) =>
      `This project allows ${counted(count, 'account')} only, and ${count === 1 ? 'it cannot' : 'none can'} serve ${when}.`,
    hint: 'Allow the others: {pool --action unfence}',
  },
  pool_blocked: {
    error: 'account_not_allowed',
    says: ({ count, model, when }) =>
      `Only ${counted(count, 'account')} may serve ${model}, and ${count === 1 ? 'it cannot' : 'none can'} ${when}.`,
    hint: 'See the pools: {pool}',
  },
  login_needed: {
    error: 'login_required',
    says: ({ only }) =>
      only === undefined
        ? 'Every account that could serve must sign in again.'
        : `${only} must sign in again.`,
  },
  all_disabled: {
    error: 'account_not_allowed',
    says: ({ only }) =>
      only === undefined ? 'Every account is disabled.' : `${only} is disabled.`,
    hint: 'Enable one: {toggle NUMBER}',
  },
  all_blocked: {
    error: 'all_accounts_blocked',
    says: ({ count, only, because, others, when }) =>
      only === undefined
        ? `None of the ${counted(count, 'account')} can serve ${when}${because}.`
        : `${only} ${because}${others}.`,
  },
  all_tried: {
    error: 'backend_failed',
    says: ({ count, only }) =>
      only === undefined
        ? `Each of the ${counted(count, 'account')} was tried without success.`
        : `${only} was tried without success.`,
  },
}

/** The error for a request that no account can serve: who is kept out, why and until when. The list is a look away. Pure. */
export function errorOfRefusal({ reason, nextFreeAtMs }: Refusal, facts: RefusalFacts): CodexError {
  const { error, says, hint } = REFUSALS[reason]
  const { nowMs } = facts
  const able = facts.concerned.filter((one) => isSignedIn(one) && one.enabled !== false)
  const concerned = able.length > 0 ? able : facts.concerned
  const [first] = concerned
  const isOnly = first !== undefined && concerned.length === 1
  const others = isOnly && reason === 'all_blocked' ? facts.accounts - 1 : 0
  const free = nextFreeAtMs === undefined ? undefined : formatWhen(nextFreeAtMs, nowMs)
  const allAtLimit = reason === 'all_blocked' && !isOnly && areAtLimit(concerned, facts)
  const [every, all] =
    concerned.length === 2
      ? ['Both', 'both']
      : [`All ${String(concerned.length)}`, `all ${String(concerned.length)}`]
  const who = concerned.length === facts.accounts ? every : `Of those enabled, ${all}`
  const sentence = allAtLimit
    ? `${who} accounts are at a limit${free === undefined ? '' : `; the first is free again ${free}`}.`
    : says({
        count:
          reason === 'all_blocked' || reason === 'all_tried' ? facts.accounts : concerned.length,
        only: isOnly ? cut(facts.label(first), NAME_COLUMNS) : undefined,
        because: isOnly ? becauseOf(first, free, facts) : sharedReason(concerned, facts),
        others:
          others === 0
            ? ''
            : `; ${counted(others, 'other')} ${others === 1 ? 'is' : 'are'} disabled or signed out`,
        when: free === undefined ? 'now' : `before ${free}`,
        model: cut(facts.model, NAME_COLUMNS),
      })
  return new CodexError(
    error,
    sentence,
    dropUndefined({
      hint: facts.hasUnusedCredits ? 'Use paid credits: {config set creditsPolicy allow}' : hint,
    }),
  )
}

/** What keeps one account out, as it follows its name. */
function becauseOf(account: Account, free: string | undefined, facts: RefusalFacts): string {
  const last = lastLimitOf(facts.quota, account, facts)
  if (last?.isLimit === true)
    return `is at its ${last.why} until ${formatWhen(last.untilMs, facts.nowMs)}`
  const before = free === undefined ? 'now' : `before ${free}`
  return last === undefined ? `cannot serve ${before}` : `cannot serve ${before}: ${last.why}`
}

/** What keeps all of them out, where that is the same. */
function sharedReason(accounts: readonly Account[], facts: RefusalFacts): string {
  const reasons = new Set(accounts.map((one) => lastLimitOf(facts.quota, one, facts)?.why))
  const [why] = reasons
  return reasons.size === 1 && why !== undefined ? `: ${why}` : ''
}

function areAtLimit(accounts: readonly Account[], facts: RefusalFacts): boolean {
  return accounts.every((account) => lastLimitOf(facts.quota, account, facts)?.isLimit === true)
}

/**
 * What keeps an account out the longest, of its blocks and windows that concern the request; undefined where nothing is
 * known. Pure.
 */
export function lastLimitOf(
  quota: RefusalFacts['quota'],
  { uid }: Account,
  request: Pick<RefusalFacts, 'model' | 'limitId' | 'nowMs'>,
): { readonly why: string; readonly untilMs: number; readonly isLimit: boolean } | undefined {
  const blocks = quota
    .activeBlocks(uid, request.nowMs)
    .filter((block) => concerns(block, request))
    .map((block) => {
      const { reason, detail = 'limit', untilMs } = block
      const isLimit = reason === 'usage_limit' || reason === 'rate_limit'
      return { why: isLimit ? detail : blockText(block), untilMs, isLimit }
    })
  const windows = (quota.windowsByLimit(uid, request.nowMs)[request.limitId] ?? []).flatMap(
    ({ usedPercent, resetsAtMs, kind }) =>
      usedPercent >= 100 && resetsAtMs !== undefined
        ? [{ why: limitName(kind), untilMs: resetsAtMs, isLimit: true }]
        : [],
  )
  return [...windows, ...blocks].sort((left, right) => right.untilMs - left.untilMs)[0]
}
