import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { DEFAULT_CONFIG } from '../../lib/config/settings.js'
import { EMPTY_POOL } from '../../lib/accounts/account.js'
import { withUids } from '../../lib/accounts/store/pool-format.js'
import { poolView } from '../../lib/tui/pool-view.js'
import { accountSummary, levelOf, sidebarLines, statusLine } from '../../lib/tui/status-line.js'
import type { LedgerState } from '../../lib/quota/ledger-state.js'

const VIEW = { config: DEFAULT_CONFIG, project: undefined }

const NOW = 1_800_000_000_000
const accounts = withUids([
  { refreshToken: 'a', email: 'jane@example.com', accountId: 'w1', addedAt: 0, lastUsed: 0 },
  { refreshToken: 'b', accountLabel: 'work', accountId: 'w2', addedAt: 0, lastUsed: 0 },
])
const [jane, work] = accounts
const ledger = (used: number, resetsAtMs = NOW + 3_600_000): LedgerState => ({
  [jane!.uid]: {
    limits: {
      codex: {
        windows: [
          {
            kind: 'weekly',
            usedPercent: 10,
            windowMinutes: 10_080,
            observedAtMs: NOW,
            source: 'headers',
          },
          {
            kind: 'five_hour',
            usedPercent: used,
            windowMinutes: 300,
            resetsAtMs,
            observedAtMs: NOW,
            source: 'headers',
          },
        ],
      },
    },
    blocks: [],
    readAtMs: NOW,
  },
})
const view = (state: LedgerState = {}, holds = new Map()) =>
  poolView({ pool: { ...EMPTY_POOL, accounts }, ledger: state, holds, nowMs: NOW, ...VIEW })

describe('statusLine', () => {
  it('shows nothing when nothing is known', () => {
    expect(statusLine(view().serving(undefined), 160, NOW)).toBeUndefined()
    expect(statusLine(undefined, 160, NOW)).toBeUndefined()
  })

  it('says less the narrower the terminal is, and never more than fits beside a prompt', () => {
    const account = view(ledger(40)).serving(undefined)
    expect(statusLine(account, 160, NOW)?.text).toMatch(
      /^ja…@e….com {2}5h ████░░ 60% .* {2}7d █████░ 90%$/,
    )
    expect(statusLine(account, 100, NOW)?.text).toBe('5h 60% 7d 90%')
    expect(statusLine(account, 60, NOW)?.text).toBe('5h 60%')
  })

  it('takes a window whose reset has passed for a full one', () => {
    expect(statusLine(view(ledger(100, NOW - 1)).serving(undefined), 100, NOW)?.text).toBe(
      '5h 100% 7d 90%',
    )
  })

  it('never says that nothing is left while something is', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.01, max: 99.99, noNaN: true }), (used) => {
        const text = statusLine(view(ledger(used)).serving(undefined), 60, NOW)?.text ?? ''
        expect(text).not.toMatch(/ 0%| 100%/)
      }),
    )
  })

  it('turns urgent with what is left', () => {
    expect([60, 25, 10, 0].map(levelOf)).toEqual(['muted', 'warning', 'error', 'error'])
  })
})

describe('the sidebar', () => {
  const blocked = (scope: string): LedgerState => ({
    [jane!.uid]: {
      ...ledger(40)[jane!.uid]!,
      blocks: [
        {
          scope,
          reason: 'model_not_supported',
          source: 'body',
          sinceMs: NOW,
          untilMs: NOW + 3_600_000,
        },
      ],
    },
  })
  const texts = (state: LedgerState, nowMs = NOW) =>
    sidebarLines(view(state).serving(undefined), 1, nowMs)
      .map(({ text }) => text)
      .join('\n')

  it('tells the age of the reading', () => {
    expect(texts(ledger(40), NOW + 120_000)).toContain('read 2 min ago')
    expect(texts({})).not.toContain('read')
  })

  it('does not call an account blocked that only one model is refused on', () => {
    expect(texts(blocked('limit:codex'))).toContain('blocked until')
    expect(texts(blocked('model:gpt-5.5'))).not.toContain('blocked')
    expect(accountSummary(view(blocked('model:gpt-5.5')).accounts[0]!, NOW)).not.toContain('until')
  })
})

describe('poolView', () => {
  it('shows the account that serves the session, else the active one', () => {
    const holds = new Map([['ses', { uid: work!.uid, usedAtMs: NOW }]])
    expect(view({}, holds).serving('ses')?.name).toBe('work')
    expect(view({}, holds).serving('other')?.index).toBe(1)
  })

  it('works with no and with twenty accounts', () => {
    const none = poolView({ pool: EMPTY_POOL, ledger: {}, holds: new Map(), nowMs: NOW, ...VIEW })
    expect(none.serving('x')).toBeUndefined()
    expect(sidebarLines(none.serving('x'), -1, NOW)).toEqual([])
    const many = withUids(
      Array.from({ length: 20 }, (_, index) => ({
        refreshToken: String(index),
        accountId: String(index),
        addedAt: 0,
        lastUsed: 0,
      })),
    )
    expect(
      poolView({
        pool: { ...EMPTY_POOL, accounts: many },
        ledger: {},
        holds: new Map(),
        nowMs: NOW,
        ...VIEW,
      }).accounts,
    ).toHaveLength(20)
  })

  it('never holds an address in full or a token', () => {
    const text =
      JSON.stringify(view(ledger(5)).accounts) +
      view(ledger(5))
        .accounts.map((account) => accountSummary(account, NOW))
        .join()
    expect(text).not.toMatch(/jane@example\.com|refreshToken/)
  })
})
