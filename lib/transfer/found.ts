import * as z from 'zod'

import type { StoredAccount } from '../accounts/account.js'
import { dropUndefined } from '../kernel/drop-undefined.js'
import { CodexError } from '../kernel/errors.js'
import { isNestedTooDeep } from '../kernel/text/nesting.js'
import { accountFromLogin } from '../login/account-from-login.js'
import { PUBLIC_API } from '../oauth/base-url.js'
import { readClaims } from '../oauth/claims.js'
import { MANAGED_MARKER } from '../login/managed-entry.js'

/** A ChatGPT login as another program keeps it; whose it is stands in its tokens. */
export interface ImportedLogin {
  readonly kind: 'login'
  readonly accessToken?: string | undefined
  readonly refreshToken?: string | undefined
  readonly idToken?: string | undefined
  /** Expiry of the access token, epoch ms, where the file says it. */
  readonly expiresAt?: number | undefined
  /** Last renewal, epoch ms, where the file says it. */
  readonly rotatedAt?: number | undefined
  readonly email?: string | undefined
  readonly accountId?: string | undefined
  readonly enabled?: boolean | undefined
}

/** An API key as another program keeps it. */
interface FoundKey {
  readonly kind: 'key'
  readonly apiKey: string
  /** Base URL, or `public` for OpenAI's public API. */
  readonly endpoint: string
}

/** What one file of another program holds; `record`: one of an account file of our own format. */
export type Found =
  ImportedLogin | FoundKey | { readonly kind: 'record'; readonly account: StoredAccount }

/** A text that is there, or nothing, whatever else stands in its place. */
export const text = z.string().trim().min(1).optional().catch(undefined)

/** Epoch ms, or nothing. */
export const milliseconds = z.number().int().min(0).optional().catch(undefined)

/**
 * The JSON object in a text.
 * @param where path of the file, for the message
 * @throws CodexError `invalid_input`
 */
export function objectIn(source: string, where: string): Record<string, unknown> {
  if (isNestedTooDeep(source)) throw refused(where, 'its lists or objects are nested too deeply')
  let content: unknown
  try {
    content = JSON.parse(source)
  } catch {
    throw refused(where, source.trim() === '' ? 'it is empty' : 'it is not JSON')
  }
  const parsed = z.record(z.string(), z.unknown()).safeParse(content)
  if (!parsed.success) throw refused(where, 'it does not hold one JSON object')
  return parsed.data
}

/** The error of a file that holds nothing to import; never with anything that stands in it. */
export function refused(where: string, why: string, hint = 'Nothing was changed.'): CodexError {
  return new CodexError('invalid_input', `${where} cannot be imported because ${why}.`, { hint })
}

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
}: Pick<ImportedLogin, 'refreshToken' | 'accessToken'>): boolean {
  return refreshToken === MANAGED_MARKER || accessToken === MANAGED_MARKER
}

function fromLogin(found: ImportedLogin, nowMs: number): StoredAccount {
  const { accessToken = '', refreshToken = '', idToken, email, accountId, enabled } = found
  const { expiresAtMs, issuedAtMs } = readClaims(accessToken)
  // A clock that runs ahead must not make this copy the newest for ever.
  const rotatedAt = Math.min(found.rotatedAt ?? issuedAtMs ?? 0, nowMs)
  const expiresAt = found.expiresAt ?? expiresAtMs ?? 0
  const tokens = dropUndefined({ accessToken, refreshToken, expiresAt, idToken })
  return {
    ...dropUndefined({ email, accountId }),
    ...dropUndefined({
      ...accountFromLogin(tokens, nowMs),
      accessToken: accessToken || undefined,
      refreshToken: refreshToken || undefined,
      tokenRotatedAt: rotatedAt || undefined,
    }),
    ...(enabled === false ? { enabled } : {}),
  }
}

/** Claims fill the gaps of a record that is about the same workspace; a workspace chosen there stays. */
function withClaims(account: StoredAccount): StoredAccount {
  const { expiresAtMs: _expiry, issuedAtMs, ...claims } = readClaims(account.accessToken ?? '')
  const isElsewhere = account.accountId !== undefined && account.accountId !== claims.accountId
  if (account.kind === 'api-key' || isElsewhere) return account
  return { ...claims, ...dropUndefined({ tokenRotatedAt: issuedAtMs }), ...account }
}
