import { dropUndefined } from '../kernel/drop-undefined.js'
import { CodexError } from '../kernel/errors.js'
import { systemCode } from '../kernel/system-code.js'
import { type DeviceAnswer, type DeviceStart, pollDevice, startDevice } from './device-code.js'
import { CLIENT_ID } from './endpoints.js'
import {
  type Answer,
  incomplete,
  isSuccess,
  json,
  type OAuthDeps,
  post,
  refused,
} from './login-server.js'
import { classifyCode, parseTokenSet, type TokenSet } from './token-set.js'

/** What a finished login brings. */
export type LoginTokens = TokenSet & { readonly accessToken: string; readonly expiresAt: number }

/** Why a token is refreshed; sent along, as the Codex CLI does. */
export type RefreshReason = 'proactive_expiry' | 'unauthorized_recovery' | 'forced'

/** What one attempt to spend a refresh token came to. */
export type RefreshOutcome =
  | { readonly kind: 'rotated'; readonly tokens: TokenSet }
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
export type RefreshGrant = (refreshToken: string, reason: RefreshReason) => Promise<RefreshOutcome>

/** Scopes as OpenCode's own login asks for them. */
const SCOPE = 'openid profile email offline_access'
/** A code is taken to the server once more when it did not get there, after this pause, ms. */
const EXCHANGE_TRIES = 3
const EXCHANGE_PAUSE_MS = 1_000

/** The client of the login server: OAuth 2.0 authorization code with PKCE (RFC 7636), refresh, and its own device code form. */
export class OAuthClient {
  readonly #deps: OAuthDeps
  /** Where the code of a device login counts as redirected to. */
  readonly deviceRedirectUri: string

  constructor(deps: OAuthDeps) {
    this.#deps = deps
    this.deviceRedirectUri = `${deps.endpoints.issuer}/deviceauth/callback`
  }

  authorizeUrl(request: { redirectUri: string; state: string; challenge: string }): string {
    const query = new URLSearchParams({
      response_type: 'code',
      client_id: CLIENT_ID,
      redirect_uri: request.redirectUri,
      scope: SCOPE,
      code_challenge: request.challenge,
      code_challenge_method: 'S256',
      id_token_add_organizations: 'true',
      codex_cli_simplified_flow: 'true',
      state: request.state,
      originator: 'opencode',
    })
    return `${this.#deps.endpoints.issuer}/oauth/authorize?${query.toString()}`
  }

  /** @throws CodexError `oauth_failed` */
  async exchangeCode(
    grant: { code: string; verifier: string; redirectUri: string },
    signal?: AbortSignal,
  ): Promise<LoginTokens> {
    const form = new URLSearchParams({
      grant_type: 'authorization_code',
      client_id: CLIENT_ID,
      code: grant.code,
      redirect_uri: grant.redirectUri,
      code_verifier: grant.verifier,
    })
    const request = {
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        accept: 'application/json',
      },
      body: form.toString(),
    }
    const { status, body } = await postWithRetry(this.#deps, '/oauth/token', request, signal)
    if (!isSuccess(status)) throw refused('The login server refused the code', status, body)
    const { accessToken, refreshToken, expiresAt, ...others } =
      parseTokenSet(body, this.#deps.clock.now()) ?? {}
    if (accessToken === undefined || expiresAt === undefined) throw incomplete('access_token')
    if (refreshToken === undefined) throw incomplete('refresh_token')
    return { accessToken, refreshToken, expiresAt, ...others }
  }

  startDevice(signal?: AbortSignal): Promise<DeviceStart> {
    return startDevice(this.#deps, signal)
  }

  pollDevice(start: DeviceStart, signal?: AbortSignal): Promise<DeviceAnswer> {
    return pollDevice(this.#deps, start, signal)
  }

  readonly refresh: RefreshGrant = async (refreshToken, reason) => {
    const request = json({
      client_id: CLIENT_ID,
      grant_type: 'refresh_token',
      refresh_reason: reason,
      refresh_token: refreshToken,
    })
    const { userAgent, clock } = this.#deps
    const headers = { ...request.headers, originator: 'opencode', 'user-agent': userAgent }
    try {
      const answer = await post(this.#deps, '/oauth/token', { ...request, headers }, undefined)
      return parseRefreshResponse(answer, refreshToken, clock.now())
    } catch (error) {
      const name = networkName(error instanceof CodexError ? error.cause : error)
      return {
        kind: 'failed',
        detail: `no answer from the login server (${name})`,
        answered: NEVER_ARRIVED.test(name),
      }
    }
  }
}

/**
 * Tells the outcomes of a refresh apart: permanent is only a known code in the JSON of a 400 or 401; all else, the pages
 * of proxies too, may work later. Pure.
 * @param spent the refresh token that was sent: it stays where the server did not rotate
 */
export function parseRefreshResponse(
  { status, body, retryAfter }: Answer,
  spent: string,
  nowMs: number,
): RefreshOutcome {
  const found = isSuccess(status) ? parseTokenSet(body, nowMs) : undefined
  if (found !== undefined) {
    const { idToken: _identity, ...tokens } = found
    return { kind: 'rotated', tokens: { ...tokens, refreshToken: tokens.refreshToken ?? spent } }
  }
  const { kind, code } = classifyCode(status, body)
  if (kind === 'permanent' && code !== undefined) return { kind: 'refused', code }
  return {
    kind: 'failed',
    detail: isSuccess(status)
      ? 'the login server answered without a token'
      : `the login server answered with status ${status}${code === undefined ? '' : ` (${code})`}`,
    ...dropUndefined({ retryAfterMs: waitOf(retryAfter, nowMs) }),
    // A gateway that lost the answer, or a proxy that put a page in its place, may stand behind a spent token.
    answered: !isSuccess(status) && status < 500,
  }
}

/** Failures before anything was sent, by Node's, OpenSSL's and Bun's names: the token is as good as before. */
const NEVER_ARRIVED =
  /^(?:ENOTFOUND|EAI_\w+|ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|ENETDOWN|EADDRNOTAVAIL|UND_ERR_CONNECT_TIMEOUT|ConnectionRefused|FailedToOpenSocket|ERR_TLS_\w+|ERR_SSL_\w+|\w*CERT\w*|UNABLE_TO_\w+)$/

/** The code of an approved login is sent again after a hiccup of the network: nothing is lost by it that was not lost already. */
async function postWithRetry(
  deps: OAuthDeps,
  path: string,
  init: RequestInit,
  signal: AbortSignal | undefined,
): Promise<Answer> {
  for (let attempt = 1; ; attempt += 1) {
    const answer = await post(deps, path, init, signal).catch((error: unknown) => {
      if (attempt === EXCHANGE_TRIES || signal?.aborted === true) throw error
      return undefined
    })
    if (answer !== undefined && (answer.status < 500 || attempt === EXCHANGE_TRIES)) return answer
    await deps.clock.sleep(EXCHANGE_PAUSE_MS, signal).catch(() => undefined)
  }
}

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
