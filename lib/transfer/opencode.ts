import * as z from 'zod'

import { type Found, milliseconds, refused, text } from './found.js'

const entrySchema = z.looseObject({
  type: z.enum(['oauth', 'api', 'wellknown']),
  refresh: text,
  access: text,
  /** Epoch ms. */
  expires: milliseconds,
  accountId: text,
  key: text,
  metadata: z
    .looseObject({ codexBaseUrl: text, baseURL: text, baseUrl: text })
    .optional()
    .catch(undefined),
})

/** The provider this plugin is for. */
const PROVIDER = 'openai'

/** True for the form of OpenCode's `auth.json`: entries with a `type` under the names of providers. */
export function isOpencodeAuth(content: Readonly<Record<string, unknown>>): boolean {
  return Object.values(content).some((entry) => entrySchema.safeParse(entry).success)
}

/**
 * The `openai` entry of OpenCode's `auth.json` (docs/development/facts/opencode-host.md#login-file): a ChatGPT login or
 * an API key. Other providers are never looked at. A key that names no endpoint is one for the public API, where
 * OpenCode sends it: never for the default endpoint of this plugin, which may be somebody else's. Pure.
 * @param where path of the file, for the message
 * @throws CodexError `invalid_input` when there is none
 */
export function readOpencodeAuth(
  content: Readonly<Record<string, unknown>>,
  where: string,
): Found[] {
  if (content[PROVIDER] === undefined)
    throw refused(
      where,
      isOpencodeAuth(content)
        ? 'OpenCode has no OpenAI login there'
        : 'it is not a login file of OpenCode',
    )
  const parsed = entrySchema.safeParse(content[PROVIDER])
  if (!parsed.success) throw refused(where, 'its OpenAI entry has an unknown format')
  const { type, refresh, access, expires, accountId, key, metadata } = parsed.data
  if (type === 'api' && key !== undefined)
    return [
      {
        kind: 'key',
        apiKey: key,
        endpoint: metadata?.codexBaseUrl ?? metadata?.baseURL ?? metadata?.baseUrl ?? 'public',
      },
    ]
  if (type === 'oauth' && (refresh !== undefined || access !== undefined)) {
    return [
      {
        kind: 'login',
        refreshToken: refresh,
        accessToken: access,
        expiresAt: expires === 0 ? undefined : expires,
        accountId,
      },
    ]
  }
  throw refused(where, 'its OpenAI entry holds neither a ChatGPT login nor an API key')
}
