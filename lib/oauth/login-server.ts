import type { Clock } from '../kernel/clock.js'
import { CodexError } from '../kernel/errors.js'
import { systemCode } from '../kernel/system-code.js'
import { readBounded } from '../kernel/read-bounded.js'
import { parsedJson } from '../kernel/text/json.js'
import type { Endpoints } from './endpoints.js'
import { classifyCode } from './token-set.js'

export interface OAuthDeps {
  readonly endpoints: Endpoints
  readonly fetch: typeof globalThis.fetch
  readonly clock: Clock
  /** Sent with refreshes. */
  readonly userAgent: string
}

/** An answer that takes longer counts as none, ms. */
export const ANSWER_TIMEOUT_MS = 30_000
/** Far more than any answer of a login server; a page in its place is not read to its end, bytes. */
const MAX_ANSWER_BYTES = 1024 * 1024

/** An answer of the login server, read as JSON where it is that. */
export interface Answer {
  readonly status: number
  readonly body: unknown
  readonly retryAfter: string | null
}

/** @throws CodexError `login_cancelled`, `oauth_failed` with the failure of the network as its cause */
export async function post(
  { endpoints, fetch }: OAuthDeps,
  path: string,
  init: RequestInit,
  signal: AbortSignal | undefined,
): Promise<Answer> {
  const limit = AbortSignal.timeout(ANSWER_TIMEOUT_MS)
  try {
    const response = await fetch(endpoints.issuer + path, {
      ...init,
      method: 'POST',
      // A redirect is an answer like any other, and is never followed: the secrets in it go nowhere else.
      redirect: 'manual',
      signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
    })
    const text = (await readBounded(response, MAX_ANSWER_BYTES)) ?? ''
    const retryAfter = response.headers.get('retry-after')
    return { status: response.status, body: parsedJson(text), retryAfter }
  } catch (error) {
    if (signal?.aborted === true)
      throw new CodexError('login_cancelled', 'The login was cancelled.')
    const cause = error instanceof Error ? error.cause : undefined
    throw new CodexError(
      'oauth_failed',
      `The login server did not answer (${systemCode(cause) ?? systemCode(error) ?? 'no connection'}).`,
      { cause: error },
    )
  }
}

export function json(body: unknown): { headers: Record<string, string>; body: string } {
  return {
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify(body),
  }
}

export function isSuccess(status: number): boolean {
  return status >= 200 && status < 300
}

export function refused(what: string, status: number, body: unknown): CodexError {
  const { code } = classifyCode(status, body)
  return new CodexError(
    'oauth_failed',
    `${what} (status ${status}${code === undefined ? '' : `, ${code}`}).`,
  )
}

export function incomplete(field: string): CodexError {
  return new CodexError('oauth_failed', `The answer of the login server has no valid ${field}.`)
}
