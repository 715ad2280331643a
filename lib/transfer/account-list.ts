import * as z from 'zod'

import { type Found, type ImportedLogin, milliseconds, refused, text } from './found.js'

/** Names that other programs give the same thing; the first one that is there counts. */
const recordSchema = z.looseObject({
  refreshToken: text,
  refresh: text,
  refresh_token: text,
  accessToken: text,
  access: text,
  access_token: text,
  idToken: text,
  id_token: text,
  expiresAt: milliseconds,
  expires: milliseconds,
  accountId: text,
  account_id: text,
  email: text,
  enabled: z.boolean().optional().catch(undefined),
  auth: z
    .looseObject({
      tokens: z
        .looseObject({ access_token: text, refresh_token: text, id_token: text, account_id: text })
        .optional()
        .catch(undefined),
    })
    .optional()
    .catch(undefined),
})

const list = z.array(z.unknown()).optional().catch(undefined)
const holder = z.looseObject({ accounts: list }).optional().catch(undefined)

/** The account lists under `openai` of opencode-codex-auth; `accounts` repeats what the other two hold. */
const nestedSchema = z.looseObject({ accounts: list, native: holder, codex: holder })

/** True for an object with a list of accounts, at the top or under `openai`. */
export function isAccountList(content: Readonly<Record<string, unknown>>): boolean {
  return recordsIn(content) !== undefined
}

/**
 * The logins in an account list without a version: `codex-accounts.json` of opencode-codex-auth, the lists of its
 * forerunners, and `accounts.json` beside Codex CLI's own file. Records without a credential are passed over. Pure.
 * @param where path of the file, for the message
 * @throws CodexError `invalid_input` when there is no such list or no login in it
 */
export function readAccountList(
  content: Readonly<Record<string, unknown>>,
  where: string,
): Found[] {
  const records = recordsIn(content)
  if (records === undefined) throw refused(where, 'it holds no list of accounts')
  const found = records.flatMap((record) => loginOf(record) ?? [])
  if (found.length === 0) throw refused(where, 'no account in it has a login')
  return found
}

function recordsIn(content: Readonly<Record<string, unknown>>): readonly unknown[] | undefined {
  if (Array.isArray(content.accounts)) return content.accounts as unknown[]
  const nested = nestedSchema.safeParse(content.openai)
  if (!nested.success) return undefined
  const { accounts, native, codex } = nested.data
  if (accounts !== undefined && accounts.length > 0) return accounts
  const parts = [accounts, native?.accounts, codex?.accounts].filter((part) => part !== undefined)
  return parts.length === 0 ? undefined : parts.flat()
}

function loginOf(record: unknown): ImportedLogin | undefined {
  const parsed = recordSchema.safeParse(record)
  if (!parsed.success) return undefined
  const one = parsed.data
  const tokens = one.auth?.tokens
  const accessToken = one.accessToken ?? one.access ?? one.access_token ?? tokens?.access_token
  const refreshToken = one.refreshToken ?? one.refresh ?? one.refresh_token ?? tokens?.refresh_token
  if (accessToken === undefined && refreshToken === undefined) return undefined
  const expiresAt = one.expiresAt ?? one.expires
  return {
    kind: 'login',
    accessToken,
    refreshToken,
    idToken: one.idToken ?? one.id_token ?? tokens?.id_token,
    expiresAt: expiresAt === 0 ? undefined : expiresAt,
    accountId: one.accountId ?? one.account_id ?? tokens?.account_id,
    email: one.email,
    enabled: one.enabled,
  }
}
