import { CodexError, type ErrorCode } from '../kernel/errors.js'
import type { Decision, RefusedReason } from '../routing/types.js'
import { formatWhen } from '../kernel/moments.js'

/** What the pool looks like to the user. */
export interface PoolFacts {
  readonly accounts: number
  readonly model: string
  readonly nowMs: number
  /** Paid credits could help, and the user wants to be told. */
  readonly hasUnusedCredits?: boolean
  /** Who is kept out and why; see `blockedClause`. */
  readonly blocked?: string
}

/** Why no account was chosen. */
export type Refusal = Extract<Decision, { uid: undefined }>

const CODES: Readonly<Record<RefusedReason, ErrorCode>> = {
  no_accounts: 'no_accounts',
  pin_blocked: 'account_not_allowed',
  fence_blocked: 'account_not_allowed',
  pool_blocked: 'account_not_allowed',
  model_denied: 'model_not_supported',
  login_needed: 'login_required',
  all_disabled: 'account_not_allowed',
  all_blocked: 'all_accounts_blocked',
  all_tried: 'backend_failed',
}

/** The error for a request that no account can serve: who keeps it out, and until when. Pure. */
export function errorOfRefusal(refusal: Refusal, facts: PoolFacts): CodexError {
  const { nextFreeAtMs } = refusal
  const until =
    nextFreeAtMs === undefined
      ? ''
      : ` The first is free again ${formatWhen(nextFreeAtMs, facts.nowMs)}.`
  const all = facts.accounts === 1 ? 'The only account' : `Each of the ${facts.accounts} accounts`
  const sentence: Record<RefusedReason, string> = {
    no_accounts: 'No ChatGPT account is signed in.',
    pin_blocked: `The account pinned for this work cannot serve now${facts.blocked ?? ''}.${until}`,
    fence_blocked: `The accounts allowed in this project cannot serve now${facts.blocked ?? ''}.${until}`,
    pool_blocked: `The accounts set aside for ${facts.model} cannot serve now, and nobody else may${facts.blocked ?? ''}.${until}`,
    model_denied: `${all} may not use the model ${facts.model}.`,
    login_needed:
      facts.accounts === 1
        ? 'The only account must sign in again.'
        : 'Every account that could serve must sign in again.',
    all_disabled:
      facts.accounts === 1 ? 'The only account is disabled.' : 'Every account is disabled.',
    all_blocked: `${all} is at a limit or blocked${facts.blocked ?? ''}.${until}${facts.hasUnusedCredits === true ? ' Paid credits are there; allow them with the setting creditsPolicy.' : ''}`,
    all_tried: `${all} was tried without success.`,
  }
  const hint = refusal.reason === 'all_disabled' ? { hint: 'Enable one: codex-toggle' } : {}
  return new CodexError(CODES[refusal.reason], sentence[refusal.reason], hint)
}
