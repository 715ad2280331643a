import { CLIENT_ID, type Endpoints } from './endpoints.js'
import { readClaims } from './claims.js'
import type { Clock } from '../kernel/clock.js'
import { systemCode } from '../kernel/errors.js'
import { parsedJson } from '../kernel/json.js'
import type { RotatedTokens } from './refresh-rules.js'
import { answerText } from './token-response.js'
import { codesIn, finalRefusalOf, readTokenAnswer } from './token-answer.js'

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
      /** False when the server may have replaced the token all the same, and its answer was lost. */
      readonly answered: boolean
    }

/** Spends a refresh token. Never throws. */
export type Exchange = (refreshToken: string, reason: RefreshReason) => Promise<RefreshOutcome>

/** An answer that takes longer counts as none, ms. */
export const REFRESH_TIMEOUT_MS = 30_000

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
        headers: {
          'content-type': 'application/json',
          accept: 'application/json',
          originator: 'opencode',
          'user-agent': deps.userAgent,
        },
        body: JSON.stringify({
          client_id: CLIENT_ID,
          grant_type: 'refresh_token',
          refresh_reason: reason,
          refresh_token: refreshToken,
        }),
        // A redirect is an answer like any other, and is never followed: the token goes nowhere else.
        redirect: 'manual',
        signal: AbortSignal.timeout(REFRESH_TIMEOUT_MS),
      })
      text = await answerText(response)
    } catch (error) {
      const name = networkName(error)
      return {
        kind: 'failed',
        detail: `no answer from the login server (${name})`,
        answered: NEVER_ARRIVED.test(name),
      }
    }
    return judgeAnswer({
      status: response.status,
      text,
      retryAfter: response.headers.get('retry-after'),
      refreshToken,
      nowMs: deps.clock.now(),
    })
  }
}

/**
 * Tells the three outcomes apart (wire facts §6): permanent is only a known code in the JSON of a 400 or 401; all else,
 * the pages of proxies too, may work later. Pure.
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
  const isSuccess = status >= 200 && status < 300
  const found = isSuccess ? readTokenAnswer(body, nowMs) : undefined
  if (found !== undefined) {
    const { accessToken, refreshToken, idToken, scope, expiresAt } = found
    const planType = readClaims(accessToken ?? '').planType ?? readClaims(idToken ?? '').planType
    return {
      kind: 'rotated',
      tokens: {
        refreshToken: refreshToken ?? answer.refreshToken,
        ...(accessToken === undefined ? {} : { accessToken, expiresAt }),
        ...(scope === undefined ? {} : { oauthScope: scope }),
        ...(planType === undefined ? {} : { planType }),
      },
    }
  }
  const refusal = finalRefusalOf(status, body)
  if (refusal !== undefined) return { kind: 'refused', code: refusal }
  const [code] = codesIn(body)
  const retryAfterMs = waitOf(answer.retryAfter, nowMs)
  return {
    kind: 'failed',
    detail: isSuccess
      ? 'the login server answered without a token'
      : `the login server answered with status ${status}${code === undefined ? '' : ` (${code})`}`,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    // A gateway that lost the answer, or a proxy that put a page in its place, may stand behind a spent token.
    answered: !isSuccess && status < 500,
  }
}

/** Failures before anything was sent, by Node's, OpenSSL's and Bun's names: the token is as good as before. */
const NEVER_ARRIVED =
  /^(?:ENOTFOUND|EAI_\w+|ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|ENETDOWN|EADDRNOTAVAIL|UND_ERR_CONNECT_TIMEOUT|ConnectionRefused|FailedToOpenSocket|ERR_TLS_\w+|ERR_SSL_\w+|\w*CERT\w*|UNABLE_TO_\w+)$/

/** Seconds or a date. */
function waitOf(header: string | null, nowMs: number): number | undefined {
  if (header === null || header.trim() === '') return undefined
  const seconds = Number(header)
  const ms = Number.isNaN(seconds) ? Date.parse(header) - nowMs : seconds * 1000
  return Number.isFinite(ms) && ms >= 0 ? ms : undefined
}

function networkName(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined
  return systemCode(cause) ?? systemCode(error) ?? (error instanceof Error ? error.name : 'unknown')
}
