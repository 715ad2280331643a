import { dropUndefined } from './drop-undefined.js'
import { CodexError } from './errors.js'
import { systemCode } from './system-code.js'
import { readBounded } from './read-bounded.js'
import { parsedJson } from './text/json.js'

export interface BackendDeps {
  readonly fetch: typeof globalThis.fetch
  /** ChatGPT backend, without a trailing slash: the only place the token goes to. */
  readonly backend: string
  readonly userAgent: string
}

/** The account that asks. */
export interface BackendCaller {
  readonly token: string
  readonly accountId: string | undefined
}

export interface BackendRequest {
  /** Below the backend, with its leading slash. */
  readonly path: string
  /** The request in a sentence: `usage request`. */
  readonly what: string
  /** An answer that takes longer counts as none, ms. */
  readonly timeoutMs: number
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as JSON by POST; a GET without it. */
  readonly json?: unknown
  readonly signal?: AbortSignal | undefined
}

/** An answer of the backend of any status, read as JSON where it is that. */
interface BackendAnswer {
  readonly status: number
  readonly headers: Headers
  readonly body: unknown
}

/** Far more than any of these answers; the rest of a longer one is not read, bytes. */
const MAX_ANSWER_BYTES = 8 * 1024 * 1024

/**
 * One authorised call of the ChatGPT backend. A redirect is a failure: the token goes to no other host.
 * @throws CodexError `destination_refused`, `backend_unreachable`, and the reason of an aborted signal
 */
export async function callBackend(
  { fetch, backend, userAgent }: BackendDeps,
  { token, accountId }: BackendCaller,
  { path, what, timeoutMs, headers, json, signal }: BackendRequest,
): Promise<BackendAnswer> {
  const url = backend + path
  if (new URL(url).origin !== new URL(backend).origin)
    throw new CodexError('destination_refused', `The ${what} was redirected away from the backend.`)
  const limit = AbortSignal.timeout(timeoutMs)
  try {
    const response = await fetch(url, {
      ...(json === undefined ? {} : { method: 'POST', body: JSON.stringify(json) }),
      headers: dropUndefined({
        authorization: `Bearer ${token}`,
        accept: 'application/json',
        'user-agent': userAgent,
        'chatgpt-account-id': accountId,
        ...headers,
      }),
      redirect: 'error',
      signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
    })
    const text = (await readBounded(response, MAX_ANSWER_BYTES)) ?? ''
    return { status: response.status, headers: response.headers, body: parsedJson(text) }
  } catch (error) {
    if (signal?.aborted === true) throw error
    const cause = error instanceof Error ? error.cause : undefined
    const code = systemCode(cause) ?? systemCode(error)
    throw new CodexError(
      'backend_unreachable',
      `The ${what} got no answer${code === undefined ? ' in time' : ` (${code})`}.`,
      { cause: error },
    )
  }
}

/** The error of an answer that cannot be used; it says nothing about the login. */
export function failedCall(what: string, status: number): CodexError {
  return new CodexError(
    'backend_failed',
    status >= 200 && status < 300
      ? `The backend answered the ${what} in an unknown form.`
      : `The ${what} failed (HTTP ${status}).`,
  )
}
