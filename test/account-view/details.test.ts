import { describe, expect, it } from 'vitest'

import { accountDetails } from '../../lib/account-view/details.js'
import { accountViews } from '../../lib/account-view/view.js'
import { DEFAULT_CONFIG } from '../../lib/config/settings.js'
import type { HistoryEntry } from '../../lib/history/entries.js'
import type { LedgerState } from '../../lib/quota/ledger-state.js'

const NOW = Date.UTC(2026, 10, 21, 12)
const HOUR = 3_600_000
const DAY = 24 * HOUR
const account = {
  uid: 'a',
  refreshToken: 'r',
  email: 'anna@example.test',
  addedAt: 1,
  lastUsed: NOW - HOUR,
}

function detailsOf(
  ledger: LedgerState,
  history: readonly HistoryEntry[] = [],
  rules: Record<string, unknown> = {},
): Record<string, string> {
  const config = {
    ...DEFAULT_CONFIG,
    modelAccountPools: { 'gpt-6-sol': ['a'], other: ['b'] },
    modelAccountPoolModes: { 'gpt-6-sol': 'strict' as const },
  }
  const [shown] = accountViews({
    pool: { version: 3, accounts: [account], activeIndex: 0, rules },
    quotaOf: (uid) => ledger[uid],
    nowMs: NOW,
    config,
    project: undefined,
  })
  if (shown === undefined) throw new Error('no account')
  return Object.fromEntries(
    accountDetails(shown, history, NOW).map(({ title, text }) => [title, text]),
  )
}

const weekly = {
  kind: 'weekly' as const,
  usedPercent: 70,
  windowMinutes: 10_080,
  resetsAtMs: NOW + 4 * DAY,
  observedAtMs: NOW - 60_000,
  source: 'headers' as const,
}

describe('the details of an account', () => {
  it('name state, windows, blocks with their end, pools, pin, last use and banked resets', () => {
    const ledger: LedgerState = {
      a: {
        limits: { codex: { windows: [weekly] } },
        readAtMs: NOW - 60_000,
        resetCredits: 2,
        blocks: [
          {
            scope: 'model:gpt-5.5',
            reason: 'model_not_supported',
            source: 'body',
            sinceMs: NOW - 1,
            untilMs: NOW + HOUR,
          },
        ],
      },
    }
    expect(detailsOf(ledger, [], { pin: { uid: 'a', mode: 'soft' } })).toMatchObject({
      State: 'active',
      '7d window': expect.stringMatching(/^30% left, resets .*\(in 4 d\)$/),
      Block: expect.stringMatching(
        /^may not use this model \(model gpt-5\.5\) until .*\(in 1 h\)$/,
      ),
      'Model pool': 'gpt-6-sol (strict)',
      Pin: 'pinned everywhere; others help out when it cannot serve',
      'Last used': '1 h ago',
      'Banked resets': '2',
      'Limits read': '1 min ago',
    })
  })

  it('say at what pace a window goes down where the history allows it', () => {
    const history = Array.from({ length: 61 }, (_, index): HistoryEntry => ({
      type: 'reading',
      atMs: NOW - 3 * DAY + index * 72 * 60_000,
      uid: 'a',
      limitId: 'codex',
      kind: 'weekly',
      usedPercent: 10 + index,
      windowMinutes: 10_080,
      resetsAtMs: NOW + 4 * DAY,
    }))
    expect(
      detailsOf(
        { a: { limits: { codex: { windows: [weekly] } }, readAtMs: NOW, blocks: [] } },
        history,
      )['7d window'],
    ).toMatch(/; at this pace empty .* before its reset/)
  })

  it('call an account blocked only when more than one model is', () => {
    const block = {
      reason: 'usage_limit' as const,
      source: 'body' as const,
      sinceMs: NOW - 1,
      untilMs: NOW + HOUR,
    }
    expect(
      detailsOf({ a: { limits: {}, blocks: [{ ...block, scope: 'limit:codex' }] } }),
    ).toMatchObject({ State: expect.stringMatching(/^limited until .*: usage used up$/) })
    expect(
      detailsOf({ a: { limits: {}, blocks: [{ ...block, scope: 'model:gpt-5.5' }] } }),
    ).toMatchObject({ State: 'active' })
  })

  it('are honest where nothing is known', () => {
    expect(detailsOf({})).toMatchObject({
      State: 'active',
      'Limits read': 'never',
      'Banked resets': 'not known',
    })
  })

  it('hold no address in full and no token', () => {
    expect(JSON.stringify(detailsOf({}))).not.toMatch(/anna@example|"r"/)
  })
})
