import * as s from '../kernel/shape.js'

import {
  type BackendCaller,
  type BackendDeps,
  type BackendRequest,
  callBackend,
  failedCall,
} from '../kernel/backend-call.js'
import { dropUndefined } from '../kernel/drop-undefined.js'
import { maybe } from '../kernel/text/odd-values.js'

const REDEEM_CODES = ['reset', 'nothing_to_reset', 'no_credit', 'already_redeemed'] as const

/** What redeeming one came to; see docs/development/facts/codex-backend.md#reset-credits. */
export interface Redeemed {
  readonly code: (typeof REDEEM_CODES)[number] | 'unknown'
  readonly windowsReset: number
}

const PATH = '/wham/rate-limit-reset-credits'
const WHAT = 'request for banked resets'
const ANSWER_TIMEOUT_MS = 15_000

const listSchema = s.looseObject({
  credits: s
    .array(
      s
        .looseObject({
          id: s.string(),
          status: s.string().catch('unknown'),
          title: maybe(s.string()),
          /** ISO 8601. */
          expires_at: maybe(s.string()),
        })
        .transform(({ id, status, title, expires_at: expiresAt }) =>
          dropUndefined({ id, status, title, expiresAt }),
        ),
    )
    .catch([]),
})
/** A banked reset of the windows. */
export type ResetCredit = s.Infer<typeof listSchema>['credits'][number]

const redeemedSchema = s.looseObject({
  code: s.oneOf(REDEEM_CODES).catch('nothing_to_reset'),
  windows_reset: s.number().catch(0),
})

/** The banked resets of an account. @throws CodexError `backend_unreachable`, `backend_failed` */
export async function listResetCredits(
  deps: BackendDeps,
  caller: BackendCaller,
  signal?: AbortSignal,
): Promise<readonly ResetCredit[]> {
  const parsed = listSchema.safeParse(await call(deps, caller, { path: PATH, signal }))
  if (!parsed.success) throw failedCall(WHAT, 200)
  return parsed.data.credits
}

/**
 * Redeems one. The request id makes a repetition harmless: the same id is carried out once.
 * @throws CodexError `backend_unreachable` (it may have been carried out), `backend_failed`
 */
export async function redeemResetCredit(
  deps: BackendDeps,
  caller: BackendCaller,
  { requestId, creditId }: { readonly requestId: string; readonly creditId: string },
  signal?: AbortSignal,
): Promise<Redeemed> {
  const json = { redeem_request_id: requestId, credit_id: creditId }
  const { data } = redeemedSchema.safeParse(
    await call(deps, caller, { path: `${PATH}/consume`, json, signal }),
  )
  return data === undefined
    ? { code: 'unknown', windowsReset: 0 }
    : { code: data.code, windowsReset: data.windows_reset }
}

async function call(
  deps: BackendDeps,
  caller: BackendCaller,
  request: Pick<BackendRequest, 'path' | 'json' | 'signal'>,
): Promise<unknown> {
  const headers = { 'content-type': 'application/json' }
  const common = { what: WHAT, timeoutMs: ANSWER_TIMEOUT_MS, headers }
  const { status, body } = await callBackend(deps, caller, { ...common, ...request })
  if (status < 200 || status >= 300) throw failedCall(WHAT, status)
  return body
}
