import { createHash } from 'node:crypto'

import { seatKey } from './rules.js'
import type { StoredAccount } from './account.js'

/**
 * What makes a record the same account, strongest fact first (peer facts §2.6): a seat in a workspace, the workspace, the
 * user, the address, and last the login itself. Two seats of one workspace, and a personal and a business workspace of
 * one person, are different accounts.
 */
export function identityKeyOf(account: StoredAccount): string {
  const { accountId, accountUserId, organizationId, email } = account
  if (account.kind === 'api-key')
    return `key:${account.baseUrl ?? ''}|${digest(account.apiKey ?? '')}`
  if (accountId !== undefined && accountUserId !== undefined)
    return seatKey(accountId, accountUserId)
  if (accountId !== undefined)
    return `account:${organizationId ?? ''}|${accountId}|${email?.toLowerCase() ?? ''}`
  if (accountUserId !== undefined) return `user:${accountUserId}`
  if (email !== undefined) return `email:${organizationId ?? ''}|${email.toLowerCase()}`
  return `token:${digest(account.refreshToken ?? account.accessToken ?? '')}`
}

/** Workspace and address of a ChatGPT account: where two records meet of which one does not know its seat. */
export function placeKeyOf({ kind, accountId, email }: StoredAccount): string | undefined {
  return kind === 'api-key' || accountId === undefined
    ? undefined
    : `${accountId}|${email?.toLowerCase() ?? ''}`
}

/** The name a record gets when it has none: derived from its identity, so that every process finds the same one. */
export function uidFor(account: StoredAccount): string {
  return `acc_${digest(identityKeyOf(account)).slice(0, 12)}`
}

/**
 * True when both records are the same account. A record that knows less (no seat, written by an earlier version) is the
 * same as one that knows more when the workspace and the address agree.
 */
export function isSameAccount(left: StoredAccount, right: StoredAccount): boolean {
  if (identityKeyOf(left) === identityKeyOf(right)) return true
  if (left.kind === 'api-key' || right.kind === 'api-key') return false
  const sameWorkspace = left.accountId !== undefined && left.accountId === right.accountId
  const oneSeatUnknown = left.accountUserId === undefined || right.accountUserId === undefined
  return sameWorkspace && oneSeatUnknown && left.email?.toLowerCase() === right.email?.toLowerCase()
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
