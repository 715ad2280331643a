import * as z from 'zod'

import { CodexError } from '../../kernel/errors.js'
import { isNestedTooDeep } from '../../kernel/nesting.js'
import type { StoredAccount } from '../account.js'

/** A ChatGPT login as another program keeps it; whose it is stands in its tokens. */
export interface FoundLogin {
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
export interface FoundKey {
  readonly kind: 'key'
  readonly apiKey: string
  /** Base URL, or `public` for OpenAI's public API. */
  readonly endpoint: string
}

/** A record of an account file of our own format. */
export interface FoundRecord {
  readonly kind: 'record'
  readonly account: StoredAccount
}

/** What one file of another program holds. */
export type Found = FoundLogin | FoundKey | FoundRecord

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
