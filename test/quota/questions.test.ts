import { describe, expect, it } from 'vitest'

import { listResetCredits, redeemResetCredit } from '../../lib/quota/reset-credits.js'
import { readUsage } from '../../lib/quota/usage-client.js'

const NOW = 1_800_000_000_000
const CALLER = { token: 'at_test', accountId: 'acct_test_a' }

type Reply = { readonly status?: number; readonly body?: unknown } | Error

/** A backend that gives these replies in turn, and what it was asked. */
function backend(...replies: readonly Reply[]) {
  const asked: { url: string; init: RequestInit }[] = []
  const rest = [...replies]
  const fetch = async (url: string, init: RequestInit = {}): Promise<Response> => {
    asked.push({ url, init })
    init.signal?.throwIfAborted()
    const reply = rest.shift()
    if (reply === undefined) throw new Error('asked more often than expected')
    if (reply instanceof Error) throw reply
    const text = typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body ?? {})
    return new Response(text, { status: reply.status ?? 200 })
  }
  const deps = {
    fetch: fetch as typeof globalThis.fetch,
    backend: 'https://backend.test/api',
    userAgent: 'plugin/1',
    now: () => NOW,
  }
  return { asked, deps }
}

const refused = (code: string): Error =>
  new TypeError('fetch failed', { cause: Object.assign(new Error(code), { code }) })

const USAGE = { plan_type: 'plus', rate_limit: { primary_window: { used_percent: 40 } } }

describe('the question for quota', () => {
  it('goes to the first address with the login of the account, follows no redirect, and is answered from there', async () => {
    const { asked, deps } = backend({ body: USAGE })
    expect(await readUsage(deps, CALLER)).toMatchObject({
      planType: 'plus',
      limits: [{ limitId: 'codex', windows: [{ usedPercent: 40, observedAtMs: NOW }] }],
    })
    expect(asked.map(({ url }) => url)).toEqual(['https://backend.test/api/wham/usage'])
    expect(asked[0]?.init).toMatchObject({
      redirect: 'error',
      headers: {
        authorization: 'Bearer at_test',
        accept: 'application/json',
        'user-agent': 'plugin/1',
        'chatgpt-account-id': 'acct_test_a',
      },
    })
  })

  it('names no account where the login has none', async () => {
    const { asked, deps } = backend({ body: USAGE })
    await readUsage(deps, { token: 'at_test', accountId: undefined })
    expect(Object.keys(asked[0]?.init.headers ?? {})).not.toContain('chatgpt-account-id')
  })

  it.each([
    ['does not know it', { status: 404 }],
    ['answers in another form', { body: { hello: true } }],
    ['answers with a page', { body: '<html>' }],
  ])('goes to the second address when the first %s', async (_name, first) => {
    const { asked, deps } = backend(first, { body: USAGE })
    expect((await readUsage(deps, CALLER)).planType).toBe('plus')
    expect(asked[1]?.url).toBe('https://backend.test/api/codex/usage')
  })

  it.each([401, 403, 429, 500, 203])(
    'is not repeated at another address after status %i, and the error names it',
    async (status) => {
      const { asked, deps } = backend({ status, body: USAGE })
      await expect(readUsage(deps, CALLER)).rejects.toMatchObject({
        code: 'backend_failed',
        message: expect.stringMatching(
          status === 203 ? /unknown form/ : new RegExp(`\\b${status}\\b`),
        ),
      })
      expect(asked).toHaveLength(1)
    },
  )

  it('ends with the last status where no address knows it, and says so where none is understood', async () => {
    const gone = backend({ status: 404 }, { status: 404 })
    await expect(readUsage(gone.deps, CALLER)).rejects.toThrow(/\b404\b/)
    const odd = backend({ body: {} }, { body: {} })
    await expect(readUsage(odd.deps, CALLER)).rejects.toThrow('in an unknown form')
  })

  it.each([
    [refused('ECONNREFUSED'), 'ECONNREFUSED'],
    [Object.assign(new Error('x'), { code: 'ENOTFOUND' }), 'ENOTFOUND'],
    [new Error('x'), 'no answer in time'],
  ])('says why there was no answer (%s), and keeps the cause', async (error, why) => {
    const { deps } = backend(error)
    await expect(readUsage(deps, CALLER)).rejects.toMatchObject({
      code: 'backend_unreachable',
      message: expect.stringMatching(why),
      cause: error,
    })
  })

  it('ends with the reason of whoever gave up, which is no failure of the backend', async () => {
    const reason = new Error('the user pressed Esc')
    await expect(
      readUsage(backend({ body: USAGE }).deps, CALLER, AbortSignal.abort(reason)),
    ).rejects.toBe(reason)
  })
})

describe('the question for banked resets', () => {
  it('is a plain GET with the login, and its answer keeps what the backend told of each', async () => {
    const { asked, deps } = backend({
      body: {
        credits: [
          { id: 'c1', status: 'available', title: 'One', expires_at: '2027-01-01T00:00:00Z' },
          { id: 'c2', status: 7, title: null, expires_at: null },
        ],
      },
    })
    expect(await listResetCredits(deps, CALLER)).toEqual([
      { id: 'c1', status: 'available', title: 'One', expiresAt: '2027-01-01T00:00:00Z' },
      { id: 'c2', status: 'unknown' },
    ])
    expect(asked).toHaveLength(1)
    expect(asked[0]?.url).toBe('https://backend.test/api/wham/rate-limit-reset-credits')
    expect(asked[0]?.init).toMatchObject({
      redirect: 'error',
      headers: {
        authorization: 'Bearer at_test',
        accept: 'application/json',
        'content-type': 'application/json',
        'user-agent': 'plugin/1',
        'chatgpt-account-id': 'acct_test_a',
      },
    })
    expect([asked[0]?.init.method ?? 'GET', asked[0]?.init.body]).toEqual(['GET', undefined])
  })

  it('is answered with none where the list has another form, and with an error where the answer has', async () => {
    expect(await listResetCredits(backend({ body: { credits: 'x' } }).deps, CALLER)).toEqual([])
    await expect(listResetCredits(backend({ body: '7' }).deps, CALLER)).rejects.toMatchObject({
      code: 'backend_failed',
      message: expect.stringMatching(/banked resets.*unknown form/),
    })
  })

  it.each([
    [{ status: 403 }, 'backend_failed', '403'],
    [refused('ECONNRESET'), 'backend_unreachable', '(ECONNRESET)'],
    [Object.assign(new Error('x'), { code: 'EPIPE' }), 'backend_unreachable', '(EPIPE)'],
    [new Error('x'), 'backend_unreachable', 'no answer in time'],
    [{ body: '<html>' }, 'backend_failed', 'banked resets'],
  ])('ends in one clear error (%#)', async (reply, code, message) => {
    await expect(listResetCredits(backend(reply).deps, CALLER)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
    })
  })

  it('ends with the reason of whoever gave up', async () => {
    const reason = new Error('the user pressed Esc')
    await expect(
      listResetCredits(backend({}).deps, CALLER, AbortSignal.abort(reason)),
    ).rejects.toBe(reason)
  })
})

describe('redeeming a banked reset', () => {
  const redeem = { requestId: 'r1', creditId: 'c1' }

  it('sends the id that makes a repetition harmless, by POST, and names no account where there is none', async () => {
    const { asked, deps } = backend({ body: { code: 'reset', windows_reset: 2 } })
    const caller = { token: 'at_test', accountId: undefined }
    expect(await redeemResetCredit(deps, caller, redeem)).toEqual({
      code: 'reset',
      windowsReset: 2,
    })
    expect(asked[0]?.url).toBe('https://backend.test/api/wham/rate-limit-reset-credits/consume')
    expect(asked[0]?.init.method).toBe('POST')
    expect(JSON.parse(asked[0]?.init.body as string)).toEqual({
      redeem_request_id: 'r1',
      credit_id: 'c1',
    })
    expect(Object.keys(asked[0]?.init.headers ?? {})).not.toContain('chatgpt-account-id')
  })

  it.each([
    [
      { code: 'no_credit', windows_reset: 0 },
      { code: 'no_credit', windowsReset: 0 },
    ],
    [{ code: 'nothing_to_reset' }, { code: 'nothing_to_reset', windowsReset: 0 }],
    [{ code: 'already_redeemed' }, { code: 'already_redeemed', windowsReset: 0 }],
    [
      { code: 'odd', windows_reset: 'many' },
      { code: 'nothing_to_reset', windowsReset: 0 },
    ],
    [7, { code: 'unknown', windowsReset: 0 }],
  ])('reads the answer %j and never claims a reset that was not told', async (body, redeemed) => {
    const { deps } = backend({ body })
    expect(await redeemResetCredit(deps, CALLER, redeem)).toEqual(redeemed)
  })
})
