import type { StoredAccount } from '../accounts/account.js'
import { readClaims } from '../oauth/claims.js'
import type { TokenSet } from '../oauth/token-set.js'

/**
 * The record of a finished login. The access token knows the workspace it is for; the id token is asked where it is
 * silent. Pure.
 * @param nowMs epoch ms
 */
export function accountFromLogin(
  { idToken = '', ...tokens }: Partial<TokenSet>,
  nowMs: number,
): StoredAccount {
  const access = readClaims(tokens.accessToken ?? '')
  const {
    expiresAtMs: _end,
    issuedAtMs: _issued,
    ...claims
  } = { ...readClaims(idToken), ...access }
  const accountIdSource = access.accountId === undefined ? 'id_token' : 'token'
  return {
    ...claims,
    ...(claims.accountId === undefined ? {} : { accountIdSource }),
    ...tokens,
    tokenRotatedAt: nowMs,
    addedAt: nowMs,
    lastUsed: 0,
  }
}
