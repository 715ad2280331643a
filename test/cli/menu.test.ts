import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { accountDetails, accountLines } from '../../lib/cli/menu/account-lines.js'
import { accountChoices } from '../../lib/cli/menu/account-menu.js'
import { menuChoices } from '../../lib/cli/menu/menu.js'
import { wrapped } from '../../lib/cli/menu/wrap.js'
import { displayWidth } from '../../lib/kernel/table.js'
import type { AccountRow, WindowRow } from '../../lib/tools/account-row.js'

const NOW = Date.UTC(2026, 10, 21, 12)
const window = (name: string, leftPercent: number): WindowRow => ({
  name,
  kind: name === '5h' ? 'five_hour' : 'weekly',
  limitId: 'codex',
  leftPercent,
  resetsAtMs: NOW + 3_600_000,
  observedAtMs: NOW - 60_000,
})

function row(changes: Partial<AccountRow> = {}): AccountRow {
  return {
    index: 1,
    name: 'anna',
    kind: 'oauth',
    plan: 'plus',
    enabled: true,
    active: false,
    pinned: false,
    needsLogin: null,
    status: 'ok',
    windows: [window('5h', 62), window('7d', 81)],
    blocks: [],
    tags: [],
    note: null,
    lastUsedMs: 0,
    resetCredits: null,
    ...changes,
  }
}

const valuesOf = (choices: readonly { readonly value: string }[]): string[] =>
  choices.map(({ value }) => value)

describe('the lines of the menu', () => {
  it('show number, name, state and both windows side by side at 60 columns', () => {
    const rows = [
      row({ active: true, status: 'active', pinned: true }),
      row({
        index: 2,
        name: 'a-rather-long-name-of-an-account',
        status: 'limited until Thu 14:20',
      }),
    ]
    const [first = '', second = ''] = accountLines(rows, 54)
    expect(first).toMatch(/^1\* {2}anna .*active, pinned +5h 62% {2}7d 81%$/)
    expect(second).toMatch(/^2 {3}a-.*….*limited.* +5h 62% {2}7d 81%$/)
  })

  it('always fit the terminal, one per account', () => {
    const rows = fc.array(
      fc.record({
        name: fc
          .string({ minLength: 1, maxLength: 40, unit: 'grapheme' })
          .filter((name) => !/[\p{C}\p{Zl}\p{Zp}]/u.test(name)),
        status: fc.constantFrom('ok', 'disabled', 'limited until Thu 14:20'),
        pinned: fc.boolean(),
      }),
      { minLength: 1, maxLength: 12 },
    )
    fc.assert(
      fc.property(rows, fc.integer({ min: 46, max: 200 }), (given, width) => {
        const lines = accountLines(
          given.map((one, index) => row({ ...one, index: index + 1 })),
          width,
        )
        expect(lines).toHaveLength(given.length)
        for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(width)
      }),
    )
  })

  it('tell everything about one account, and no address', () => {
    const text = accountDetails(
      row({
        blocks: [{ scope: 'account', reason: 'usage_limit', untilMs: NOW + 7_200_000 }],
        tags: ['home'],
        note: 'mine',
        resetCredits: 2,
        email: 'a@example.test',
      }),
      NOW,
    )
    for (const part of [
      'ChatGPT, plus',
      '62% left, resets',
      'Limits read',
      '1 min ago',
      'usage limit until',
      'home',
      'mine',
      'never',
      '2',
    ])
      expect(text).toContain(part)
    expect(text).not.toContain('@')
  })
})

describe('the choices of the menu', () => {
  it('offer only what changes something', () => {
    expect(valuesOf(accountChoices(row()))).toEqual([
      'switch',
      'pin',
      'pin-hard',
      'toggle',
      'label',
      'limits',
      'details',
      'login',
      'remove',
      'back',
    ])
    expect(valuesOf(accountChoices(row({ active: true, pinned: true })))).toEqual([
      'unpin',
      'toggle',
      'label',
      'limits',
      'details',
      'login',
      'remove',
      'back',
    ])
    expect(valuesOf(accountChoices(row({ enabled: false })))).toEqual([
      'toggle',
      'label',
      'limits',
      'details',
      'login',
      'remove',
      'back',
    ])
    expect(valuesOf(accountChoices(row({ kind: 'api-key' })))).not.toContain('login')
  })

  it('offer an undo while there is something to undo, and no readings without accounts', () => {
    const pool = {
      version: 3 as const,
      activeIndex: 0,
      accounts: [{ uid: 'acc_1', addedAt: 0, lastUsed: 0 }],
    }
    expect(valuesOf(menuChoices(pool, [row()], undefined))).toEqual([
      'account:acc_1',
      'add',
      'limits',
      'import',
      'quit',
    ])
    expect(
      valuesOf(
        menuChoices({ ...pool, accounts: [] }, [], {
          uid: 'acc_1',
          name: 'Account 1',
          backup: 'copy.json',
        }),
      ),
    ).toEqual(['undo', 'add', 'import', 'quit'])
  })
})

describe('wrapping', () => {
  it('breaks between words only, loses nothing, and keeps to the width where words do', () => {
    fc.assert(
      fc.property(
        fc.array(fc.stringMatching(/^[a-z]{1,12}$/), { minLength: 1 }),
        fc.integer({ min: 12, max: 80 }),
        (words, width) => {
          const text = wrapped(words.join(' '), width)
          expect(text.split(/\s/)).toEqual(words)
          for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(width)
        },
      ),
    )
  })
})
