import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { DEFAULT_CONFIG } from '../../lib/config/settings.js'
import { LONGEST_RATE_LIMIT_MS } from '../../lib/request/failures/blocks.js'
import { classifyResponse } from '../../lib/request/failures/classify.js'
import { retryAfterMs } from '../../lib/request/failures/facts.js'
import { mergedLedgers, withBlock, withReading } from '../../lib/quota/ledger-state.js'
import { readingOfHeaders, windowKindOf } from '../../lib/quota/readings.js'
import type { Block } from '../../lib/routing/limits.js'
import { withUids } from '../../lib/accounts/store/pool-format.js'
import { poolView } from '../../lib/tui/pool-view.js'
import { statusForms } from '../../lib/tui/status-line.js'
import { ask, coreOver, firstTurn, FULL, RESPONSES, ROOMY, served } from '../support/core-over.js'
import { toolData, toolText } from '../support/run-tool.js'
import { textOf } from '../support/tui-lines.js'

const NOW = 1_800_000_000_000
const WEEK_MS = 7 * 86_400_000
const block = (changes: Partial<Block> = {}): Block => ({
  scope: 'limit:codex',
  reason: 'usage_limit',
  source: 'body',
  sinceMs: NOW,
  untilMs: NOW + WEEK_MS,
  ...changes,
})
const answer = (status: number, body: unknown, headers: Record<string, string> = {}) =>
  classifyResponse({
    status,
    headers: new Headers(headers),
    bodyText: JSON.stringify(body),
    model: 'gpt-5.5',
    limitId: 'codex',
    nowMs: NOW,
  })

describe('known defects with quota and the choice of accounts', () => {
  it('the headers of a good answer that used up the window send the next request elsewhere', async () => {
    const { core, simulator } = await coreOver([
      { name: 'a', windows: [{ minutes: 10_080, limit: 1 }] },
      { name: 'b', windows: ROOMY },
    ])
    const body = await firstTurn()
    const first = await ask(core, body)
    expect(first.text).toContain('response.completed')
    const [once] = served(simulator)
    const from = simulator.requests.length
    if (once === 'b') await toolData(core.runtime, 'switch', { account: 1 })
    await ask(core, body, 'ses_2')
    await ask(core, body, 'ses_3')
    const statuses = simulator.requests
      .slice(from)
      .filter(({ path: asked }) => asked === RESPONSES)
      .map(({ status }) => status)
    expect(statuses).toEqual([200, 200])
  })

  it('a short limit after a long one leaves the long one in force', () => {
    const state = withBlock(
      withBlock({}, 'a', block()),
      'a',
      block({ reason: 'rate_limit', untilMs: NOW + 5_000 }),
    )
    expect(Math.max(...(state.a?.blocks ?? []).map(({ untilMs }) => untilMs))).toBe(NOW + WEEK_MS)
  })

  it('a process that knows nothing of a block never takes it away by writing', () => {
    const readings = fc.array(
      fc.record({ used: fc.nat(99), atMs: fc.integer({ min: NOW - 90_000, max: NOW - 1 }) }),
      { maxLength: 5 },
    )
    fc.assert(
      fc.property(readings, fc.boolean(), (list, oursFirst) => {
        let other = {}
        for (const { used, atMs } of list)
          other = withReading(
            other,
            'a',
            {
              limits: [
                {
                  limitId: 'codex',
                  windows: [
                    { kind: 'weekly', usedPercent: used, observedAtMs: atMs, source: 'headers' },
                  ],
                },
              ],
            },
            atMs,
          )
        const blocked = withBlock({}, 'a', block())
        const merged = oursFirst
          ? mergedLedgers(blocked, other, NOW + 1)
          : mergedLedgers(other, blocked, NOW + 1)
        expect(merged.a?.blocks).toEqual([block()])
      }),
    )
  })

  it('a plain request limit that asks for a day benches nobody for a day; a quota limit keeps its own end', () => {
    const plain = answer(
      429,
      { error: { code: 'rate_limit_exceeded' } },
      { 'retry-after': '86400' },
    )
    expect((plain.block?.untilMs ?? 0) - NOW).toBe(LONGEST_RATE_LIMIT_MS)
    const quota = answer(429, { error: { type: 'usage_limit_reached', resets_in_seconds: 86_400 } })
    expect((quota.block?.untilMs ?? 0) - NOW).toBe(86_400_000)
  })

  it('a pause is read in the unit of its header', () => {
    expect(retryAfterMs(new Headers({ 'retry-after-ms': '500' }), undefined, NOW)).toBe(500)
    expect(retryAfterMs(new Headers({ 'retry-after': '2' }), undefined, NOW)).toBe(2_000)
    expect(
      retryAfterMs(
        new Headers({ 'retry-after': new Date(NOW + 7_000).toUTCString() }),
        undefined,
        NOW,
      ),
    ).toBe(7_000)
  })

  it('a window of no length is switched off and says nothing, not that everything is left', () => {
    const headers = new Headers({
      'x-codex-primary-used-percent': '0',
      'x-codex-primary-window-minutes': '0',
      'x-codex-primary-reset-after-seconds': '0',
    })
    expect(readingOfHeaders(headers, NOW)).toBeUndefined()
  })

  it('the soft limiter of a process stays in the process', async () => {
    const { core, home } = await coreOver(['a'])
    const body = await firstTurn()
    for (let count = 0; count < 30; count += 1) await ask(core, body)
    await core.close()
    const files = (await readdir(home, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => path.join(entry.parentPath, entry.name))
    for (const file of files)
      expect(await readFile(file, 'utf8'), file).not.toMatch(/bucket|"tokens"|"health"/i)
  })

  it('accounts whose plan has no Codex are asked once each, and the answer names the reason', async () => {
    const { core, simulator } = await coreOver(['a', 'b'])
    simulator.addRules({ when: { endpoint: 'responses' }, do: { type: 'usage_not_included' } })
    const body = await firstTurn()
    const { status, text } = await ask(core, body)
    expect([status, text]).toEqual([403, expect.stringMatching(/does not include Codex|plan/i)])
    await ask(core, body, 'ses_2')
    expect(served(simulator).sort()).toEqual(['a', 'b'])
  })

  it('when nobody can serve, the error is of the kind the last refusal was', async () => {
    const { core, simulator } = await coreOver(['a'])
    simulator.addRules({
      when: { endpoint: 'responses' },
      do: { type: 'forbidden', detail: 'Region not supported' },
    })
    const { status, text } = await ask(core, await firstTurn())
    expect([status, text]).toEqual([403, expect.stringContaining('Region not supported')])
    expect(text).not.toMatch(/server error/i)
  })

  it('warming says failed for an account at its limit, and its request says that it is JSON', async () => {
    const { core, simulator } = await coreOver([{ name: 'a', windows: FULL }, 'b'])
    const { accounts } = (await toolData(core.runtime, 'warm', { confirm: true })) as {
      accounts: { status: string }[]
    }
    expect(accounts.map(({ status }) => status)).toEqual(['failed', 'started'])
    expect(
      simulator.requests.every(({ headers }) => headers['content-type'] === 'application/json'),
    ).toBe(true)
  })

  it('warming says failed for a limit that ends a stream which began with 200', async () => {
    const { core, simulator } = await coreOver(['a'])
    simulator.addRules({
      when: { endpoint: 'responses' },
      do: { type: 'stream_failed', code: 'usage_limit_reached' },
    })
    expect(await toolData(core.runtime, 'warm', { confirm: true })).toMatchObject({
      warmed: 0,
      failed: 1,
    })
  })

  it('a look at the quota asks for no answer of a model', async () => {
    const { core, simulator } = await coreOver(['a', 'b'])
    await toolData(core.runtime, 'limits')
    await toolData(core.runtime, 'health')
    expect(simulator.requests.length).toBeGreaterThan(0)
    expect(simulator.requests.map(({ path: asked }) => asked)).not.toContain(RESPONSES)
  })

  it('the limits are a table of their own, and say so where there is nothing to show', async () => {
    const { core } = await coreOver(['a'])
    const text = await toolText(core.runtime, 'limits')
    expect(text).toMatch(/Window\s+Left/)
    expect(text).not.toBe(await toolText(core.runtime, 'list'))
    const empty = await coreOver([])
    expect(await toolText(empty.core.runtime, 'limits')).toContain('opencode auth login')
  })

  it('the TUI takes a window whose end has passed for a full one, and tells how old a reading is', () => {
    const windows = [
      {
        kind: 'five_hour' as const,
        usedPercent: 100,
        resetsAtMs: NOW - 1,
        observedAtMs: NOW - 9_000_000,
        source: 'headers' as const,
      },
    ]
    const pool = {
      version: 3 as const,
      accounts: withUids([{ uid: 'a', refreshToken: 'rt', addedAt: 1, lastUsed: 0 }]),
      activeIndex: 0,
    }
    const view = poolView({
      pool,
      ledger: { a: { limits: { codex: { windows } }, blocks: [], readAtMs: NOW - 9_000_000 } },
      holds: new Map(),
      nowMs: NOW,
      config: DEFAULT_CONFIG,
      project: undefined,
    })
    expect(view.accounts[0]).toMatchObject({ readAtMs: NOW - 9_000_000 })
    const [widest] = statusForms({ account: view.serving(undefined) }, NOW)
    expect(textOf(widest)).not.toMatch(/ 0%/)
  })

  it('redeeming a banked reset twice for the same credit is one request by its id', async () => {
    const { core, simulator } = await coreOver([{ name: 'a', windows: FULL, resetCredits: 2 }])
    simulator.addRules({
      when: { endpoint: 'consume' },
      times: 1,
      do: { type: 'cut', at: 'connect' },
    })
    const { credits } = (await toolData(core.runtime, 'reset')) as { credits: { id: string }[] }
    const creditId = credits[0]?.id ?? ''
    const first = await toolData(core.runtime, 'reset', { action: 'consume', confirm: true }).catch(
      (error: unknown) => error,
    )
    expect(first).toMatchObject({
      code: 'backend_unreachable',
      hint: expect.stringContaining(creditId),
    })
    const second = await toolData(core.runtime, 'reset', {
      action: 'consume',
      creditId,
      confirm: true,
    }).catch((error: unknown) => error)
    expect([first, second]).toMatchObject([
      {},
      { message: expect.stringContaining('used up already') },
    ])
    expect(
      simulator.account('a').resetCredits.filter(({ status }) => status === 'available'),
    ).toHaveLength(1)
  })

  it('a pool that is blocked for hours answers at once, with the time, and asks nobody', async () => {
    const { core, simulator } = await coreOver(
      [
        {
          name: 'a',
          windows: [{ minutes: 300, limit: 100, used: 100, resetsInMs: 2 * 3_600_000 }],
        },
      ],
      { env: { CODEX_AUTH_RETRY_ALL_MAX_WAIT_MS: '30000' } },
    )
    const body = await firstTurn()
    await ask(core, body)
    const from = simulator.requests.length
    const { status, text } = await ask(core, body)
    expect([status, simulator.requests.length - from]).toEqual([403, 0])
    expect(text).toMatch(/\d\d:\d\d|in 1 h|in 2 h/)
  })

  it('a limit that comes first in a 200 stream moves to the next account unseen', async () => {
    const { core, simulator } = await coreOver(['a', 'b'])
    simulator.addRules({
      when: { endpoint: 'responses' },
      times: 1,
      do: { type: 'stream_failed', code: 'usage_limit_reached' },
    })
    const { text } = await ask(core, await firstTurn())
    expect(text).toContain('response.completed')
    expect(text).not.toContain('usage_limit')
  })

  it('a refusal that only mentions a rate limit blocks nobody', async () => {
    expect(answer(400, { error: { message: 'Unknown parameter: rate_limit' } })).not.toHaveProperty(
      'block',
    )
    expect(answer(400, { error: { message: 'Unknown parameter: rate_limit' } }).kind).toBe(
      'bad_request',
    )
  })

  it('a conversation that is too long is refused as OpenCode understands it, in JSON', async () => {
    const { core, simulator } = await coreOver(['a'])
    simulator.addRules({
      when: { endpoint: 'responses' },
      do: {
        type: 'respond',
        status: 400,
        json: { error: { code: 'context_length_exceeded', message: 'too long' } },
      },
    })
    const { status, text } = await ask(core, await firstTurn())
    expect(status).toBe(413)
    expect(JSON.parse(text)).toHaveProperty('error.message')
  })

  it.each([
    [{ error: { type: 'usage_limit_reached', resets_at: NOW / 1000 + 60 } }, {}],
    [{ error: { type: 'usage_limit_reached', resets_in_seconds: 60 } }, {}],
    [
      { error: { type: 'usage_limit_reached' } },
      {
        'x-codex-primary-used-percent': '100',
        'x-codex-primary-window-minutes': '300',
        'x-codex-primary-reset-at': String(NOW / 1000 + 60),
      },
    ],
    [{ error: { type: 'usage_limit_reached' } }, { 'retry-after': '60' }],
  ])('[B3 R2 6.11.4] finds the end of a limit in %j %j', (body, headers) => {
    expect(answer(429, body, headers).block?.untilMs).toBe(NOW + 60_000)
  })

  it('a limit without any time still has an end, and is not asked again at once', () => {
    const until = answer(429, { error: { type: 'usage_limit_reached' } }).block?.untilMs ?? 0
    expect(until - NOW).toBeGreaterThan(1_000)
    expect(until - NOW).toBeLessThan(3_600_000)
  })

  it('a window is what its length says, in any place, and more than 100 percent is used up', () => {
    expect([300, 10_080, 43_200, 60].map(windowKindOf)).toEqual([
      'five_hour',
      'weekly',
      'monthly',
      'unknown',
    ])
    const only = readingOfHeaders(
      new Headers({
        'x-codex-primary-used-percent': '103.5',
        'x-codex-primary-window-minutes': '10080',
        'x-codex-primary-reset-at': String(NOW / 1000 + 60),
      }),
      NOW,
    )
    expect(only?.limits[0]?.windows).toMatchObject([{ kind: 'weekly', usedPercent: 103.5 }])
  })

  it('a usage endpoint that refuses leaves the account as usable as it was', async () => {
    const { core, simulator } = await coreOver(['a'])
    simulator.addRules({ when: { endpoint: 'usage' }, do: { type: 'forbidden' } })
    expect(await toolData(core.runtime, 'limits')).toMatchObject({
      accounts: [{ status: 'active', error: expect.stringContaining('403') }],
    })
    expect((await ask(core, await firstTurn())).status).toBe(200)
  })

  it('a block ends before its time when a reading shows room again', async () => {
    const { core, simulator } = await coreOver([{ name: 'a', windows: FULL }])
    const body = await firstTurn()
    await ask(core, body)
    simulator.patchAccount('a', { windows: ROOMY })
    await toolData(core.runtime, 'health')
    expect((await ask(core, body)).text).toContain('response.completed')
  })
})
