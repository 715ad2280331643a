import * as z from 'zod'

import { CodexError, systemCode } from '../kernel/errors.js'
import type { UsageCaller, UsageDeps } from './usage-client.js'

/** A banked reset of the windows. */
export interface ResetCredit {
  readonly id: string
  readonly status: string
  readonly title?: string
  /** ISO 8601, as the backend writes it. */
  readonly expiresAt?: string
}

/** What redeeming one came to (wire facts §7). */
export interface Redeemed {
  readonly code: 'reset' | 'nothing_to_reset' | 'no_credit' | 'already_redeemed' | 'unknown'
  readonly windowsReset: number
}

const PATH = '/wham/rate-limit-reset-credits'
const ANSWER_TIMEOUT_MS = 15_000

const listSchema = z.looseObject({
  credits: z
    .array(
      z.looseObject({
        id: z.string(),
        status: z.string().catch('unknown'),
        title: z.string().nullable().optional().catch(undefined),
        expires_at: z.string().nullable().optional().catch(undefined),
      }),
    )
    .catch([]),
})
const redeemedSchema = z.looseObject({
  code: z
    .enum(['reset', 'nothing_to_reset', 'no_credit', 'already_redeemed'])
    .catch('nothing_to_reset'),
  windows_reset: z.number().catch(0),
})

/** The banked resets of an account. @throws CodexError `backend_unreachable`, `backend_failed` */
export async function listResetCredits(
  deps: UsageDeps,
  caller: UsageCaller,
  signal?: AbortSignal,
): Promise<readonly ResetCredit[]> {
  const body = await call(deps, caller, PATH, { method: 'GET' }, signal)
  const parsed = listSchema.safeParse(body)
  if (!parsed.success)
    throw new CodexError(
      'backend_failed',
      'The backend answers the question for banked resets in an unknown form.',
    )
  return parsed.data.credits.map(({ id, status, title, expires_at: expiresAt }) => ({
    id,
    status,
    ...(title == null ? {} : { title }),
    ...(expiresAt == null ? {} : { expiresAt }),
  }))
}

/**
 * Redeems one. The request id makes a repetition harmless: the same id is carried out once.
 * @throws CodexError `backend_unreachable` (it may have been carried out), `backend_failed`
 */
export async function redeemResetCredit(
  deps: UsageDeps,
  caller: UsageCaller,
  redeem: { readonly requestId: string; readonly creditId: string },
  signal?: AbortSignal,
): Promise<Redeemed> {
  const init = {
    method: 'POST',
    body: JSON.stringify({ redeem_request_id: redeem.requestId, credit_id: redeem.creditId }),
  }
  const parsed = redeemedSchema.safeParse(await call(deps, caller, `${PATH}/consume`, init, signal))
  return parsed.success
    ? { code: parsed.data.code, windowsReset: parsed.data.windows_reset }
    : { code: 'unknown', windowsReset: 0 }
}

async function call(
  deps: UsageDeps,
  { token, accountId }: UsageCaller,
  path: string,
  init: RequestInit,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  const limit = AbortSignal.timeout(ANSWER_TIMEOUT_MS)
  try {
    const response = await deps.fetch(deps.backend + path, {
      ...init,
      headers: {
        authorization: `Bearer ${token}`,
        accept: 'application/json',
        'content-type': 'application/json',
        'user-agent': deps.userAgent,
        ...(accountId === undefined ? {} : { 'chatgpt-account-id': accountId }),
      },
      redirect: 'error',
      signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
    })
    if (!response.ok)
      throw new CodexError(
        'backend_failed',
        `The backend does not tell the banked resets (status ${response.status}).`,
      )
    return await response.json()
  } catch (error) {
    if (signal?.aborted === true || error instanceof CodexError) throw error
    const cause = error instanceof Error ? error.cause : undefined
    throw new CodexError(
      'backend_unreachable',
      `The backend did not answer the question for banked resets (${systemCode(cause) ?? systemCode(error) ?? 'no answer in time'}).`,
      { cause: error },
    )
  }
}
