import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { EMPTY_POOL } from '../../lib/accounts/account.js'
import { withUids } from '../../lib/accounts/store/pool-format.js'
import { DEFAULT_CONFIG } from '../../lib/config/settings.js'
import { displayWidth } from '../../lib/kernel/text/sure-width.js'
import type { LedgerState } from '../../lib/quota/ledger-state.js'
import { paceOf } from '../../lib/tui/slots/pace.js'
import { blocksOf, type Pace, type SidebarFacts } from '../../lib/tui/slots/sidebar-lines.js'
import { poolView } from '../../lib/tui/pool-view.js'
import { hostileText, UNSAFE } from '../support/hostile-text.js'
import { SIDEBAR_COLUMNS, sidebarOf, textOf } from '../support/tui-lines.js'

const NOW = Date.UTC(2027, 0, 15, 9)
const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

/** Accounts of these names, of which each has used as much of its windows. */
function accountsOf(
  names: readonly string[],
  { used = 40, readAtMs = NOW, blocked = [] as readonly string[] } = {},
) {
  const accounts = withUids(
    names.map((accountLabel, index) => ({
      refreshToken: `r${index}`,
      accountId: `w${index}`,
      accountLabel,
      addedAt: 0,
      lastUsed: 0,
    })),
  )
  const window = { observedAtMs: NOW, source: 'headers', usedPercent: used } as const
  const ledger: LedgerState = Object.fromEntries(
    accounts.map(({ uid, accountLabel = '' }) => [
      uid,
      {
        limits: {
          codex: {
            windows: [
              {
                ...window,
                kind: 'five_hour',
                windowMinutes: 300,
                resetsAtMs: NOW + 2 * HOUR_MS,
              },
              {
                ...window,
                kind: 'weekly',
                windowMinutes: 10_080,
                resetsAtMs: NOW + 50 * HOUR_MS,
              },
            ],
          },
        },
        blocks: blocked.includes(accountLabel)
          ? [
              {
                scope: '*',
                reason: 'unauthorized',
                source: 'body',
                sinceMs: NOW,
                untilMs: NOW + HOUR_MS,
              },
            ]
          : [],
        readAtMs,
      },
    ]),
  )
  const config = { config: DEFAULT_CONFIG, project: undefined }
  return poolView({
    pool: { ...EMPTY_POOL, accounts },
    ledger,
    holds: new Map(),
    nowMs: NOW,
    ...config,
  }).accounts
}

const shown = (names: readonly string[], facts: Partial<SidebarFacts> = {}, nowMs = NOW) =>
  sidebarOf(accountsOf(names), nowMs, facts).map(textOf)

describe('the sidebar', () => {
  it('is not there without accounts', () => {
    expect(shown([])).toEqual([])
  })

  it('shows the serving account first, each with bars', () => {
    const accounts = accountsOf(['home', 'work'])
    const lines = sidebarOf(accounts, NOW, { serving: accounts[1] }).map(textOf)
    expect(lines.slice(0, 3)).toEqual([
      '▼ Codex accounts',
      '2 work',
      expect.stringMatching(/^ {2}5h ██████░░░░ {2}60% \d\d:\d\d$/),
    ])
    expect(lines[4]).toBe('1 home')
    expect(lines).toHaveLength(7)
  })

  it('has one line for each but the serving one of more than four, and counts what nobody reads', () => {
    const names = Array.from({ length: 200 }, (_, index) => `number ${index}`)
    const lines = shown(names)
    expect(lines.length).toBeLessThan(18)
    expect(lines).toContain('2 number 1             5h 60% 7d 60%')
    expect(lines.at(-1)).toBe('+190 more, 190 ready')
    expect(shown(names.slice(0, 5))).toHaveLength(1 + 3 + 4)
  })

  it('says of one that cannot serve why', () => {
    const names = ['a', 'b', 'c', 'd', 'e']
    const accounts = accountsOf(names, { blocked: ['a', 'c'] })
    const lines = sidebarOf(accounts, NOW)
    expect(lines.map(textOf).join('\n')).toMatch(/1 a\n {2}blocked until \d\d:\d\d\n/)
    const listed = lines.find((line) => textOf(line).startsWith('3 c'))
    expect(textOf(listed)).toMatch(/blocked until \d\d:\d\d$/)
    expect(listed?.spans.at(-1)?.level).toBe('error')
  })

  it('is a heading with a count when it is folded; an only account has nothing to fold', () => {
    expect(shown(['a', 'b'], { isOpen: false })).toEqual(['▶ Codex accounts (2 of 2 ready)'])
    expect(shown(['a'])[0]).toBe('Codex accounts')
  })

  it('says no age of a reading that may be seconds old, an age from ten minutes, a mark from thirty', () => {
    const aged = (minutes: number) =>
      sidebarOf(accountsOf(['a'], { readAtMs: NOW - minutes * MINUTE_MS }), NOW).find((line) =>
        textOf(line).includes('read'),
      )
    expect([0, 0.5, 1, 9].map(aged)).toEqual([undefined, undefined, undefined, undefined])
    expect(textOf(aged(12))).toBe('  read 12 min ago')
    expect(aged(12)?.spans[0]?.level).toBe('muted')
    expect(aged(31)?.spans[0]?.level).toBe('warning')
  })

  it('tells the last switch of a day with its time, who serves since then, and whole why the other one does not', () => {
    const lastSwitch = {
      atMs: NOW - HOUR_MS,
      from: 'home',
      to: 'work',
      why: 'is at its weekly limit until Mon 14:20',
    }
    const lines = shown(['home', 'work'], { lastSwitch })
    expect(lines.slice(-3)).toEqual([
      expect.stringMatching(/^Switched \d\d:\d\d to work$/),
      '  home is at its weekly limit until',
      '  Mon 14:20',
    ])
    expect(shown(['home'], { lastSwitch }, NOW + 24 * HOUR_MS).join()).not.toContain('Switched')
  })

  it.each([
    [{ window: '7d', resetsAtMs: NOW + 50 * HOUR_MS }, [/^ {2}7d lasts until \w{3} \d\d:\d\d$/]],
    [
      {
        window: '5h',
        runsOutAtMs: { early: NOW + HOUR_MS, mid: NOW + 2 * HOUR_MS, late: NOW + 3 * HOUR_MS },
      },
      [/^ {2}5h empty ~\d\d:\d\d, 80%: \d\d:\d\d–\d\d:\d\d$/],
    ],
    [
      { window: '5h', runsOutAtMs: { early: NOW + HOUR_MS, mid: NOW + 2 * HOUR_MS } },
      [/^ {2}5h empty ~\d\d:\d\d, 80%: from \d\d:\d\d$/],
    ],
    [
      {
        window: '7d',
        runsOutAtMs: {
          early: NOW + 30 * HOUR_MS,
          mid: NOW + 50 * HOUR_MS,
          late: NOW + 90 * HOUR_MS,
        },
      },
      [/^ {2}7d empty ~\w{3} \d\d:\d\d$/, /^ {2}80%: \w{3} \d\d:\d\d–\w{3} \d\d:\d\d$/],
    ],
    [{ window: '5h', runsOutAtMs: { mid: NOW - 1 } }, []],
  ] satisfies [Pace, RegExp[]][])('tells the pace %o in the room there is', (pace, lines) => {
    const told = shown(['a'], { paceOf: () => pace }).slice(4)
    expect(told).toHaveLength(lines.length)
    lines.forEach((line, index) => expect(told[index]).toMatch(line))
  })

  it('has no line wider than its room, whatever accounts are called and however many there are', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(hostileText, fc.string({ unit: 'grapheme' })), { maxLength: 14 }),
        fc.integer({ min: 20, max: 60 }),
        fc.boolean(),
        fc.double({ min: 0, max: 100, noNaN: true }),
        (names, width, isOpen, used) => {
          const accounts = accountsOf(names, { used, readAtMs: NOW - HOUR_MS })
          const lastSwitch = {
            atMs: NOW - 1,
            from: accounts[0]?.name ?? '',
            to: accounts.at(-1)?.name ?? '',
            why: '週の上限 👩‍👩‍👧',
          }
          const facts = { isOpen, lastSwitch, unreadable: 3 }
          for (const line of sidebarOf(accounts, NOW, facts, width)) {
            expect(displayWidth(textOf(line))).toBeLessThanOrEqual(width)
            expect(textOf(line)).not.toMatch(UNSAFE)
          }
        },
      ),
      { numRuns: 60 },
    )
    expect(SIDEBAR_COLUMNS).toBeLessThanOrEqual(37)
  })
})

describe('the pace of an account', () => {
  const basis = { samples: 9, hours: 3 }
  const ratePerHour = { low: 1, mid: 2, high: 3 }

  it('is that of the window that is empty first, else of the longest', () => {
    const [account] = accountsOf(['a'])
    const lasting = (resetsAtMs: number) => ({ ratePerHour, resetsAtMs, runOutChance: 0, basis })
    expect(paceOf(account!, ({ kind }) => lasting(kind === 'weekly' ? 2 : 1))).toEqual({
      window: '7d',
      resetsAtMs: 2,
    })
    const emptying = { ...lasting(9), runsOutAtMs: { mid: 5 } }
    expect(
      paceOf(account!, ({ kind }) => (kind === 'weekly' ? lasting(2) : emptying)),
    ).toMatchObject({ window: '5h', runsOutAtMs: { mid: 5 } })
    expect(paceOf(account!, () => undefined)).toBeUndefined()
  })

  it('is asked for of the accounts that have room for it only', () => {
    const accounts = accountsOf(['a', 'b', 'c', 'd', 'e'])
    expect(blocksOf(accounts, accounts[2])).toEqual([accounts[2]])
    expect(blocksOf(accounts.slice(0, 4), accounts[2])).toHaveLength(4)
  })
})
