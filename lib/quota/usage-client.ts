import { CodexError, systemCode } from '../kernel/errors.js'
import { type QuotaReading, readingOfUsage } from './readings.js'

/** Who asks. */
export interface UsageCaller {
  readonly token: string
  readonly accountId: string | undefined
}

export interface UsageDeps {
  readonly fetch: typeof globalThis.fetch
  /** ChatGPT backend, without a trailing slash. */
  readonly backend: string
  readonly userAgent: string
  readonly now: () => number
}

/** The same reading under its two names; the first is the Codex CLI's (wire facts §7). */
const PATHS = ['/wham/usage', '/codex/usage'] as const
const ANSWER_TIMEOUT_MS = 15_000

/**
 * Asks the backend for the quota of an account. Costs no quota.
 * @throws CodexError `backend_unreachable`, `backend_failed`: a refusal here says nothing about the login, so no account
 * is marked for it
 */
export async function readUsage(
  deps: UsageDeps,
  caller: UsageCaller,
  signal?: AbortSignal,
): Promise<QuotaReading> {
  let status = 0
  for (const path of PATHS) {
    const answer = await ask(deps, `${deps.backend}${path}`, caller, signal)
    status = answer.status
    const reading = answer.status === 200 ? readingOfUsage(answer.body, deps.now()) : undefined
    if (reading !== undefined) return reading
    if (answer.status !== 404 && answer.status !== 200) break
  }
  throw new CodexError(
    'backend_failed',
    status === 200
      ? 'The backend answers the question for quota in an unknown form.'
      : `The backend does not tell the quota (status ${status}).`,
  )
}

async function ask(
  deps: UsageDeps,
  url: string,
  { token, accountId }: UsageCaller,
  signal: AbortSignal | undefined,
): Promise<{ status: number; body: unknown }> {
  const limit = AbortSignal.timeout(ANSWER_TIMEOUT_MS)
  try {
    const response = await deps.fetch(url, {
      headers: {
        authorization: `Bearer ${token}`,
        accept: 'application/json',
        'user-agent': deps.userAgent,
        ...(accountId === undefined ? {} : { 'chatgpt-account-id': accountId }),
      },
      redirect: 'error',
      signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
    })
    return { status: response.status, body: await response.json().catch(() => undefined) }
  } catch (error) {
    if (signal?.aborted === true) throw error
    const cause = error instanceof Error ? error.cause : undefined
    throw new CodexError(
      'backend_unreachable',
      `The backend did not answer the question for quota (${systemCode(cause) ?? systemCode(error) ?? 'no answer in time'}).`,
      { cause: error },
    )
  }
}
