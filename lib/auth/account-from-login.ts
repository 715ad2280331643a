import type { StoredAccount } from '../accounts/account.js'
import { readClaims } from './claims.js'
import type { LoginTokens } from './oauth.js'

/**
 * The record of a finished login. The access token knows the workspace it is for; the id token is asked where it is
 * silent. Pure.
 * @param nowMs epoch ms
 */
export function accountFromLogin(tokens: LoginTokens, nowMs: number): StoredAccount {
  const access = readClaims(tokens.accessToken)
  const identity = tokens.idToken === undefined ? {} : readClaims(tokens.idToken)
  const { expiresAtMs: _expiry, issuedAtMs: _issued, ...claims } = { ...identity, ...access }
  return {
    ...claims,
    ...(claims.accountId === undefined
      ? {}
      : {
          accountIdSource:
            access.accountId === undefined ? ('id_token' as const) : ('token' as const),
        }),
    refreshToken: tokens.refreshToken,
    accessToken: tokens.accessToken,
    expiresAt: tokens.expiresAt,
    ...(tokens.scope === undefined ? {} : { oauthScope: tokens.scope }),
    tokenRotatedAt: nowMs,
    addedAt: nowMs,
    lastUsed: 0,
  }
}
