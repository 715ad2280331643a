import * as z from 'zod'

import { CLIENT_ID, type Endpoints } from './endpoints.js'
import { readClaims } from './claims.js'
import type { Clock } from '../kernel/clock.js'
import { systemCode } from '../kernel/errors.js'
import type { RotatedTokens } from './refresh-rules.js'
import { parsedJson } from '../kernel/json.js'

/** Why a token is refreshed; sent along, as the Codex CLI does (wire facts §6). */
export type RefreshReason = 'proactive_expiry' | 'unauthorized_recovery' | 'forced'

/** What one attempt to spend a refresh token came to. */
export type RefreshOutcome =
  | { readonly kind: 'rotated'; readonly tokens: RotatedTokens }
  /** Refused for good: only a new login helps. */
  | { readonly kind: 'refused'; readonly code: string }
  /** Did not work this time. */
  | {
      readonly kind: 'failed'
      /** For the log; never holds a secret. */
      readonly detail: string
      /** The server's wish, ms. */
      readonly retryAfterMs?: number
      /** False when no answer came: the token may be spent all the same. */
      readonly answered: boolean
    }

/** Spends a refresh token. Never throws. */
export type Exchange = (refreshToken: string, reason: RefreshReason) => Promise<RefreshOutcome>

/** An answer that takes longer counts as none, ms. */
export const REFRESH_TIMEOUT_MS = 30_000
/** Lifetime of a token that does not say when it ends; short, because a wrong guess costs only one refresh. */
export const UNKNOWN_LIFETIME_MS = 30 * 60_000

const answerSchema = z.looseObject({
  access_token: z.string().min(1),
  refresh_token: z.string().min(1).optional(),
  id_token: z.string().optional(),
  expires_in: z.number().positive().optional().catch(undefined),
  scope: z.string().optional().catch(undefined),
})

export interface ExchangeDeps {
  readonly endpoints: Endpoints
  readonly fetch: typeof globalThis.fetch
  readonly clock: Clock
  readonly userAgent: string
}

/** Creates the exchange with the login server. */
export function createExchange(deps: ExchangeDeps): Exchange {
  return async (refreshToken, reason) => {
    let response: Response
    let text: string
    try {
      response = await deps.fetch(`${deps.endpoints.issuer}/oauth/token`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json', originator: 'opencode', 'user-agent': deps.userAgent },
        body: JSON.stringify({ client_id: CLIENT_ID, grant_type: 'refresh_token', refresh_reason: reason, refresh_token: refreshToken }),
        redirect: 'error',
        signal: AbortSignal.timeout(REFRESH_TIMEOUT_MS),
      })
      text = await response.text()
    } catch (error) {
      return { kind: 'failed', detail: `no answer from the login server (${networkName(error)})`, answered: false }
    }
    return judgeAnswer({ status: response.status, text, retryAfter: response.headers.get('retry-after'), refreshToken, nowMs: deps.clock.now() })
  }
}

/**
 * Tells the three outcomes apart (wire facts §6): permanent are the three `refresh_token_*` codes, any 401, and
 * `invalid_grant`; all else may work later. Pure.
 */
export function judgeAnswer(answer: {
  readonly status: number
  readonly text: string
  readonly retryAfter: string | null
  readonly refreshToken: string
  readonly nowMs: number
}): RefreshOutcome {
  const { status, text, nowMs } = answer
  const body = parsedJson(text)
  if (status >= 200 && status < 300) {
    const fields = answerSchema.safeParse(body)
    if (!fields.success) return { kind: 'failed', detail: 'the login server answered without an access token', answered: true }
    const { access_token: accessToken, refresh_token: rotated, id_token: idToken, expires_in: expiresIn, scope } = fields.data
    const claims = readClaims(accessToken)
    const planType = claims.planType ?? (idToken === undefined ? undefined : readClaims(idToken).planType)
    return {
      kind: 'rotated',
      tokens: {
        accessToken,
        refreshToken: rotated ?? answer.refreshToken,
        expiresAt: expiresIn === undefined ? (claims.expiresAtMs ?? nowMs + UNKNOWN_LIFETIME_MS) : nowMs + expiresIn * 1000,
        ...(scope === undefined ? {} : { oauthScope: scope }),
        ...(planType === undefined ? {} : { planType }),
      },
    }
  }
  const code = codeOf(body)
  const isPermanent = status === 401 || code === 'invalid_grant' || /^refresh_token_(?:expired|reused|invalidated)$/.test(code ?? '')
  if (isPermanent) return { kind: 'refused', code: code ?? 'unauthorized' }
  const seconds = Number(answer.retryAfter ?? Number.NaN)
  return {
    kind: 'failed',
    detail: `the login server answered with status ${status}${code === undefined ? '' : ` (${code})`}`,
    ...(Number.isFinite(seconds) && seconds >= 0 ? { retryAfterMs: seconds * 1000 } : {}),
    answered: true,
  }
}

/** The code stands at `error.code`, in `error` itself, or at the top (wire facts §6). */
function codeOf(body: unknown): string | undefined {
  const shape = z.looseObject({ error: z.union([z.string(), z.looseObject({ code: z.string().optional().catch(undefined) })]).optional(), code: z.string().optional() })
  const fields = shape.safeParse(body)
  if (!fields.success) return undefined
  const { error, code } = fields.data
  const found = typeof error === 'string' ? error : (error?.code ?? code)
  return found !== undefined && /^[\w.-]{1,80}$/.test(found) ? found : undefined
}

function networkName(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined
  return systemCode(cause) ?? systemCode(error) ?? (error instanceof Error ? error.name : 'unknown')
}
