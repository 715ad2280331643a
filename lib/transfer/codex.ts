import * as z from 'zod'

import { type Found, refused, text } from './found.js'

const fileSchema = z.looseObject({
  auth_mode: text,
  OPENAI_API_KEY: text,
  tokens: z
    .looseObject({ id_token: text, access_token: text, refresh_token: text, account_id: text })
    .optional()
    .catch(undefined),
  /** ISO time. */
  last_refresh: text,
})

/** Codex CLI's name for a sign-in with a key. */
const KEY_MODE = 'apikey'

/** True for the form of Codex CLI's `auth.json`. */
export function isCodexAuth(content: Readonly<Record<string, unknown>>): boolean {
  return ['auth_mode', 'OPENAI_API_KEY', 'tokens'].some((key) => key in content)
}

/**
 * The sign-in in Codex CLI's `auth.json` (docs/development/facts/oauth.md#the-login-file-of-the-cli): a ChatGPT login
 * or an API key. A browser login also leaves a key there that it made for itself; that one is no sign-in of its own.
 * Pure.
 * @param where path of the file, for the message
 * @throws CodexError `invalid_input` when it contains no login
 */
export function readCodexAuth(content: Readonly<Record<string, unknown>>, where: string): Found[] {
  const parsed = fileSchema.safeParse(content)
  if (!parsed.success || !isCodexAuth(content))
    throw refused(where, 'it is not a login file of Codex CLI')
  const { auth_mode: mode, OPENAI_API_KEY: apiKey, tokens, last_refresh: lastRefresh } = parsed.data
  const hasLogin = tokens?.access_token !== undefined || tokens?.refresh_token !== undefined
  if (apiKey !== undefined && (mode?.toLowerCase() === KEY_MODE || !hasLogin))
    return [{ kind: 'key', apiKey, endpoint: 'public' }]
  if (tokens === undefined || !hasLogin)
    throw refused(
      where,
      'it contains no login',
      'Nothing was changed. Codex CLI can also keep its login in the keychain of the system, where it cannot be read.',
    )
  const rotatedAt = lastRefresh === undefined ? Number.NaN : Date.parse(lastRefresh)
  return [
    {
      kind: 'login',
      accessToken: tokens.access_token,
      refreshToken: tokens.refresh_token,
      idToken: tokens.id_token,
      accountId: tokens.account_id,
      rotatedAt: Number.isNaN(rotatedAt) ? undefined : rotatedAt,
    },
  ]
}
