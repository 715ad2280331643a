import type { Account, AccountPool } from '../accounts/account.js'
import { dropUndefined } from '../kernel/drop-undefined.js'
import { sha256Hex } from '../kernel/hash.js'
import type { TokenSet } from '../oauth/token-set.js'

/** How good the stored access token is: use it, use it and fetch a new one, or fetch a new one first. */
type TokenState = 'good' | 'due' | 'expired'

/**
 * Judges the access token of a record.
 *
 * The skew is cut to half of a token's lifetime, so that a server that issues short-lived tokens does not cause a
 * refresh per request. A missing expiry counts as expired.
 * @param skewMs how long before its end a token is due
 */
export function tokenState(account: Account, nowMs: number, skewMs: number): TokenState {
  const { accessToken, expiresAt, tokenRotatedAt } = account
  if (accessToken === undefined || accessToken === '') return 'expired'
  const end = expiresAt ?? 0
  if (end <= nowMs) return 'expired'
  const lifetimeMs =
    tokenRotatedAt !== undefined && tokenRotatedAt < end ? end - tokenRotatedAt : Infinity
  return end - nowMs > Math.min(skewMs, lifetimeMs / 2) ? 'good' : 'due'
}

/** Names a refresh token in file names and journals without saying anything about it. */
export function fingerprintOf(refreshToken = ''): string {
  return sha256Hex(refreshToken).slice(0, 32)
}

/** The record of that name. */
export function accountOf(pool: AccountPool, uid: string): Account | undefined {
  return pool.accounts.find((account) => account.uid === uid)
}

/** True when a record of the pool holds the refresh token of this fingerprint. */
export function holdsToken(pool: AccountPool, fingerprint: string): boolean {
  return pool.accounts.some(({ refreshToken }) => isToken(refreshToken, fingerprint))
}

/** One record after a rotation; the stamp always grows, wherever the clock went, so that the newest wins a merge. */
export function rotatedAccount(account: Account, tokens: TokenSet, nowMs: number): Account {
  const { needsLogin: _lifted, ...rest } = account
  const { idToken: _identity, ...stored } = tokens
  return {
    ...rest,
    ...dropUndefined(stored),
    tokenRotatedAt: Math.max(nowMs, (account.tokenRotatedAt ?? 0) + 1),
  }
}

/** The pool after a refresh token was refused for good: its records stay, marked. */
export function withLoginNeeded(
  pool: AccountPool,
  fingerprint: string,
  reason: string,
  nowMs: number,
): AccountPool {
  if (!holdsToken(pool, fingerprint)) return pool
  const needsLogin = { since: nowMs, reason }
  return {
    ...pool,
    accounts: pool.accounts.map((account) =>
      isToken(account.refreshToken, fingerprint) ? { ...account, needsLogin } : account,
    ),
  }
}

/** True when the token has this fingerprint. */
export function isToken(refreshToken: string | undefined, fingerprint: string): boolean {
  return (refreshToken ?? '') !== '' && fingerprintOf(refreshToken) === fingerprint
}

/** True when the record has another access token than the unwanted one, and a valid one. */
export function isUsableInstead(
  account: Account,
  unwanted: string | undefined,
  nowMs: number,
): boolean {
  return account.accessToken !== unwanted && tokenState(account, nowMs, 0) !== 'expired'
}

/** Pause after a first failed refresh; doubles with each further one. */
export const FIRST_PAUSE_MS = 2_000
export const LONGEST_PAUSE_MS = 60_000
/** A pause asked for by the server is honoured up to here. */
export const LONGEST_SERVER_PAUSE_MS = 5 * 60_000

/**
 * How long the login server is left alone after failed attempts.
 * @param attempts failed attempts in a row, from 1
 * @param serverAsksMs the server's own wish, ms
 * @param random 0 up to 1; spreads processes over the second half of the pause
 */
export function pauseMs(
  attempts: number,
  serverAsksMs: number | undefined,
  random: number,
): number {
  const full = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(attempts - 1, 10))
  return Math.max(full * (0.5 + random / 2), Math.min(serverAsksMs ?? 0, LONGEST_SERVER_PAUSE_MS))
}
