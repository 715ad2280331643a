import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { parsedJson } from '../../lib/kernel/text/json.js'
import { readClaims } from '../../lib/oauth/claims.js'
import { parseRefreshResponse } from '../../lib/oauth/oauth-client.js'
import {
  expiryOf,
  LONGEST_LIFETIME_MS,
  parseTokenSet,
  UNKNOWN_LIFETIME_MS,
} from '../../lib/oauth/token-set.js'

const NOW = Date.UTC(2026, 10, 28)
const judge = (
  status: number,
  text: string,
  retryAfter: string | null = null,
): ReturnType<typeof parseRefreshResponse> =>
  parseRefreshResponse({ status, body: parsedJson(text), retryAfter }, 'rt_old', NOW)
const jwt = (claims: unknown): string =>
  `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.s`
const anything = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom(null, '', 0, -1, 1e308, '3600', 'NaN', [], {}, true, '\u0000'),
)
const token = fc.stringMatching(/^[\w.~+/=-]{1,80}$/)

describe('the answer to a refresh', () => {
  it.each([
    ['"id_token": null', { id_token: null }],
    ['an id_token that is an object', { id_token: { a: 1 } }],
    ['an id_token that is an empty text', { id_token: '' }],
    ['a scope that is a list', { scope: ['openid'] }],
    ['a scope of null', { scope: null }],
    ['expires_in as an object', { expires_in: {} }],
    ['token_type as a number', { token_type: 7 }],
  ])('with %s keeps the new tokens (a login was lost by it)', (_name, odd) => {
    expect(
      judge(200, JSON.stringify({ access_token: 'at', refresh_token: 'rt_new', ...odd })),
    ).toMatchObject({ kind: 'rotated', tokens: { accessToken: 'at', refreshToken: 'rt_new' } })
  })

  it.each([null, '', '  ', 5, {}, [], false])(
    'with "refresh_token": %j counts as not rotated, and the one that was spent stays',
    (refresh_token) => {
      expect(judge(200, JSON.stringify({ access_token: 'at', refresh_token }))).toMatchObject({
        kind: 'rotated',
        tokens: { accessToken: 'at', refreshToken: 'rt_old' },
      })
    },
  )

  it('that brings only a new refresh token keeps it, for the old one is dead', () => {
    const outcome = judge(200, JSON.stringify({ refresh_token: 'rt_new', access_token: null }))
    expect(outcome).toMatchObject({ kind: 'rotated', tokens: { refreshToken: 'rt_new' } })
    expect(outcome.kind === 'rotated' && outcome.tokens.accessToken).toBeUndefined()
  })

  it('never loses good tokens, whatever stands beside them', () => {
    const beside = fc.dictionary(
      fc.oneof(
        fc.constantFrom(
          'id_token',
          'expires_in',
          'scope',
          'token_type',
          'error',
          'code',
          '__proto__',
        ),
        fc.string(),
      ),
      anything,
    )
    fc.assert(
      fc.property(
        beside,
        token,
        token,
        fc.constantFrom(200, 201, 203),
        (odd, accessToken, refreshToken, status) => {
          const outcome = judge(
            status,
            JSON.stringify({ ...odd, access_token: accessToken, refresh_token: refreshToken }),
          )
          expect(outcome).toMatchObject({ kind: 'rotated', tokens: { accessToken, refreshToken } })
          const { expiresAt = Number.NaN } = outcome.kind === 'rotated' ? outcome.tokens : {}
          expect(Number.isNaN(new Date(expiresAt).getTime())).toBe(false)
          expect(expiresAt).toBeGreaterThan(NOW)
          expect(expiresAt).toBeLessThanOrEqual(NOW + LONGEST_LIFETIME_MS)
        },
      ),
      { numRuns: 2_000 },
    )
  })

  it('never throws, and ends a login only by a code it knows, whatever comes back', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.json()),
        fc.integer({ min: 200, max: 599 }),
        (text, status) => {
          expect(judge(status, text).kind).not.toBe('refused')
        },
      ),
      { numRuns: 2_000 },
    )
  })
})

describe('a refusal for good', () => {
  const codes = [
    'invalid_grant',
    'refresh_token_expired',
    'refresh_token_reused',
    'refresh_token_invalidated',
  ]
  const places: readonly [string, (code: string) => unknown][] = [
    ['in error.code', (code) => ({ error: { code, message: 'no' } })],
    ['in error itself', (code) => ({ error: code, code: 401 })],
    ['at the top', (code) => ({ code })],
    ['at the top, beside another in error', (code) => ({ error: 'unauthorized', code })],
    ['at the top, beside an error of null', (code) => ({ error: null, code })],
    ['in error.code, beside a code that is a number', (code) => ({ error: { code }, code: 5 })],
  ]
  it.each(
    codes.flatMap((code) =>
      places.flatMap(([where, body]) =>
        [400, 401].map((status) => [status, code, where, body(code)] as const),
      ),
    ),
  )('is status %i with %s %s', (status, code, _where, body) => {
    expect(judge(status, JSON.stringify(body))).toEqual({ kind: 'refused', code })
  })

  it.each([
    ['a 401 page of a proxy', 401, '<html>Proxy authentication</html>'],
    ['a 401 without a known code', 401, '{"error":"unauthorized"}'],
    ['a 401 without anything', 401, ''],
    ['a 503 with invalid_grant', 503, '{"error":"invalid_grant"}'],
    ['a 500 with invalid_grant', 500, '{"error":{"code":"invalid_grant"}}'],
    ['a 403 with invalid_grant', 403, '{"error":"invalid_grant"}'],
    ['a 407', 407, '<html></html>'],
    ['a redirect to a login page', 302, ''],
    ['a 429', 429, '{"error":{"code":"rate_limited"}}'],
    ['a page of a captive portal', 200, '<html>Welcome to the hotel</html>'],
    ['a 200 with an error in it', 200, '{"error":"invalid_grant"}'],
    ['a 200 that was cut off', 200, '{"access_token":"at","refresh_tok'],
    ['a 400 whose page speaks of invalid_grant', 400, 'invalid_grant'],
    ['a code nobody knows', 400, '{"error":{"code":"invalid_grant_request"}}'],
  ])('is not %s: the login goes on', (_name, status, text) => {
    expect(judge(status, text).kind).toBe('failed')
  })

  it.each([
    [200, 'the page of a portal', false],
    [502, 'a gateway that lost the answer', false],
    [504, 'a gateway that waited too long', false],
    [302, 'a redirect', true],
    [407, 'a proxy that asks for a password', true],
    [401, 'a refusal without a code', true],
    [429, 'too many requests', true],
  ])('status %i, %s, leaves the token surely unspent: %s', (status, text, answered) => {
    expect(judge(status, `<html>${text}</html>`)).toMatchObject({ kind: 'failed', answered })
  })

  it('waits as the server asks, in seconds or until a date', () => {
    expect(judge(429, '', '7')).toMatchObject({ retryAfterMs: 7_000 })
    expect(judge(503, '', new Date(NOW + 9_000).toUTCString())).toMatchObject({
      retryAfterMs: 9_000,
    })
    for (const odd of ['', 'soon', '-5', 'Infinity', '1e999'])
      expect(judge(429, '', odd)).not.toHaveProperty('retryAfterMs')
  })
})

describe('the end of a token', () => {
  it.each([
    [3600, 3_600_000],
    ['3600', 3_600_000],
    [' 3600 ', 3_600_000],
    [1, 1_000],
    [0, UNKNOWN_LIFETIME_MS],
    [-1, UNKNOWN_LIFETIME_MS],
    [1e-9, UNKNOWN_LIFETIME_MS],
    [Number.NaN, UNKNOWN_LIFETIME_MS],
    ['NaN', UNKNOWN_LIFETIME_MS],
    ['soon', UNKNOWN_LIFETIME_MS],
    ['', UNKNOWN_LIFETIME_MS],
    [null, UNKNOWN_LIFETIME_MS],
    [true, UNKNOWN_LIFETIME_MS],
    [[3600], UNKNOWN_LIFETIME_MS],
    [1e308, LONGEST_LIFETIME_MS],
    [Infinity, LONGEST_LIFETIME_MS],
    [1e15, LONGEST_LIFETIME_MS],
  ])('with expires_in of %j is %i ms from now', (expiresIn, ms) => {
    expect(expiryOf(expiresIn, 'opaque', NOW)).toBe(NOW + ms)
  })

  it.each([
    ['a good exp', { exp: NOW / 1000 + 60 }, 60_000],
    ['an exp as text', { exp: String(NOW / 1000 + 60) }, 60_000],
    ['an exp that no date can show', { exp: 1e308 }, UNKNOWN_LIFETIME_MS],
    ['an exp of minus one', { exp: -1 }, UNKNOWN_LIFETIME_MS],
    ['an exp in the past and no more', { exp: 1 }, UNKNOWN_LIFETIME_MS],
    [
      'an exp in the past by a clock that is wrong, and when it was made',
      { exp: 5_000, iat: 4_000 },
      1_000_000,
    ],
    ['an exp in ten thousand years', { exp: NOW / 1000 + 3e11 }, UNKNOWN_LIFETIME_MS],
    ['an exp that is a list', { exp: [1] }, UNKNOWN_LIFETIME_MS],
  ])('is taken from the token with %s', (_name, claims, ms) => {
    expect(expiryOf(undefined, jwt(claims), NOW)).toBe(NOW + ms)
  })

  it('comes from the token where the server names an impossible one', () => {
    expect(expiryOf(1e308, jwt({ exp: NOW / 1000 + 60 }), NOW)).toBe(NOW + 60_000)
  })

  it('is a date for every claim', () => {
    fc.assert(
      fc.property(anything, anything, (exp, iat) => {
        const { expiresAtMs = 0, issuedAtMs = 0 } = readClaims(jwt({ exp, iat }))
        for (const ms of [expiresAtMs, issuedAtMs])
          expect(() => new Date(ms).toISOString()).not.toThrow()
      }),
    )
  })

  it('of an answer that is no object is none', () => {
    for (const body of [null, undefined, 5, 'text', [], [{ access_token: 'at' }]])
      expect(parseTokenSet(body, NOW)).toBeUndefined()
  })
})
