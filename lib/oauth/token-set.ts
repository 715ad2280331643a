import { dropUndefined } from '../kernel/drop-undefined.js'
import { isRecord } from '../kernel/text/json.js'
import { readClaims } from './claims.js'

/** Tokens of one login as the token endpoint issues them. What the server left out keeps its old value. */
export interface TokenSet {
  /** Absent when the server sent a new refresh token alone: the access token stays as it was then. */
  readonly accessToken?: string
  /** The refresh token valid from now on; equals the spent one when the server did not rotate. */
  readonly refreshToken: string
  /** Tells who signed in; never stored. */
  readonly idToken?: string
  /** End of the access token, epoch ms; comes and goes with it. Always a time that a date can show, and later than now. */
  readonly expiresAt?: number
  readonly oauthScope?: string
  readonly planType?: string
}

/** Lifetime of a token that does not say when it ends; short, because a wrong guess costs only one refresh. */
export const UNKNOWN_LIFETIME_MS = 30 * 60_000
/** A shorter lifetime is a mistake: believed, it would mean a refresh per request. */
const SHORTEST_LIFETIME_MS = 1_000
/** A longer lifetime is a mistake too: believed, the token would never be renewed ahead of its end. */
export const LONGEST_LIFETIME_MS = 30 * 24 * 3_600_000

/**
 * Reads the tokens of a 2xx answer. A token that is good is never lost because of what stands beside it: a bad field is
 * as if it were not there. Pure.
 * @param body the parsed JSON, whatever it is
 * @returns undefined when there is neither an access token nor a refresh token in it
 */
export function parseTokenSet(body: unknown, nowMs: number): Partial<TokenSet> | undefined {
  if (!isRecord(body)) return undefined
  const accessToken = tokenIn(body.access_token)
  const refreshToken = tokenIn(body.refresh_token)
  if (accessToken === undefined && refreshToken === undefined) return undefined
  const idToken = tokenIn(body.id_token)
  return dropUndefined({
    accessToken,
    refreshToken,
    idToken,
    oauthScope: typeof body.scope === 'string' && body.scope !== '' ? body.scope : undefined,
    planType: readClaims(accessToken ?? '').planType ?? readClaims(idToken ?? '').planType,
    expiresAt:
      accessToken === undefined ? undefined : expiryOf(body.expires_in, accessToken, nowMs),
  })
}

/**
 * When an access token ends: by what the server says of it, else by what it says of itself, else after a guess. Pure.
 * @param expiresIn seconds, as they came
 * @returns epoch ms
 */
export function expiryOf(expiresIn: unknown, accessToken: string, nowMs: number): number {
  const saidMs = (numberIn(expiresIn) ?? Number.NaN) * 1000
  if (isLifetime(saidMs)) return nowMs + saidMs
  const { expiresAtMs, issuedAtMs } = readClaims(accessToken)
  if (expiresAtMs !== undefined) {
    if (isLifetime(expiresAtMs - nowMs)) return expiresAtMs
    // The two clocks may disagree about now; how long the token lives does not depend on either.
    if (issuedAtMs !== undefined && isLifetime(expiresAtMs - issuedAtMs))
      return nowMs + expiresAtMs - issuedAtMs
  }
  return nowMs + (saidMs > LONGEST_LIFETIME_MS ? LONGEST_LIFETIME_MS : UNKNOWN_LIFETIME_MS)
}

/**
 * What an error answer means for the grant: `permanent` ends it, `pending` asks for patience (RFC 8628 §3.5), and
 * `transient` says nothing about it.
 */
type ErrorClass = 'permanent' | 'pending' | 'transient'

/** Codes that mean that a grant is dead and stays dead; see docs/development/facts/oauth.md#refresh-errors. */
const PERMANENT_CODES = new Set([
  'invalid_grant',
  'refresh_token_expired',
  'refresh_token_reused',
  'refresh_token_invalidated',
])
const PENDING_CODE = /pending|slow_down/

/**
 * Classifies an error answer of the login server, with the code that decided it or else the nearest one. Only its own
 * JSON on the two statuses it uses ends a grant: pages of proxies, gateways and captive portals say nothing about a
 * login. Pure.
 */
export function classifyCode(
  status: number,
  body: unknown,
): { readonly kind: ErrorClass; readonly code: string | undefined } {
  const codes = codesIn(body)
  const permanent = codes.find((code) => PERMANENT_CODES.has(code))
  if (permanent !== undefined && (status === 400 || status === 401))
    return { kind: 'permanent', code: permanent }
  const pending = codes.find((code) => PENDING_CODE.test(code))
  return pending === undefined
    ? { kind: 'transient', code: codes[0] }
    : { kind: 'pending', code: pending }
}

/** The codes of an error answer, the nearest first: at `error.code`, in `error` itself, at the top. */
function codesIn(body: unknown): string[] {
  if (!isRecord(body)) return []
  const { error } = body
  const inner = isRecord(error) ? [error.code, error.type, error.error] : [error]
  return [...inner, body.code].filter(
    (code): code is string => typeof code === 'string' && /^[\w.-]{1,80}$/.test(code),
  )
}

/** Any text but a blank one, as it came; control characters would break the header it goes into. */
function tokenIn(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' && !/\p{Cc}/u.test(value)
    ? value
    : undefined
}

/** A number, also one that came as text. */
function numberIn(value: unknown): number | undefined {
  if (typeof value === 'number') return value
  return typeof value === 'string' && /^\s*\d+(?:\.\d+)?\s*$/.test(value)
    ? Number(value)
    : undefined
}

function isLifetime(ms: number): boolean {
  return ms >= SHORTEST_LIFETIME_MS && ms <= LONGEST_LIFETIME_MS
}
