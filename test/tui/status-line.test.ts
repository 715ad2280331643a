import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { EMPTY_POOL } from '../../lib/accounts/account.js'
import { withUids } from '../../lib/accounts/store/pool-format.js'
import { DEFAULT_CONFIG } from '../../lib/config/settings.js'
import { displayWidth } from '../../lib/kernel/text/sure-width.js'
import type { LedgerState } from '../../lib/quota/ledger-state.js'
import { poolView } from '../../lib/tui/pool-view.js'
import {
  accountSummary,
  fitting,
  levelOf,
  type StatusFacts,
  statusForms,
} from '../../lib/tui/status-line.js'
import { hostileText, UNSAFE } from '../support/hostile-text.js'
import { textOf } from '../support/tui-lines.js'

const VIEW = { config: DEFAULT_CONFIG, project: undefined }
const NOW = 1_800_000_000_000
const MINUTE_MS = 60_000
const accounts = withUids([
  { refreshToken: 'a', email: 'jane@example.com', accountId: 'w1', addedAt: 0, lastUsed: 0 },
  { refreshToken: 'b', accountLabel: 'work', accountId: 'w2', addedAt: 0, lastUsed: 0 },
])
const [jane, work] = accounts
const window = {
  usedPercent: 10,
  observedAtMs: NOW,
  source: 'headers',
} as const
const ledger = (used: number, resetsAtMs = NOW + 3_600_000): LedgerState => ({
  [jane!.uid]: {
    limits: {
      codex: {
        windows: [
          { ...window, kind: 'weekly', windowMinutes: 10_080 },
          { ...window, kind: 'five_hour', usedPercent: used, windowMinutes: 300, resetsAtMs },
        ],
      },
    },
    blocks: [],
    readAtMs: NOW,
  },
})
const view = (state: LedgerState = {}, holds = new Map(), pool = accounts) =>
  poolView({ pool: { ...EMPTY_POOL, accounts: pool }, ledger: state, holds, nowMs: NOW, ...VIEW })

/** All forms, the widest first. */
const formsOf = (state: LedgerState, facts: Partial<StatusFacts> = {}, nowMs = NOW) =>
  statusForms({ account: view(state).serving(undefined), ...facts }, nowMs)
const texts = (...args: Parameters<typeof formsOf>) => formsOf(...args).map(textOf)

describe('the line beside the prompt', () => {
  it('is not there when nothing is known', () => {
    expect(texts({})).toEqual([])
    expect(statusForms({ account: undefined }, NOW)).toEqual([])
  })

  it('loses the name, the bars, the times of reset and the second window, in this order', () => {
    const [time] = /\d\d:\d\d/.exec(texts(ledger(40))[0]!)!
    expect(texts(ledger(40))).toEqual([
      `ja…@e….com  5h ████░░ 60% ${time}  7d █████░ 90%`,
      `5h ████░░ 60% ${time}  7d █████░ 90%`,
      `5h 60% ${time}  7d 90%`,
      '5h 60%  7d 90%',
      '5h 60%',
    ])
  })

  it('takes a window whose reset has passed for a full one', () => {
    expect(texts(ledger(100, NOW - 1))).toContain('5h 100%  7d 90%')
  })

  it('marks a reading from half an hour on, in the short forms too', () => {
    const later = NOW + 40 * MINUTE_MS
    expect(texts(ledger(40), {}, later)[0]).toMatch(/\(read 40 min ago\)$/)
    expect(texts(ledger(40), {}, later)).toContain('5h ~60%')
    expect(texts(ledger(40), {}, NOW + 20 * MINUTE_MS).join()).not.toMatch(/read|~/)
  })

  it('never says that nothing is left while something is', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.01, max: 99.99, noNaN: true }), (used) => {
        for (const text of texts(ledger(used))) expect(text).not.toMatch(/ 0%| 100%/)
      }),
    )
  })

  it('colours the window of which little is left, and no other', () => {
    const [widest] = formsOf(ledger(95))
    const levels = new Map(widest!.spans.map(({ text, level }) => [text.slice(0, 2), level]))
    expect([levels.get('5h'), levels.get('7d')]).toEqual(['error', 'muted'])
    expect([60, 25, 10, 0].map(levelOf)).toEqual(['muted', 'warning', 'error', 'error'])
  })

  it('says of an account that cannot serve why and until when, before what is left', () => {
    const block = {
      scope: '*',
      reason: 'unauthorized',
      source: 'body',
      sinceMs: NOW,
      untilMs: NOW + 3_600_000,
    } as const
    const state = { [jane!.uid]: { ...ledger(40)[jane!.uid]!, blocks: [block] } }
    expect(texts(state)[1]).toMatch(/^blocked until \d\d:\d\d {2}5h ████░░ 60%/)
    expect(texts(state).at(-1)).toBe('blocked')
    expect(formsOf(state).at(-1)?.spans[0]?.level).toBe('error')
  })

  it('says of an account that must sign in again what to do, in whatever room there is', () => {
    const pool = withUids([
      {
        refreshToken: 'a',
        accountLabel: 'home',
        addedAt: 0,
        lastUsed: 0,
        needsLogin: { since: 1, reason: 'revoked' },
      },
    ] as never)
    const account = view({}, new Map(), pool).serving(undefined)
    expect(statusForms({ account }, NOW).map(textOf)).toEqual([
      'home: login needed, /connect',
      'login needed, /connect',
      'login needed',
      '/connect',
    ])
  })

  it('tells who continues and why while that is news, before what is left', () => {
    const told = texts(ledger(40), {
      switched: { from: 'home', why: 'is at its weekly limit' },
    })
    expect(told[0]).toMatch(/^now ja…@e….com: home is at its weekly limit {2}5h ████░░ 60%/)
    expect(told).toContain('now ja…@e….com')
    expect(told.at(-1)).toBe('5h 60%')
  })

  it('counts down while a request waits, by the second below an hour', () => {
    const at = (leftMs: number) => texts(ledger(40), { waitsUntilMs: NOW + leftMs })
    expect(at(95_000)[0]).toMatch(/^every account is at a limit: resumes \d\d:\d\d, in 1:35$/)
    expect(at(95_000).at(-1)).toBe('1:35')
    expect(at(2 * 3_600_000).at(-1)).toBe('2 h')
    expect(at(0).at(-1)).toBe('5h 60%')
  })

  it('is never wider than the room, whatever an account is called, and the widest that fits', () => {
    fc.assert(
      fc.property(
        fc.oneof(hostileText, fc.string({ unit: 'grapheme' })),
        fc.integer({ min: 0, max: 140 }),
        fc.double({ min: 0, max: 100, noNaN: true }),
        fc.constantFrom<Partial<StatusFacts>>(
          {},
          { switched: { from: '会社', why: '週の上限 👩‍👩‍👧' } },
          { waitsUntilMs: NOW + 61_000 },
        ),
        (accountLabel, room, used, facts) => {
          const pool = withUids([{ ...jane!, accountLabel }])
          const account = view(ledger(used), new Map(), pool).serving(undefined)
          const forms = statusForms({ account, ...facts }, NOW)
          const form = fitting(forms, room)
          expect(displayWidth(textOf(form))).toBeLessThanOrEqual(room)
          expect(textOf(form)).not.toMatch(UNSAFE)
          for (const wider of forms.slice(0, form === undefined ? undefined : forms.indexOf(form)))
            expect(wider.width).toBeGreaterThan(room)
          const widths = forms.map(({ width }) => width)
          if (facts.switched === undefined)
            expect(widths).toEqual([...widths].sort((left, right) => right - left))
        },
      ),
    )
  })
})

describe('poolView', () => {
  it('shows the account that serves the session, else the active one', () => {
    const holds = new Map([['ses', { uid: work!.uid, usedAtMs: NOW }]])
    expect(view({}, holds).serving('ses')?.name).toBe('work')
    expect(view({}, holds).serving('other')?.index).toBe(1)
  })

  it('works with no and with two hundred accounts', () => {
    expect(view({}, new Map(), []).serving('x')).toBeUndefined()
    const many = withUids(
      Array.from({ length: 200 }, (_, index) => ({
        refreshToken: String(index),
        accountId: String(index),
        addedAt: 0,
        lastUsed: 0,
      })),
    )
    expect(view({}, new Map(), many).accounts).toHaveLength(200)
  })

  it('does not call an account blocked that only one model is refused on', () => {
    const blocks = [
      {
        scope: 'model:gpt-5.5',
        reason: 'model_not_supported',
        source: 'body',
        sinceMs: NOW,
        untilMs: NOW + 3_600_000,
      } as const,
    ]
    const state = { [jane!.uid]: { ...ledger(40)[jane!.uid]!, blocks } }
    expect(accountSummary(view(state).accounts[0]!, NOW)).not.toContain('until')
    expect(texts(state).join()).not.toContain('blocked')
  })

  it('never holds an address in full or a token', () => {
    const shown = view(ledger(5)).accounts
    const text = JSON.stringify(shown) + shown.map((account) => accountSummary(account, NOW)).join()
    expect(text).not.toMatch(/jane@example\.com|refreshToken/)
  })
})
