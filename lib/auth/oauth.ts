import * as z from 'zod'

import type { Clock } from '../kernel/clock.js'
import { CodexError, systemCode } from '../kernel/errors.js'
import { CLIENT_ID, type Endpoints } from './endpoints.js'
import { readClaims } from './claims.js'
import { UNKNOWN_LIFETIME_MS } from './refresh-exchange.js'
import { parsedJson } from '../kernel/json.js'

/** What a finished login brings. */
export interface LoginTokens {
  readonly accessToken: string
  readonly refreshToken: string
  readonly idToken?: string
  /** Epoch ms. */
  readonly expiresAt: number
  readonly scope?: string
}

/** A device code login that was started. */
export interface DeviceStart {
  readonly deviceAuthId: string
  /** What the user types in. */
  readonly userCode: string
  /** Page where the user types it in. */
  readonly url: string
  /** Pause between two questions, ms. */
  readonly intervalMs: number
}

/** The authorization code of a device login, with the verifier the server made for it. */
export interface DeviceGrant {
  readonly code: string
  readonly verifier: string
}

/** The login server's protocol: OAuth 2.0 authorization code with PKCE (RFC 7636) and its own device code form. */
export interface OAuth {
  authorizeUrl(request: { redirectUri: string; state: string; challenge: string }): string
  /** @throws CodexError `oauth_failed` */
  exchangeCode(grant: { code: string; verifier: string; redirectUri: string }, signal?: AbortSignal): Promise<LoginTokens>
  /** @throws CodexError `oauth_failed` */
  startDevice(signal?: AbortSignal): Promise<DeviceStart>
  /** One question; undefined while the user has not finished. @throws CodexError `oauth_failed` */
  askDevice(start: DeviceStart, signal?: AbortSignal): Promise<DeviceGrant | undefined>
  /** Where the code of a device login counts as redirected to. */
  readonly deviceRedirectUri: string
}

/** Scopes as OpenCode's own login asks for them (host facts §3). */
const SCOPE = 'openid profile email offline_access'
/** An answer that takes longer counts as none, ms. */
const ANSWER_TIMEOUT_MS = 30_000
const DEFAULT_INTERVAL_MS = 5_000
/** The server may ask for pauses; never shorter or longer than these, ms. */
const MIN_INTERVAL_MS = 1_000
const MAX_INTERVAL_MS = 30_000

const tokensSchema = z.looseObject({
  access_token: z.string().min(1),
  refresh_token: z.string().min(1),
  id_token: z.string().min(1).optional().catch(undefined),
  expires_in: z.number().positive().optional().catch(undefined),
  scope: z.string().optional().catch(undefined),
})
const deviceSchema = z.looseObject({
  device_auth_id: z.string().min(1),
  user_code: z.string().min(1),
  interval: z.union([z.string(), z.number()]).optional().catch(undefined),
})
const deviceGrantSchema = z.looseObject({ authorization_code: z.string().min(1), code_verifier: z.string().min(1) })
const errorSchema = z.looseObject({
  error: z.union([z.string(), z.looseObject({ code: z.string().optional(), message: z.string().optional() })]).optional(),
  error_description: z.string().optional().catch(undefined),
})

/** Creates the protocol over its effects. */
export function createOAuth(deps: { endpoints: Endpoints; fetch: typeof globalThis.fetch; clock: Clock }): OAuth {
  const { endpoints, clock } = deps
  const deviceRedirectUri = `${endpoints.issuer}/deviceauth/callback`

  async function post(path: string, init: RequestInit, signal: AbortSignal | undefined): Promise<{ status: number; body: unknown }> {
    const limit = AbortSignal.timeout(ANSWER_TIMEOUT_MS)
    try {
      const response = await deps.fetch(endpoints.issuer + path, {
        method: 'POST',
        redirect: 'error',
        signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
        ...init,
      })
      const text = await response.text()
      return { status: response.status, body: parsedJson(text) }
    } catch (error) {
      if (signal?.aborted === true) throw new CodexError('login_cancelled', 'The login was cancelled.')
      const cause = error instanceof Error ? error.cause : undefined
      throw new CodexError('oauth_failed', `The login server did not answer (${systemCode(cause) ?? systemCode(error) ?? 'no connection'}).`, { cause: error })
    }
  }

  const json = (body: unknown): RequestInit => ({ headers: { 'content-type': 'application/json', accept: 'application/json' }, body: JSON.stringify(body) })

  return {
    deviceRedirectUri,

    authorizeUrl({ redirectUri, state, challenge }) {
      const url = new URL(`${endpoints.issuer}/oauth/authorize`)
      url.search = new URLSearchParams({
        response_type: 'code',
        client_id: CLIENT_ID,
        redirect_uri: redirectUri,
        scope: SCOPE,
        code_challenge: challenge,
        code_challenge_method: 'S256',
        id_token_add_organizations: 'true',
        codex_cli_simplified_flow: 'true',
        state,
        originator: 'opencode',
      }).toString()
      return url.href
    },

    async exchangeCode({ code, verifier, redirectUri }, signal) {
      const form = new URLSearchParams({ grant_type: 'authorization_code', client_id: CLIENT_ID, code, redirect_uri: redirectUri, code_verifier: verifier })
      const { status, body } = await post('/oauth/token', { headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' }, body: form.toString() }, signal)
      if (status !== 200) throw refused('The login server refused the code', status, body)
      const tokens = tokensSchema.safeParse(body)
      if (!tokens.success) throw new CodexError('oauth_failed', `The answer of the login server has no valid ${missingField(tokens.error)}.`)
      const { access_token: accessToken, refresh_token: refreshToken, id_token: idToken, expires_in: expiresIn, scope } = tokens.data
      return {
        accessToken,
        refreshToken,
        expiresAt: expiresIn === undefined ? (readClaims(accessToken).expiresAtMs ?? clock.now() + UNKNOWN_LIFETIME_MS) : clock.now() + expiresIn * 1000,
        ...(idToken === undefined ? {} : { idToken }),
        ...(scope === undefined ? {} : { scope }),
      }
    },

    async startDevice(signal) {
      const { status, body } = await post('/api/accounts/deviceauth/usercode', json({ client_id: CLIENT_ID }), signal)
      if (status !== 200) throw refused('The login server gives no device code', status, body)
      const device = deviceSchema.safeParse(body)
      if (!device.success) throw new CodexError('oauth_failed', `The answer of the login server has no valid ${missingField(device.error)}.`)
      const seconds = Number(device.data.interval ?? Number.NaN)
      const intervalMs = Number.isFinite(seconds) ? seconds * 1000 : DEFAULT_INTERVAL_MS
      return {
        deviceAuthId: device.data.device_auth_id,
        userCode: device.data.user_code,
        url: `${endpoints.issuer}/codex/device`,
        intervalMs: Math.min(Math.max(intervalMs, MIN_INTERVAL_MS), MAX_INTERVAL_MS),
      }
    },

    async askDevice({ deviceAuthId, userCode }, signal) {
      const { status, body } = await post('/api/accounts/deviceauth/token', json({ device_auth_id: deviceAuthId, user_code: userCode }), signal)
      // Both mean that the user has not finished (wire facts §6); trouble of the server is waited out too.
      if (status === 403 || status === 404 || status === 429 || status >= 500) return undefined
      if (status !== 200) throw refused('The login server refused the device code', status, body)
      const grant = deviceGrantSchema.safeParse(body)
      if (!grant.success) throw new CodexError('oauth_failed', `The answer of the login server has no valid ${missingField(grant.error)}.`)
      return { code: grant.data.authorization_code, verifier: grant.data.code_verifier }
    },
  }
}

function refused(what: string, status: number, body: unknown): CodexError {
  const fields = errorSchema.safeParse(body).data
  const code = typeof fields?.error === 'string' ? fields.error : fields?.error?.code
  const name = code !== undefined && /^[\w.-]{1,80}$/.test(code) ? `, ${code}` : ''
  return new CodexError('oauth_failed', `${what} (status ${status}${name}).`)
}

function missingField(error: z.ZodError): string {
  return error.issues[0]?.path.join('.') ?? 'content'
}
