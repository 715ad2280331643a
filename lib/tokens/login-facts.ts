import * as s from '../kernel/shape.js'

import type { Account, AccountPool, StoredAccount } from '../accounts/account.js'
import { isSameAccount } from '../accounts/identity.js'
import { readClaims } from '../oauth/claims.js'
import type { TokenSet } from '../oauth/token-set.js'
import { fingerprintOf, isToken, rotatedAccount } from './token-rules.js'

const text = s.string().optional().catch(undefined)
const time = s.number().optional().catch(undefined)

/** Whose a login is and how old its tokens are, as it is kept in the journal. Holds no secret. All times epoch ms. */
export const loginFactsSchema = s.object({
  accountId: text,
  accountUserId: text,
  organizationId: text,
  email: text,
  /** By the login server's clock. */
  issuedAt: time,
  /** By the clock of the process that stored the tokens. */
  rotatedAt: time,
  expiresAt: time,
})
export type LoginFacts = Readonly<s.Infer<typeof loginFactsSchema>>

/** The spending of one refresh token, as far as other records must know of it. */
export interface Spent {
  readonly fingerprint: string
  /** Facts of the record that held the token; journal entries of earlier versions have none. */
  readonly login?: LoginFacts | undefined
}

/** The facts of a record; what it does not say its access token may say. Pure. */
export function factsOf(account: StoredAccount): LoginFacts {
  const claims = readClaims(account.accessToken ?? '')
  const isSameWorkspace = account.accountId === undefined || account.accountId === claims.accountId
  return {
    accountId: account.accountId ?? claims.accountId,
    accountUserId: account.accountUserId ?? (isSameWorkspace ? claims.accountUserId : undefined),
    organizationId: account.organizationId,
    email: account.email ?? claims.email,
    issuedAt: claims.issuedAtMs,
    rotatedAt: account.tokenRotatedAt,
    expiresAt: account.expiresAt,
  }
}

/** The facts of tokens that followed on a record's. Pure. */
export function factsAfter(before: LoginFacts, tokens: TokenSet, atMs: number): LoginFacts {
  return {
    ...before,
    ...(tokens.accessToken === undefined
      ? {}
      : { issuedAt: readClaims(tokens.accessToken).issuedAtMs, expiresAt: tokens.expiresAt }),
    rotatedAt: Math.max(atMs, (before.rotatedAt ?? 0) + 1),
  }
}

/**
 * True when both are logins of the same account. Stricter than the identity of records: a token that goes to the wrong
 * seat would speak for another user, so a missing seat needs an address that agrees. Pure.
 */
export function isSameLogin(left: LoginFacts, right: LoginFacts): boolean {
  const [first, second] = [asRecord(left), asRecord(right)]
  if (first === undefined || second === undefined || !isSameAccount(first, second)) return false
  const isSeatKnown = left.accountUserId !== undefined && right.accountUserId !== undefined
  const isSeatless = left.accountUserId === undefined && right.accountUserId === undefined
  return isSeatKnown || isSeatless || left.email !== undefined
}

/** True when the tokens of `left` were made after those of `right`: by the server's clock where both know it. Pure. */
export function isNewer(left: LoginFacts, right: LoginFacts): boolean {
  const pairs = [
    [left.issuedAt, right.issuedAt],
    [left.rotatedAt ?? 0, right.rotatedAt ?? 0],
    [left.expiresAt, right.expiresAt],
  ] as const
  for (const [one, other] of pairs) {
    if (one !== undefined && other !== undefined && one !== other) return one > other
  }
  return false
}

/**
 * The pool after a refresh token was spent: every record that holds it gets its successor, all in one step, since records
 * of one login share one grant; and so does every older copy of the same login, which would spend a dead token. A record
 * with a newer token (a new login, a rotation elsewhere) is left alone. Pure.
 * @param isRefused true for the fingerprint of a token that is known to be dead
 */
export function withSuccessor(
  pool: AccountPool,
  spent: Spent,
  tokens: TokenSet,
  nowMs: number,
  isRefused: (fingerprint: string) => boolean = () => false,
): AccountPool {
  const needsIt = (account: Account): boolean => {
    const { refreshToken } = account
    if (account.kind === 'api-key' || refreshToken === undefined || refreshToken === '')
      return false
    if (isToken(refreshToken, spent.fingerprint))
      return (
        refreshToken !== tokens.refreshToken ||
        (tokens.accessToken ?? account.accessToken) !== account.accessToken
      )
    if (refreshToken === tokens.refreshToken || spent.login === undefined) return false
    const facts = factsOf(account)
    return (
      isSameLogin(facts, spent.login) &&
      (isNewer(spent.login, facts) ||
        account.needsLogin !== undefined ||
        isRefused(fingerprintOf(refreshToken)))
    )
  }
  if (!pool.accounts.some(needsIt)) return pool
  return {
    ...pool,
    accounts: pool.accounts.map((account) =>
      needsIt(account) ? rotatedAccount(account, tokens, nowMs) : account,
    ),
  }
}

/** Where the successor of a spent token is: in a record, made worthless by a newer token of the login, or in none. Pure. */
export function placeOfSuccessor(
  pool: AccountPool,
  spent: Spent,
  tokens: TokenSet,
  atMs: number,
): 'held' | 'superseded' | 'missing' {
  if (pool.accounts.some(({ refreshToken }) => refreshToken === tokens.refreshToken)) return 'held'
  const { login } = spent
  if (login === undefined) return 'missing'
  const after = factsAfter(login, tokens, atMs)
  const isSuperseded = pool.accounts.some((account) => {
    const facts = factsOf(account)
    return (
      (account.refreshToken ?? '') !== '' &&
      account.needsLogin === undefined &&
      isSameLogin(facts, login) &&
      isNewer(facts, after)
    )
  })
  return isSuperseded ? 'superseded' : 'missing'
}

/** A record that says nothing of its owner is no copy of any; only its token tells. */
function asRecord(facts: LoginFacts): StoredAccount | undefined {
  const { accountId, accountUserId, organizationId, email } = facts
  if (accountId === undefined && accountUserId === undefined && email === undefined)
    return undefined
  return { addedAt: 0, lastUsed: 0, accountId, accountUserId, organizationId, email }
}
