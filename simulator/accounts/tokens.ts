import type { SimAccount } from './account.js'
import type { Prng } from '../prng.js'
import type { Settings } from '../settings.js'

/** Public client id of the Codex CLI (docs/development/facts/oauth.md#client). */
const CLIENT_ID = 'app_EMoamEEZ73f0CkXaXp7hrann'

/** Scope of a login when nothing narrower is asked for. */
export const DEFAULT_SCOPE = 'openid profile email offline_access'

/** The answer of the token endpoint. */
export interface TokenSet {
  readonly access_token: string
  readonly refresh_token: string
  readonly id_token: string
  readonly token_type: 'Bearer'
  /** Seconds. */
  readonly expires_in: number
  readonly scope: string
}

/** Tokens that descend from one login. */
interface Family {
  readonly account: SimAccount
  readonly scope: string
  readonly accessTokens: Set<string>
  revoked: boolean
}

interface AccessRecord {
  readonly account: SimAccount
  expiresAtMs: number
  revoked: boolean
}

interface RefreshRecord {
  readonly family: Family
  readonly expiresAtMs: number
  used: boolean
}

type RefreshFailure =
  'refresh_token_reused' | 'refresh_token_expired' | 'refresh_token_invalidated' | 'unknown'

type RefreshResult =
  | { readonly tokens: TokenSet; readonly account: SimAccount }
  | { readonly failure: RefreshFailure; readonly account: SimAccount | undefined }

export interface TokenRegistry {
  /** Starts a new family: what a finished login gets. */
  issue(
    account: SimAccount,
    options?: { scope?: string; accessSeconds?: number | undefined },
  ): TokenSet
  /** Whom an access token speaks for, and whether it is good. */
  access(
    token: string,
  ): { readonly account: SimAccount; readonly state: 'live' | 'expired' | 'revoked' } | undefined
  /** The account of a refresh token in whatever state; spends nothing. */
  ownerOf(refreshToken: string): SimAccount | undefined
  /** Spends a refresh token (single use). */
  refresh(token: string): RefreshResult
  /** Ends the family of an access or refresh token, as RFC 7009 §2.1 advises; false for an unknown token. */
  revoke(token: string): boolean
  /** Makes every live access token expire now; refresh tokens stay good. */
  expireAccess(account?: SimAccount): void
  /** Ends every family of the account: access tokens answer 401, refresh tokens `refresh_token_invalidated`. */
  revokeAccount(account: SimAccount): void
}

interface TokenDeps {
  readonly now: () => number
  readonly random: Prng
  readonly issuer: string
  readonly settings: Settings
  /** Every account of the same user, for the claim that lists them. */
  readonly workspacesOf: (account: SimAccount) => readonly SimAccount[]
}

/** Creates an empty registry of access and refresh tokens. */
export function createTokenRegistry(deps: TokenDeps): TokenRegistry {
  const { now, random, settings } = deps
  const access = new Map<string, AccessRecord>()
  const refresh = new Map<string, RefreshRecord>()
  const families = new Set<Family>()

  const mint = (family: Family, accessSeconds = settings.accessTokenSeconds): TokenSet => {
    const { account, scope } = family
    const issuedAt = now()
    const times = {
      iat: Math.floor(issuedAt / 1_000),
      exp: Math.floor(issuedAt / 1_000 + accessSeconds),
    }
    const identity = claims(account, deps.workspacesOf(account))
    const accessToken = jwt({
      iss: deps.issuer,
      aud: ['https://api.openai.com/v1'],
      client_id: CLIENT_ID,
      scp: scope.split(' '),
      sub: `auth0|${account.userId}`,
      jti: random.uuid(),
      ...times,
      ...identity,
    })
    const idToken = jwt({
      iss: deps.issuer,
      aud: [CLIENT_ID],
      sub: `auth0|${account.userId}`,
      jti: random.uuid(),
      ...times,
      email: account.email,
      email_verified: true,
      ...identity,
    })
    const refreshToken = `rt_${random.hex(48)}`
    access.set(accessToken, {
      account,
      expiresAtMs: issuedAt + accessSeconds * 1_000,
      revoked: false,
    })
    refresh.set(refreshToken, {
      family,
      expiresAtMs: issuedAt + settings.refreshTokenSeconds * 1_000,
      used: false,
    })
    family.accessTokens.add(accessToken)
    return {
      access_token: accessToken,
      refresh_token: refreshToken,
      id_token: idToken,
      token_type: 'Bearer',
      expires_in: accessSeconds,
      scope,
    }
  }

  const end = (family: Family): void => {
    family.revoked = true
    for (const token of family.accessTokens) {
      const record = access.get(token)
      if (record) record.revoked = true
    }
  }

  return {
    issue(account, { scope = DEFAULT_SCOPE, accessSeconds } = {}) {
      const family: Family = { account, scope, accessTokens: new Set(), revoked: false }
      families.add(family)
      return mint(family, accessSeconds)
    },
    access(token) {
      const record = access.get(token)
      if (!record) return undefined
      const state = record.revoked ? 'revoked' : record.expiresAtMs <= now() ? 'expired' : 'live'
      return { account: record.account, state }
    },
    ownerOf: (token) => refresh.get(token)?.family.account,
    refresh(token) {
      const record = refresh.get(token)
      if (!record) return { failure: 'unknown', account: undefined }
      const { family } = record
      const { account } = family
      if (record.used) {
        if (settings.reuseRevokesFamily) family.revoked = true
        return { failure: 'refresh_token_reused', account }
      }
      if (family.revoked) return { failure: 'refresh_token_invalidated', account }
      if (record.expiresAtMs <= now()) return { failure: 'refresh_token_expired', account }
      record.used = true
      return { tokens: mint(family), account }
    },
    revoke(token) {
      const family =
        refresh.get(token)?.family ??
        [...families].find((candidate) => candidate.accessTokens.has(token))
      if (!family) return false
      end(family)
      return true
    },
    expireAccess(account) {
      for (const record of access.values()) {
        if (account === undefined || record.account === account)
          record.expiresAtMs = Math.min(record.expiresAtMs, now())
      }
    },
    revokeAccount(account) {
      for (const family of families) if (family.account === account) end(family)
    },
  }
}

/** The claims clients read (docs/development/facts/oauth.md#token-claims). */
function claims(account: SimAccount, workspaces: readonly SimAccount[]): Record<string, unknown> {
  return {
    'https://api.openai.com/auth': {
      chatgpt_account_id: account.accountId,
      chatgpt_account_user_id: account.uid,
      chatgpt_plan_type: account.plan,
      chatgpt_user_id: account.userId,
      user_id: account.userId,
      chatgpt_account_is_fedramp: account.fedramp,
      ...(account.residency !== undefined && { chatgpt_compute_residency: account.residency }),
      completed_platform_onboarding: true,
      is_org_owner: account.structure === 'personal',
      organizations: workspaces.map((workspace) => ({
        id: workspace.accountId,
        title: workspace.structure === 'personal' ? 'Personal' : workspace.name,
        role: workspace.structure === 'personal' ? 'owner' : 'member',
        is_default: workspace === account,
      })),
    },
    'https://api.openai.com/profile': { email: account.email, email_verified: true },
  }
}

/**
 * A well-formed JWT without a signature worth the name: no client checks it
 * (docs/development/facts/codex-backend.md#transport).
 */
function jwt(payload: Record<string, unknown>): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part({ alg: 'none', typ: 'JWT' })}.${part(payload)}.${Buffer.from('simulated').toString('base64url')}`
}
