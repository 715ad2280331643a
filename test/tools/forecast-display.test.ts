import { readFile } from 'node:fs/promises'

import { describe, expect, it, vi } from 'vitest'

import { parseLines } from '../../lib/history/lines.js'
import { codexLimits } from '../../lib/tools/daily/codex-limits.js'
import { ask, coreOver, firstTurn, ROOMY, type Stage } from '../support/core-over.js'
import { toolData, toolText } from '../support/run-tool.js'

const NOW = Date.UTC(2026, 10, 21, 12)
const HOUR = 3_600_000
const DAY = 24 * HOUR
const WEEKLY = [{ minutes: 10_080, limit: 1_000, used: 700, resetsInMs: 4 * DAY }]

type LimitsData = Parameters<typeof codexLimits.render>[0]

function limitsOf(...rows: readonly Partial<LimitsData['accounts'][number]>[]): LimitsData {
  const row = {
    index: 1,
    name: 'a',
    kind: 'oauth' as const,
    plan: null,
    enabled: true,
    active: false,
    pinned: false,
    needsLogin: null,
    state: 'eligible' as const,
    status: 'ok',
    untilMs: null,
    windows: [],
    blocks: [],
    tags: [],
    note: null,
    lastUsedMs: 0,
    resetCredits: null,
    error: null,
    credits: null,
  }
  return { unreadable: 0, accounts: rows.map((one) => ({ ...row, ...one })) }
}

/** A history of three days in which the weekly window went from 10 to 70 percent. */
async function usedStage(windows = WEEKLY): Promise<Stage> {
  const stage = await coreOver([{ name: 'a', windows }])
  const { runtime } = stage.core
  const uid = (await runtime.store.read()).accounts[0]?.uid ?? ''
  const now = Date.now()
  const rise = Array.from({ length: 60 }, (_, index) => ({
    atMs: now - 3 * DAY + index * 1.2 * HOUR,
    usedPercent: 10 + index,
  }))
  for (const { atMs, usedPercent } of rise) {
    runtime.history.note({
      type: 'reading',
      atMs,
      uid,
      limitId: 'codex',
      kind: 'weekly',
      usedPercent,
      windowMinutes: 10_080,
      resetsAtMs: now + 4.2 * DAY,
    })
  }
  runtime.history.note({
    type: 'turn',
    atMs: now - HOUR,
    uid,
    model: 'gpt-6-sol',
    inputTokens: 1_000_000,
    cachedTokens: 0,
    outputTokens: 0,
    reasoningTokens: 0,
    durationMs: 1,
    attempts: 1,
  })
  return stage
}

describe('the history of a request', () => {
  it('holds its turn and its readings, and no prompt, token or e-mail address', async () => {
    const { core } = await coreOver([{ name: 'a', windows: ROOMY }])
    const body = await firstTurn()
    expect((await ask(core, body)).status).toBe(200)
    const entries = await core.runtime.history.read()
    expect(entries.find(({ type }) => type === 'turn')).toMatchObject({
      session: 'ses_1',
      attempts: 1,
    })
    expect(entries.find(({ type }) => type === 'reading')).toMatchObject({
      kind: 'five_hour',
      limitId: 'codex',
    })
    const text = await readFile(core.runtime.paths.historyFile, 'utf8')
    expect(text).not.toMatch(/@|eyJ|Bearer|refresh/)
  })

  it('holds the switch to another account and why', async () => {
    const { core, simulator } = await coreOver([
      { name: 'a', windows: ROOMY },
      { name: 'b', windows: ROOMY },
    ])
    simulator.addRules([{ when: { endpoint: 'responses' }, times: 1, do: { type: 'usage_limit' } }])
    await ask(core, await firstTurn())
    const entries = await core.runtime.history.read()
    expect(entries.find(({ type }) => type === 'switch')).toMatchObject({
      reason: 'usage_limit',
      session: 'ses_1',
    })
  })

  it('is not kept when the user wants none', async () => {
    const { core } = await coreOver(['a'], { env: { CODEX_AUTH_HISTORY: '0' } })
    await ask(core, await firstTurn())
    expect(await core.runtime.history.read()).toEqual([])
    await expect(readFile(core.runtime.paths.historyFile)).rejects.toThrow('ENOENT')
  })
})

describe('codex-limits with a history', () => {
  it('says for a window when it is empty at this pace, in text and JSON', async () => {
    const { core } = await usedStage()
    expect(await toolText(core.runtime, 'limits')).toMatch(
      /1 .*, 7d: at this pace empty .* before its reset \(80 ?%: .*To last: 0\.3% an hour, [78]% in the next day\./,
    )
    const data = (await toolData(core.runtime, 'limits')) as {
      accounts: { windows: { forecast: { runsOutAtMs: { mid: number } } }[] }[]
    }
    const leftHours = (data.accounts[0]!.windows[0]!.forecast.runsOutAtMs.mid - Date.now()) / HOUR
    // 30 percent are left at 0.83 an hour.
    expect(leftHours).toBeGreaterThan(25)
    expect(leftHours).toBeLessThan(48)
  })

  it('names no budget of a day for a window that resets sooner', () => {
    const resetsAtMs = NOW + 2 * HOUR
    const forecast = {
      ratePerHour: { low: 20, mid: 30, high: 40 },
      runsOutAtMs: { mid: NOW + HOUR },
      resetsAtMs,
      runOutChance: 0.9,
      basis: { samples: 9, hours: 2 },
    }
    const text = codexLimits.render(
      limitsOf({
        windows: [
          {
            name: '5h',
            kind: 'five_hour',
            limitId: 'codex',
            leftPercent: 30,
            resetsAtMs,
            observedAtMs: NOW,
            forecast,
          },
        ],
      }),
      { width: 80, nowMs: NOW },
    )
    expect(text).toMatch(/To last: 15\.0% an hour\.$/)
  })

  it('fails for an account that cannot be read, and not for one that is disabled beside others', () => {
    const [disabled, broken, fine] = [
      { enabled: false, error: 'Disabled; not asked.' },
      { error: 'no' },
      {},
    ]
    expect(codexLimits.failed?.(limitsOf(fine, disabled))).toBe(false)
    expect(codexLimits.failed?.(limitsOf(disabled))).toBe(true)
    expect(codexLimits.failed?.(limitsOf(fine, broken))).toBe(true)
  })

  it('works without one and claims nothing', async () => {
    const { core } = await coreOver([{ name: 'a', windows: WEEKLY }])
    expect(await toolText(core.runtime, 'limits')).not.toContain('pace')
    expect(await toolData(core.runtime, 'limits')).toMatchObject({
      accounts: [{ windows: [{ forecast: null }] }],
    })
  })
})

describe('codex-dashboard with a history', () => {
  it('counts no API-equivalent for answers that an API key paid for', async () => {
    const { core } = await coreOver(['a'], {
      change: () => ({
        kind: 'api-key',
        apiKey: 'sk-test-of-nobody',
        baseUrl: 'https://api.openai.com/v1',
        addedAt: 1,
        lastUsed: 0,
      }),
    })
    const { runtime } = core
    const uid = (await runtime.store.read()).accounts[0]?.uid ?? ''
    runtime.history.note({
      type: 'turn',
      atMs: Date.now(),
      uid,
      model: 'gpt-6-sol',
      inputTokens: 1_000_000,
      cachedTokens: 0,
      outputTokens: 0,
      reasoningTokens: 0,
      durationMs: 1,
      attempts: 1,
    })
    expect(await toolData(runtime, 'dashboard')).toMatchObject({
      use: { week: { turns: 1, inputTokens: 1_000_000, usd: 0 } },
    })
  })

  it('says when the pool is empty and what the week would have cost elsewhere', async () => {
    const { core } = await usedStage()
    await toolText(core.runtime, 'limits')
    const text = await toolText(core.runtime, 'dashboard')
    expect(text).toMatch(/At this pace the pool is empty /)
    expect(text).toContain('Last 7 days: 1 answer, 1.0M tokens in')
    expect(text).toContain('API-equivalent $4.00')
    expect(text).toContain('not a charge')
  })

  it('says what an answer takes of a window', async () => {
    const { core } = await coreOver([{ name: 'a', windows: WEEKLY }])
    const { runtime } = core
    const uid = (await runtime.store.read()).accounts[0]?.uid ?? ''
    const start = Date.now() - 10 * HOUR
    for (let index = 0; index < 20; index += 1) {
      const atMs = start + index * 600_000
      runtime.history.note({
        type: 'reading',
        atMs,
        uid,
        limitId: 'codex',
        kind: 'weekly',
        usedPercent: index,
      })
      runtime.history.note({
        type: 'turn',
        atMs: atMs + 1_000,
        uid,
        model: 'gpt-5.5',
        inputTokens: 50_000,
        cachedTokens: 0,
        outputTokens: 100,
        reasoningTokens: 0,
        durationMs: 1,
        attempts: 1,
      })
    }
    expect(await toolText(runtime, 'dashboard')).toContain(
      'Account 1: the last 10 answers took about 1.00% of the 7d window each (80%: ',
    )
  })

  it('says what moving the newest session would cost', async () => {
    const { core } = await coreOver(['a', 'b'])
    const { runtime } = core
    const [a, b] = (await runtime.store.read()).accounts.map(({ uid }) => uid) as [string, string]
    const use = {
      model: 'gpt-5.5',
      inputTokens: 50_000,
      cachedTokens: 0,
      outputTokens: 0,
      reasoningTokens: 0,
      durationMs: 1,
      attempts: 1,
    }
    const start = Date.now() - 10 * HOUR
    for (let index = 0; index < 20; index += 1) {
      const atMs = start + index * 600_000
      runtime.history.note({
        type: 'reading',
        atMs,
        uid: b,
        limitId: 'codex',
        kind: 'weekly',
        usedPercent: index,
      })
      runtime.history.note({ type: 'turn', atMs: atMs + 1_000, uid: b, ...use })
    }
    runtime.history.note({
      type: 'turn',
      atMs: Date.now(),
      uid: a,
      ...use,
      inputTokens: 100_000,
      cachedTokens: 90_000,
    })
    // A percent is 50 000 tokens; a tenth of the input would be paid from the cache too.
    expect(await toolText(runtime, 'dashboard')).toContain(
      'would bill its 100k tokens of input in full again: on account 2 about 1.80% of the 7d window (80%: ',
    )
  })

  it('works without one', async () => {
    const { core } = await coreOver(['a'])
    expect(await toolText(core.runtime, 'dashboard')).toContain('No forecast yet')
    expect(parseLines('')).toEqual([])
  })
})

describe('the alert of a window', () => {
  const NEARLY = [{ minutes: 10_080, limit: 1_000, used: 800, resetsInMs: 4 * DAY }]

  it('says with the history when the window will be empty', async () => {
    const { core, said } = await usedStage(NEARLY)
    await ask(core, await firstTurn())
    await vi.waitFor(() =>
      expect(said.join('\n')).toMatch(
        /19% of the weekly limit is left\. It resets .*\. At this pace it is empty .* before its reset\./,
      ),
    )
  })

  it('says no more than it knows without one', async () => {
    const { core, said } = await coreOver([{ name: 'a', windows: NEARLY }])
    await ask(core, await firstTurn())
    await vi.waitFor(() => expect(said.join('\n')).toMatch(/19% of the weekly limit is left\./))
    expect(said.join('\n')).not.toContain('At this pace')
  })
})
