import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import {
  classifyEvent,
  classifyResponse,
  classifyThrown,
} from '../../lib/request/failures/classify.js'
import { errorOf, type FailureKind } from '../../lib/request/failures/failures.js'
import { HeaderTimeout } from '../../lib/request/transport/http.js'
import { UNKNOWN_RESET_HOLD_MS } from '../../lib/routing/eligibility.js'

const NOW = 1_800_000_000_000
const judge = (status: number, body: unknown, headers: Record<string, string> = {}) =>
  classifyResponse({
    status,
    headers: new Headers(headers),
    bodyText: typeof body === 'string' ? body : JSON.stringify(body),
    model: 'gpt-5.5',
    limitId: 'codex',
    nowMs: NOW,
  })

describe('classifyResponse', () => {
  const cases: readonly [string, number, unknown, FailureKind][] = [
    [
      'a used-up limit',
      429,
      {
        error: {
          type: 'usage_limit_reached',
          message: 'The usage limit has been reached',
          plan_type: 'plus',
          resets_at: NOW / 1000 + 60,
        },
      },
      'usage_limit',
    ],
    [
      'a used-up limit behind a 404',
      404,
      { error: { code: 'usage_limit_reached' } },
      'usage_limit',
    ],
    ['a plan without Codex', 429, { error: { type: 'usage_not_included' } }, 'usage_not_included'],
    [
      'a short request limit',
      429,
      { error: { code: 'rate_limit_exceeded', message: 'slow down' } },
      'rate_limit',
    ],
    ['a 429 that says nothing', 429, '', 'rate_limit'],
    ['an ended token', 401, { error: { code: 'token_expired' } }, 'unauthorized'],
    ['a bare 401', 401, '', 'unauthorized'],
    [
      'a workspace that was switched off',
      402,
      { detail: { code: 'deactivated_workspace' } },
      'workspace_deactivated',
    ],
    ['a refusal', 403, { detail: 'Forbidden' }, 'forbidden'],
    ['a page of a guard', 403, '<html>Just a moment…</html>', 'forbidden'],
    [
      'a model the account may not use',
      400,
      { detail: "The 'x' model is not supported when using Codex with a ChatGPT account." },
      'model_not_supported',
    ],
    [
      'reasoning of another account',
      400,
      { error: { code: 'invalid_encrypted_content', message: 'x' } },
      'invalid_encrypted_content',
    ],
    [
      'a conversation that is too long',
      400,
      { error: { code: 'context_length_exceeded' } },
      'context_too_long',
    ],
    ['a body that is too large', 413, '', 'context_too_long'],
    ['content that is refused', 400, { error: { code: 'cyber_policy' } }, 'policy_refused'],
    ['a request of wrong form', 400, { detail: 'Store must be set to false' }, 'bad_request'],
    ['an overloaded backend', 503, { error: { code: 'server_is_overloaded' } }, 'overloaded'],
    ['a failure', 500, 'oops', 'server_error'],
    ['a gateway', 502, '<html>', 'server_error'],
    [
      'a host that does not know the path',
      404,
      { error: { type: 'invalid_request_error', message: 'Unknown request URL' } },
      'server_error',
    ],
    [
      'a model that does not exist',
      404,
      { error: { code: 'model_not_found' } },
      'model_not_supported',
    ],
  ]
  it.each(cases)('names %s', (_name, status, body, kind) => {
    expect(judge(status, body).kind).toBe(kind)
  })

  it('takes the end of a limit from the body before anything else', () => {
    const { block } = judge(
      429,
      { error: { type: 'usage_limit_reached', resets_at: NOW / 1000 + 90 } },
      { 'retry-after': '5' },
    )
    expect(block).toMatchObject({ scope: 'limit:codex', untilMs: NOW + 90_000 })
  })

  it('takes the reset of the window that is used up, never that of one with room', () => {
    const headers = {
      'x-codex-primary-used-percent': '12',
      'x-codex-primary-window-minutes': '300',
      'x-codex-primary-reset-at': String(NOW / 1000 + 100),
      'x-codex-secondary-used-percent': '100',
      'x-codex-secondary-window-minutes': '10080',
      'x-codex-secondary-reset-at': String(NOW / 1000 + 5_000),
    }
    expect(judge(429, { error: { type: 'usage_limit_reached' } }, headers).block).toMatchObject({
      untilMs: NOW + 5_000_000,
      detail: 'weekly limit',
    })
  })

  it('blocks the family the backend counted against', () => {
    expect(
      judge(
        429,
        { error: { type: 'usage_limit_reached' } },
        { 'x-codex-active-limit': 'codex-bengalfox' },
      ).block?.scope,
    ).toBe('limit:codex_bengalfox')
  })

  it('gives a limit without an end a short one', () => {
    expect(judge(429, { error: { type: 'usage_limit_reached' } }).block?.untilMs).toBe(
      NOW + UNKNOWN_RESET_HOLD_MS,
    )
  })

  it.each([
    [{ 'retry-after': '7' }, 7_000],
    [{ 'retry-after-ms': '250' }, 250],
    [{ 'retry-after': new Date(NOW + 30_000).toUTCString() }, 30_000],
  ])('reads the pause asked for in %j', (headers, expected) => {
    expect(judge(503, '', headers as Record<string, string>).retryAfterMs).toBe(expected)
  })

  it.each([
    ['1.5s', 1_500],
    ['250ms', 250],
    ['20 seconds', 20_000],
    ['1 second', 1_000],
    ['2m', 120_000],
    ['3 minutes', 180_000],
    ['1 Minute', 60_000],
    ['5 days', undefined],
  ])('reads the pause of a sentence in its unit: %s', (pause, expected) => {
    expect(
      judge(429, {
        error: { code: 'rate_limit_exceeded', message: `Please try again in ${pause}.` },
      }).retryAfterMs,
    ).toBe(expected)
  })

  it('never throws, ends every block within 32 days, and shows no secret', () => {
    const secret = `eyJ${'x'.repeat(12)}.${'y'.repeat(12)}.${'z'.repeat(12)}`
    const bodies = fc.oneof(
      fc.string(),
      fc.json(),
      fc
        .record({
          error: fc.record({
            type: fc.constantFrom('usage_limit_reached', 'x'),
            resets_at: fc.oneof(fc.double(), fc.integer()),
            resets_in_seconds: fc.integer(),
            message: fc.constant(`token ${secret}`),
          }),
        })
        .map((body) => JSON.stringify(body)),
    )
    fc.assert(
      fc.property(
        fc.integer({ min: 400, max: 599 }),
        bodies,
        fc.stringMatching(/^[ -~]{0,12}$/),
        (status, bodyText, header) => {
          const failure = classifyResponse({
            status,
            headers: new Headers({ 'retry-after': header, 'x-codex-primary-used-percent': header }),
            bodyText,
            model: 'm',
            limitId: 'codex',
            nowMs: NOW,
          })
          if (failure.block !== undefined) {
            expect(failure.block.untilMs).toBeGreaterThan(NOW)
            expect(failure.block.untilMs).toBeLessThanOrEqual(NOW + 32 * 86_400_000)
          }
          expect(failure.message ?? '').not.toContain(secret)
          expect(errorOf(failure, { label: 'Account 1', nowMs: NOW }).message).toMatch(/\S/)
        },
      ),
    )
  })
})

describe('classifyEvent', () => {
  const event = (value: unknown) =>
    classifyEvent({
      event: value,
      headers: new Headers(),
      model: 'm',
      limitId: 'codex',
      nowMs: NOW,
    })

  it.each([
    [
      {
        type: 'response.failed',
        response: { error: { code: 'rate_limit_exceeded', message: 'try again in 20s' } },
      },
      'rate_limit',
    ],
    [
      { type: 'response.failed', response: { error: { code: 'context_length_exceeded' } } },
      'context_too_long',
    ],
    [
      { type: 'response.failed', response: { error: { code: 'server_is_overloaded' } } },
      'overloaded',
    ],
    [{ type: 'response.failed', response: { error: { code: 'something_new' } } }, 'server_error'],
    [{ type: 'error', code: 'insufficient_quota' }, 'quota_exceeded'],
    [
      {
        type: 'error',
        status: 429,
        error: { type: 'usage_limit_reached', resets_at: NOW / 1000 + 9 },
      },
      'usage_limit',
    ],
    [{ type: 'error', status: 401, error: { message: 'x' } }, 'unauthorized'],
  ])('names %j', (value, kind) => {
    expect(event(value).kind).toBe(kind)
  })

  it('never throws', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(event(value).kind).toBeTruthy()
      }),
    )
  })
})

describe('classifyThrown', () => {
  it('tells a missing answer and the network apart', () => {
    expect(classifyThrown(new HeaderTimeout())).toEqual({ kind: 'header_timeout' })
    const cause = Object.assign(new Error('x'), { code: 'ECONNREFUSED' })
    expect(classifyThrown(new TypeError('fetch failed', { cause }))).toEqual({
      kind: 'network',
      code: 'econnrefused',
    })
  })
})
