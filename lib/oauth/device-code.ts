import * as s from '../kernel/shape.js'

import { messageOf } from '../kernel/errors.js'
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
import { classifyCode } from './token-set.js'

/** A device code login that was started. */
export type DeviceStart = Awaited<ReturnType<typeof startDevice>>

/** What one poll of a device login came to. */
export type DeviceAnswer =
  /** The authorization code, with the verifier the server made for it. */
  | { readonly kind: 'granted'; readonly code: string; readonly verifier: string }
  /** The user has not finished. */
  | { readonly kind: 'pending' }
  /** The login server did not get to answer; says nothing about the login. `why` is for the user and ends without a dot. */
  | { readonly kind: 'unavailable'; readonly why: string }

const DEFAULT_INTERVAL_MS = 5_000
/** The server may ask for pauses; never shorter or longer than these, ms. */
const MIN_INTERVAL_MS = 1_000
const MAX_INTERVAL_MS = 30_000

const deviceSchema = s.looseObject({
  device_auth_id: s.string({ min: 1 }),
  // Older servers name it without the line.
  user_code: s.string({ min: 1 }).optional().catch(undefined),
  usercode: s.string({ min: 1 }).optional().catch(undefined),
  interval: s.union([s.string(), s.number()]).optional().catch(undefined),
})
const deviceGrantSchema = s.looseObject({
  authorization_code: s.string({ min: 1 }),
  code_verifier: s.string({ min: 1 }),
})

/** Asks for a device code; see docs/development/facts/oauth.md#device-code. @throws CodexError `oauth_failed` */
export async function startDevice(deps: OAuthDeps, signal: AbortSignal | undefined) {
  const { status, body } = await post(
    deps,
    '/api/accounts/deviceauth/usercode',
    json({ client_id: CLIENT_ID }),
    signal,
  )
  if (status !== 200) throw refused('The login server did not issue a device code', status, body)
  const device = deviceSchema.safeParse(body)
  if (!device.success) throw incomplete('device_auth_id')
  const userCode = device.data.user_code ?? device.data.usercode
  if (userCode === undefined) throw incomplete('user_code')
  const seconds = Number(device.data.interval ?? Number.NaN)
  const intervalMs = Number.isFinite(seconds) ? seconds * 1000 : DEFAULT_INTERVAL_MS
  return {
    deviceAuthId: device.data.device_auth_id,
    /** What the user types in. */
    userCode,
    /** Page where the user types it in. */
    url: `${deps.endpoints.issuer}/codex/device`,
    /** Pause between two polls. */
    intervalMs: Math.min(Math.max(intervalMs, MIN_INTERVAL_MS), MAX_INTERVAL_MS),
  }
}

/**
 * One poll.
 * @throws CodexError `oauth_failed` when the server refuses the login, `login_cancelled` when the signal aborts
 */
export async function pollDevice(
  deps: OAuthDeps,
  { deviceAuthId, userCode }: DeviceStart,
  signal: AbortSignal | undefined,
): Promise<DeviceAnswer> {
  let answer: Answer
  try {
    answer = await post(
      deps,
      '/api/accounts/deviceauth/token',
      json({ device_auth_id: deviceAuthId, user_code: userCode }),
      signal,
    )
  } catch (error) {
    if (signal?.aborted === true) throw error
    return { kind: 'unavailable', why: messageOf(error).replace(/\.$/, '') }
  }
  const { status, body } = answer
  const grant = isSuccess(status) ? deviceGrantSchema.safeParse(body).data : undefined
  if (grant !== undefined)
    return { kind: 'granted', code: grant.authorization_code, verifier: grant.code_verifier }
  const { kind, code } = classifyCode(status, body)
  // The server says "not yet" with these two statuses as well as with a code.
  if (status === 403 || status === 404 || kind === 'pending') return { kind: 'pending' }
  if ((status === 400 || status === 401) && code !== undefined)
    throw refused('The login server refused the device code', status, body)
  return {
    kind: 'unavailable',
    why: `The login server answered with status ${status} and without a code`,
  }
}
