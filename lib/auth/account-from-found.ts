import type { StoredAccount } from '../accounts/account.js'
import type { Found, FoundLogin } from '../accounts/sources/found.js'
import { accountFromLogin } from './account-from-login.js'
import { PUBLIC_API } from './base-url.js'
import { readClaims } from './claims.js'
import { MANAGED_MARKER } from './managed-entry.js'

/**
 * The record of something found in a file of another program; undefined for the mark that this plugin leaves in
 * OpenCode's login file. Whose login it is stands in its tokens; what the file says counts where they are silent. Pure.
 * @param nowMs epoch ms
 */
export function accountFromFound(found: Found, nowMs: number): StoredAccount | undefined {
  switch (found.kind) {
    case 'key':
      return {
        kind: 'api-key',
        apiKey: found.apiKey,
        baseUrl: found.endpoint === 'public' ? PUBLIC_API : found.endpoint,
        addedAt: nowMs,
        lastUsed: 0,
      }
    case 'record':
      return isMark(found.account) ? undefined : withClaims(found.account)
    case 'login':
      return isMark(found) ? undefined : fromLogin(found, nowMs)
  }
}

function isMark({
  refreshToken,
  accessToken,
}: {
  readonly refreshToken?: string | undefined
  readonly accessToken?: string | undefined
}): boolean {
  return refreshToken === MANAGED_MARKER || accessToken === MANAGED_MARKER
}

function fromLogin(found: FoundLogin, nowMs: number): StoredAccount {
  const { accessToken = '', refreshToken = '', idToken, email, accountId, enabled } = found
  const { expiresAtMs, issuedAtMs } = readClaims(accessToken)
  // A clock that runs ahead must not make this copy the newest for ever.
  const rotatedAt = Math.min(found.rotatedAt ?? issuedAtMs ?? 0, nowMs)
  const {
    tokenRotatedAt: _now,
    accessToken: _access,
    refreshToken: _refresh,
    ...account
  } = accountFromLogin(
    {
      accessToken,
      refreshToken,
      expiresAt: found.expiresAt ?? expiresAtMs ?? 0,
      ...(idToken === undefined ? {} : { idToken }),
    },
    nowMs,
  )
  return {
    ...(email === undefined ? {} : { email }),
    ...(accountId === undefined ? {} : { accountId }),
    ...account,
    ...(accessToken === '' ? {} : { accessToken }),
    ...(refreshToken === '' ? {} : { refreshToken }),
    ...(rotatedAt === 0 ? {} : { tokenRotatedAt: rotatedAt }),
    ...(enabled === false ? { enabled } : {}),
  }
}

/** Claims fill the gaps of a record that is about the same workspace; a workspace chosen there stays. */
function withClaims(account: StoredAccount): StoredAccount {
  const { expiresAtMs: _expiry, issuedAtMs, ...claims } = readClaims(account.accessToken ?? '')
  if (
    account.kind === 'api-key' ||
    (account.accountId !== undefined && account.accountId !== claims.accountId)
  )
    return account
  return {
    ...claims,
    ...(issuedAtMs === undefined ? {} : { tokenRotatedAt: issuedAtMs }),
    ...account,
  }
}
