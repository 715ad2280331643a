import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { ask, goodAnswer, recordsIn, SECRET, withCore } from './fake-backend.js'
import { runs, timeFor } from './runs.js'

/** What a server may put into a field that is none of our business. */
const anything = fc.oneof(fc.constant(undefined), fc.constant(null), fc.jsonValue({ maxDepth: 1 }))
const times = fc.oneof(
  anything,
  fc.constantFrom(0, -1, 1, 3_600, 1e12, 1e308, '3600', '', 'soon', Number.MAX_SAFE_INTEGER),
  fc.double(),
)
const extras = fc.record({
  id_token: anything,
  scope: anything,
  token_type: anything,
  expires_in: times,
  account: anything,
  error: fc.constant(null),
})
const headers = fc.constantFrom<Record<string, string>>(
  { 'content-type': 'application/json' },
  { 'content-type': 'text/html' },
  {},
  {
    'content-type': 'application/json; charset=utf-8',
    'retry-after': 'Thu, 01 Jan 1970 00:00:00 GMT',
  },
)

const PERMANENT = [
  'refresh_token_expired',
  'refresh_token_reused',
  'refresh_token_invalidated',
  'invalid_grant',
]
/** Answers without tokens. None of them but a known code on 400 or 401 says that the login has ended. */
const refusal = fc.record({
  status: fc.constantFrom(
    400,
    401,
    402,
    403,
    404,
    407,
    408,
    409,
    418,
    429,
    500,
    502,
    503,
    504,
    511,
    200,
  ),
  headers,
  body: fc.oneof(
    fc.constantFrom(
      '',
      'null',
      '[]',
      '{}',
      '"ok"',
      '<html>invalid_grant refresh_token_reused</html>',
      '{"error":"temporarily_unavailable"}',
      '{"access_token":""}',
      '{"access_token":null,"refresh_token":"x"}',
      '{"error":{"code":"rate_limit"}}',
      '{"error":',
    ),
    fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.stringify(value)),
    fc.string({ unit: 'binary' }),
  ),
})

describe('answers of the token endpoint', () => {
  it(
    'that hold new tokens are kept, whatever the other fields are (a login was lost by `"id_token": null`)',
    async () => {
      await fc.assert(
        fc.asyncProperty(extras, headers, async (extra, given) => {
          let spent = 0
          await withCore(
            [{ name: 'a', isExpired: true }],
            ({ path, body }) => {
              if (path !== '/oauth/token')
                return path.endsWith('/codex/responses')
                  ? goodAnswer('ok')
                  : new Response('{}', { status: 404 })
              spent += body.includes('"rt-secret-a"') ? 1 : 0
              return new Response(
                JSON.stringify({
                  ...extra,
                  access_token: 'at-secret-a-new',
                  refresh_token: 'rt-secret-a-new',
                }),
                { status: 200, headers: given },
              )
            },
            async ({ core, accountsFile, said }) => {
              const { status, text } = await ask(core)
              expect(status, text).toBe(200)
              const [record] = await recordsIn(accountsFile)
              expect(record).toMatchObject({
                refreshToken: 'rt-secret-a-new',
                accessToken: 'at-secret-a-new',
              })
              expect(record?.needsLogin).toBeUndefined()
              expect(record?.expiresAt).toSatisfy((value) => Number.isFinite(value))
              expect(spent).toBe(1)
              expect(said.join('\n')).not.toMatch(SECRET)
            },
          )
        }),
        runs(40),
      )
    },
    timeFor(40),
  )

  it(
    'that hold none end no login by themselves, and another account serves meanwhile',
    async () => {
      await fc.assert(
        fc.asyncProperty(refusal, async ({ status, headers: given, body }) => {
          await withCore(
            [{ name: 'a', isExpired: true }, { name: 'b' }],
            ({ path }) =>
              path === '/oauth/token'
                ? new Response(body, { status, headers: given })
                : path.endsWith('/codex/responses')
                  ? goodAnswer('ok')
                  : new Response('{}', { status: 404 }),
            async ({ core, accountsFile, said }) => {
              const answer = await ask(core)
              expect(answer.status, answer.text).toBe(200)
              const [record] = await recordsIn(accountsFile)
              // A new refresh token alone is worth keeping: the old one is spent.
              expect(record?.refreshToken).toBe(successorIn(status, body) ?? 'rt-secret-a')
              if (!saysItEnded(status, body))
                expect(record?.needsLogin, `${status} ${body}`).toBeUndefined()
              expect(said.join('\n')).not.toMatch(SECRET)
            },
          )
        }),
        runs(40),
      )
    },
    timeFor(40),
  )

  it.each(
    PERMANENT.flatMap((code) => [
      { status: 400, code },
      { status: 401, code },
    ]),
  )('ends the login with $code on $status, and says so', async ({ status, code }) => {
    const answer = code === 'invalid_grant' ? { error: code } : { error: { code, message: 'no' } }
    await withCore(
      [{ name: 'a', isExpired: true }, { name: 'b' }],
      ({ path }) =>
        path === '/oauth/token'
          ? Response.json(answer, { status })
          : path.endsWith('/codex/responses')
            ? goodAnswer('ok')
            : new Response('{}', { status: 404 }),
      async ({ core, accountsFile }) => {
        expect((await ask(core)).status).toBe(200)
        expect(
          (await recordsIn(accountsFile)).map(({ needsLogin }) => needsLogin !== undefined),
        ).toEqual([true, false])
      },
    )
  })
})

function successorIn(status: number, body: string): string | undefined {
  if (status !== 200) return undefined
  try {
    const token = (JSON.parse(body) as { refresh_token?: unknown } | null)?.refresh_token
    return typeof token === 'string' && token !== '' ? token : undefined
  } catch {
    return undefined
  }
}

function saysItEnded(status: number, body: string): boolean {
  if (status !== 400 && status !== 401) return false
  try {
    const value = JSON.parse(body) as { error?: unknown; code?: unknown } | null
    const error = value?.error
    const codes = [
      error,
      value?.code,
      typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined,
    ]
    return codes.some((code) => PERMANENT.includes(String(code)))
  } catch {
    return false
  }
}
