import * as z from 'zod'

import type { Clock } from '../kernel/clock.js'
import { CodexError, messageOf, systemCode } from '../kernel/errors.js'
import { CLIENT_ID, type Endpoints } from './endpoints.js'
import { codesIn, readTokenAnswer } from './token-answer.js'
import { answerText } from './token-response.js'
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

/** What one question about a device login came to. */
export type DeviceAnswer =
  | { readonly kind: 'granted'; readonly grant: DeviceGrant }
  /** The user has not finished. */
  | { readonly kind: 'pending' }
  /** The login server did not get to answer; says nothing about the login. `why` is for the user and ends without a dot. */
  | { readonly kind: 'unheard'; readonly why: string }

/** The login server's protocol: OAuth 2.0 authorization code with PKCE (RFC 7636) and its own device code form. */
export interface OAuth {
  authorizeUrl(request: { redirectUri: string; state: string; challenge: string }): string
  /** @throws CodexError `oauth_failed` */
  exchangeCode(
    grant: { code: string; verifier: string; redirectUri: string },
    signal?: AbortSignal,
  ): Promise<LoginTokens>
  /** @throws CodexError `oauth_failed` */
  startDevice(signal?: AbortSignal): Promise<DeviceStart>
  /**
   * One question.
   * @throws CodexError `oauth_failed` when the server refuses the login, `login_cancelled` when the signal aborts
   */
  askDevice(start: DeviceStart, signal?: AbortSignal): Promise<DeviceAnswer>
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

const deviceSchema = z.looseObject({
  device_auth_id: z.string().min(1),
  // Older servers name it without the line (wire facts §6).
  user_code: z.string().min(1).optional().catch(undefined),
  usercode: z.string().min(1).optional().catch(undefined),
  interval: z.union([z.string(), z.number()]).optional().catch(undefined),
})
const deviceGrantSchema = z.looseObject({
  authorization_code: z.string().min(1),
  code_verifier: z.string().min(1),
})
/** Codes of answers that only mean "not yet" (RFC 8628 §3.5, and the server's own). */
const PENDING_CODE = /pending|slow_down/

/** A code is taken to the server once more when it did not get there, after this pause, ms. */
const EXCHANGE_TRIES = 3
const EXCHANGE_PAUSE_MS = 1_000

/** Creates the protocol over its effects. */
export function createOAuth(deps: {
  endpoints: Endpoints
  fetch: typeof globalThis.fetch
  clock: Clock
}): OAuth {
  const { endpoints, clock } = deps
  const deviceRedirectUri = `${endpoints.issuer}/deviceauth/callback`

  interface Answer {
    readonly status: number
    readonly body: unknown
  }

  async function post(
    path: string,
    init: RequestInit,
    signal: AbortSignal | undefined,
  ): Promise<Answer> {
    const limit = AbortSignal.timeout(ANSWER_TIMEOUT_MS)
    try {
      const response = await deps.fetch(endpoints.issuer + path, {
        method: 'POST',
        redirect: 'manual',
        signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
        ...init,
      })
      const text = await answerText(response)
      return { status: response.status, body: parsedJson(text) }
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

  /** The code of an approved login is asked for again after a hiccup of the network: nothing is lost by it that was not lost already. */
  async function postPatiently(
    path: string,
    init: RequestInit,
    signal: AbortSignal | undefined,
  ): Promise<Answer> {
    for (let attempt = 1; ; attempt += 1) {
      const answer = await post(path, init, signal).catch((error: unknown) => {
        if (attempt === EXCHANGE_TRIES || signal?.aborted === true) throw error
        return undefined
      })
      if (answer !== undefined && (answer.status < 500 || attempt === EXCHANGE_TRIES)) return answer
      await clock.sleep(EXCHANGE_PAUSE_MS, signal).catch(() => undefined)
    }
  }

  const json = (body: unknown): RequestInit => ({
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify(body),
  })

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
      const form = new URLSearchParams({
        grant_type: 'authorization_code',
        client_id: CLIENT_ID,
        code,
        redirect_uri: redirectUri,
        code_verifier: verifier,
      })
      const { status, body } = await postPatiently(
        '/oauth/token',
        {
          headers: {
            'content-type': 'application/x-www-form-urlencoded',
            accept: 'application/json',
          },
          body: form.toString(),
        },
        signal,
      )
      if (status < 200 || status >= 300)
        throw refused('The login server refused the code', status, body)
      const tokens = readTokenAnswer(body, clock.now())
      const { accessToken, refreshToken, idToken, scope } = tokens ?? {}
      if (tokens === undefined || accessToken === undefined || refreshToken === undefined) {
        throw new CodexError(
          'oauth_failed',
          `The answer of the login server has no valid ${accessToken === undefined ? 'access_token' : 'refresh_token'}.`,
        )
      }
      return {
        accessToken,
        refreshToken,
        expiresAt: tokens.expiresAt,
        ...(idToken === undefined ? {} : { idToken }),
        ...(scope === undefined ? {} : { scope }),
      }
    },

    async startDevice(signal) {
      const { status, body } = await post(
        '/api/accounts/deviceauth/usercode',
        json({ client_id: CLIENT_ID }),
        signal,
      )
      if (status !== 200) throw refused('The login server gives no device code', status, body)
      const device = deviceSchema.safeParse(body)
      const userCode = device.data?.user_code ?? device.data?.usercode
      if (!device.success || userCode === undefined)
        throw new CodexError(
          'oauth_failed',
          `The answer of the login server has no valid ${device.success ? 'user_code' : 'device_auth_id'}.`,
        )
      const seconds = Number(device.data.interval ?? Number.NaN)
      const intervalMs = Number.isFinite(seconds) ? seconds * 1000 : DEFAULT_INTERVAL_MS
      return {
        deviceAuthId: device.data.device_auth_id,
        userCode,
        url: `${endpoints.issuer}/codex/device`,
        intervalMs: Math.min(Math.max(intervalMs, MIN_INTERVAL_MS), MAX_INTERVAL_MS),
      }
    },

    async askDevice({ deviceAuthId, userCode }, signal) {
      let answer: Answer
      try {
        answer = await post(
          '/api/accounts/deviceauth/token',
          json({ device_auth_id: deviceAuthId, user_code: userCode }),
          signal,
        )
      } catch (error) {
        if (signal?.aborted === true) throw error
        return { kind: 'unheard', why: messageOf(error).replace(/\.$/, '') }
      }
      const { status, body } = answer
      const grant =
        status >= 200 && status < 300 ? deviceGrantSchema.safeParse(body).data : undefined
      if (grant !== undefined)
        return {
          kind: 'granted',
          grant: { code: grant.authorization_code, verifier: grant.code_verifier },
        }
      const codes = codesIn(body)
      // Both mean that the user has not finished (wire facts §6).
      if (status === 403 || status === 404 || codes.some((code) => PENDING_CODE.test(code)))
        return { kind: 'pending' }
      if ((status === 400 || status === 401) && codes.length > 0)
        throw refused('The login server refused the device code', status, body)
      return { kind: 'unheard', why: `The login server answered with status ${status} and no code` }
    },
  }
}

function refused(what: string, status: number, body: unknown): CodexError {
  const [code] = codesIn(body)
  return new CodexError(
    'oauth_failed',
    `${what} (status ${status}${code === undefined ? '' : `, ${code}`}).`,
  )
}
