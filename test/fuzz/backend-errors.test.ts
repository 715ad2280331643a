import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { ask, goodAnswer, MISSING, recordsIn, SECRET, withCore } from './fake-backend.js'
import { runs, timeFor } from './runs.js'

const code = fc.constantFrom(
  'usage_limit_reached',
  'rate_limit_exceeded',
  'usage_not_included',
  'server_is_overloaded',
  'context_length_exceeded',
  'invalid_prompt',
  'invalid_encrypted_content',
  'model_not_found',
  'token_expired',
  'token_revoked',
  'account_deactivated',
  'deactivated_workspace',
  'unheard_of',
  '',
  null,
  7,
)
const seconds = fc.constantFrom(0, 1, -5, 1.5, 1e15, '12', 'soon', null, {})
const message = fc.oneof(
  fc.constantFrom(
    '',
    'busy',
    `\u001b[31mred`,
    '‮reversed',
    '<script>',
    'x'.repeat(5_000),
    'token at-secret-a',
  ),
  fc.string({ unit: 'binary' }),
)
const body = fc.oneof(
  fc
    .record({
      error: fc.record(
        {
          code,
          type: code,
          message,
          resets_in_seconds: seconds,
          resets_at: seconds,
          plan_type: fc.constantFrom('plus', null, 3),
        },
        { requiredKeys: [] },
      ),
    })
    .map((value) => JSON.stringify(value)),
  fc
    .record({ detail: fc.oneof(message, fc.record({ code, message })) })
    .map((value) => JSON.stringify(value)),
  fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.stringify(value)),
  fc.constantFrom(
    '',
    '<html><title>502 Bad Gateway</title></html>',
    '{"error":',
    'null',
    '[]',
    'x'.repeat(300_000),
    '{"error":'.repeat(2_000),
  ),
  fc.string({ unit: 'binary' }),
)
const header = fc.dictionary(
  fc.constantFrom(
    'retry-after',
    'retry-after-ms',
    'x-codex-primary-used-percent',
    'x-codex-primary-reset-after-seconds',
    'x-codex-primary-window-minutes',
    'x-codex-secondary-used-percent',
    'x-codex-credits-balance',
    'x-should-retry',
    'content-type',
    'x-request-id',
    'cf-ray',
    'content-length',
    'x-codex-rate-limit-reached-type',
  ),
  fc.constantFrom(
    '0',
    '1',
    '-1',
    '100',
    '1e9',
    'NaN',
    '',
    'soon',
    'application/json',
    'text/html',
    'text/event-stream',
    'Thu, 01 Jan 1970 00:00:00 GMT',
    'Fri, 31 Dec 9999 23:59:59 GMT',
    'true',
    'x'.repeat(500),
  ),
  { maxKeys: 5 },
)
const status = fc.oneof(
  fc.constantFrom(
    200,
    400,
    401,
    402,
    403,
    404,
    408,
    409,
    413,
    422,
    429,
    451,
    500,
    502,
    503,
    504,
    520,
    529,
  ),
  fc.integer({ min: 400, max: 599 }),
)
/** One good try, one for each account and a few for what may pass by itself. */
const MOST_TRIES = 12

/** Commands to a terminal, and marks that turn the direction of what follows. */
const UNSHOWABLE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/

describe('errors of the backend', () => {
  it(
    'of every status, header and body become one readable answer, cost a bounded number of tries and no login',
    async () => {
      await fc.assert(
        fc.asyncProperty(
          status,
          header,
          body,
          fc.boolean(),
          async (code, headers, text, isEverybody) => {
            const { 'content-length': _length, ...sendable } = headers
            await withCore(
              [{ name: 'a' }, { name: 'b' }],
              ({ path, account }) => {
                if (path === '/oauth/token')
                  return Response.json({
                    access_token: 'at-secret-a-new',
                    refresh_token: 'rt-secret-a-new',
                    expires_in: 3_600,
                  })
                if (!path.endsWith('/codex/responses')) return MISSING.clone()
                return isEverybody || account.startsWith('a')
                  ? new Response(text, { status: code, headers: sendable })
                  : goodAnswer('ok')
              },
              async ({ core, asked, accountsFile, said }) => {
                const answer = await ask(core)
                expect(asked.length).toBeGreaterThan(0)
                expect(asked.length).toBeLessThanOrEqual(MOST_TRIES)
                if (answer.status !== 200) {
                  expect(answer.status).toBeGreaterThanOrEqual(400)
                  const { error } = JSON.parse(answer.text) as { error: { message: string } }
                  expect(error.message.trim()).not.toBe('')
                  expect(error.message.length).toBeLessThan(2_000)
                  expect(error.message).not.toMatch(UNSHOWABLE)
                  expect(error.message).not.toMatch(/\n\s+at |\[object |\bNaN\b|Invalid Date/)
                }
                expect(said.join('\n')).not.toMatch(UNSHOWABLE)
                expect(answer.text + said.join('\n')).not.toMatch(SECRET)
                for (const record of await recordsIn(accountsFile))
                  expect(record.refreshToken).toMatch(/^rt-secret-/)
              },
              { CODEX_AUTH_RETRY_PROFILE: 'conservative' },
            )
          },
        ),
        runs(40),
      )
    },
    timeFor(40),
  )
})
