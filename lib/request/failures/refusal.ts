import { blockText, limitName } from '../../account-view/words.js'
import { type Account, isSignedIn } from '../../accounts/account.js'
import { dropUndefined } from '../../kernel/drop-undefined.js'
import { CodexError, type ErrorCode } from '../../kernel/errors.js'
import { formatWhen } from '../../kernel/text/moments.js'
import { counted } from '../../kernel/text/plural.js'
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
  readonly all: string
  readonly isOnly: boolean
  /** ` (who: why until when; …)`, or nothing. */
  readonly blocked: string
  readonly until: string
  readonly model: string
  readonly credits: string
}

const REFUSALS: Readonly<
  Record<
    RefusedReason,
    { readonly error: ErrorCode; says: (parts: Parts) => string; readonly hint?: string }
  >
> = {
  no_accounts: { error: 'no_accounts', says: () => 'No ChatGPT account is signed in.' },
  pin_blocked: {
    error: 'account_not_allowed',
    says: ({ blocked, until }) => `The account pinned here cannot serve now${blocked}.${until}`,
  },
  fence_blocked: {
    error: 'account_not_allowed',
    says: ({ blocked, until }) =>
      `The accounts allowed in this project cannot serve now${blocked}.${until}`,
  },
  pool_blocked: {
    error: 'account_not_allowed',
    says: ({ blocked, until, model }) =>
      `The accounts reserved for ${model} cannot serve now, and no other account may${blocked}.${until}`,
  },
  login_needed: {
    error: 'login_required',
    says: ({ isOnly }) =>
      isOnly
        ? 'The only account must sign in again.'
        : 'Every account that could serve must sign in again.',
  },
  all_disabled: {
    error: 'account_not_allowed',
    says: ({ isOnly }) => (isOnly ? 'The only account is disabled.' : 'Every account is disabled.'),
    hint: 'Enable one: {toggle NUMBER}',
  },
  all_blocked: {
    error: 'all_accounts_blocked',
    says: ({ all, blocked, until, credits }) =>
      `${all} is at a limit or blocked${blocked}.${until}${credits}`,
  },
  all_tried: { error: 'backend_failed', says: ({ all }) => `${all} was tried without success.` },
}

/** The error for a request that no account can serve: who is kept out, why and until when. Pure. */
export function errorOfRefusal({ reason, nextFreeAtMs }: Refusal, facts: RefusalFacts): CodexError {
  const { error, says, hint } = REFUSALS[reason]
  const isOnly = facts.accounts === 1
  const sentence = says({
    isOnly,
    all: isOnly ? 'The only account' : `Each of the ${counted(facts.accounts, 'account')}`,
    blocked: blockedClause(facts),
    until:
      nextFreeAtMs === undefined
        ? ''
        : ` The first is free again ${formatWhen(nextFreeAtMs, facts.nowMs)}.`,
    model: facts.model,
    credits: facts.hasUnusedCredits
      ? ' Paid credits are available; allow them with the setting creditsPolicy.'
      : '',
  })
  return new CodexError(error, sentence, dropUndefined({ hint }))
}

/** Accounts that are named one by one; the others are counted. */
const MAX_NAMED = 3

/**
 * ` (Account 1: weekly limit until Thu 14:20; …)`. Of several blocks of an account the one that ends last is told; blocks
 * of other models and limits are no reason. Empty when nothing is known.
 */
function blockedClause(facts: RefusalFacts): string {
  const { quota, nowMs } = facts
  const told = facts.concerned.flatMap((account) => {
    if (!isSignedIn(account)) return []
    const blocks = quota
      .activeBlocks(account.uid, nowMs)
      .filter((block) => concerns(block, facts))
      .map((block) => ({ why: blockText(block), untilMs: block.untilMs }))
    const windows = (quota.windowsByLimit(account.uid, nowMs)[facts.limitId] ?? []).flatMap(
      ({ usedPercent, resetsAtMs, kind }) =>
        usedPercent >= 100 && resetsAtMs !== undefined
          ? [{ why: limitName(kind), untilMs: resetsAtMs }]
          : [],
    )
    const [last] = [...windows, ...blocks].sort((left, right) => right.untilMs - left.untilMs)
    return last === undefined
      ? []
      : [`${facts.label(account)}: ${last.why} until ${formatWhen(last.untilMs, nowMs)}`]
  })
  if (told.length === 0) return ''
  const more = told.length - MAX_NAMED
  return ` (${told.slice(0, MAX_NAMED).join('; ')}${more > 0 ? `; and ${more} more` : ''})`
}
