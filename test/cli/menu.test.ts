import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import type { AccountState } from '../../lib/account-view/state.js'
import type { AccountView } from '../../lib/account-view/view.js'
import { accountLines } from '../../lib/cli/menu/account-lines.js'
import { accountChoices } from '../../lib/cli/menu/account-menu.js'
import { menuChoices } from '../../lib/cli/menu/menu.js'
import { wrapped } from '../../lib/kernel/text/wrap.js'
import { displayWidth } from '../../lib/kernel/text/sure-width.js'
import { accountView, windowView } from '../support/account-view.js'

const NOW = Date.UTC(2026, 10, 21, 12)
const times = { resetsAtMs: NOW + 3_600_000, observedAtMs: NOW - 60_000 }
const windows = [windowView('five_hour', 62, times), windowView('weekly', 81, times)]
const view = (changes: Partial<AccountView> = {}): AccountView =>
  accountView({ windows, ...changes })
const LIMITED: AccountState = {
  kind: 'limited',
  evidence: { code: 'window_exhausted', kind: 'weekly', usedPercent: 100, untilMs: NOW + 9e7 },
  untilMs: NOW + 9e7,
}
const PIN = { uid: 'acc_1', mode: 'soft', scope: 'global' } as const

const valuesOf = (choices: readonly { readonly value: string }[]): string[] =>
  choices.map(({ value }) => value)

describe('the lines of the menu', () => {
  it('show number, name, state and both windows side by side at 60 columns', () => {
    const views = [
      view({ active: true, pin: PIN }),
      view({ index: 2, name: 'a-rather-long-name-of-an-account', state: LIMITED }),
    ]
    // The library takes 15 of the 60.
    const [first = '', second = ''] = accountLines(views, 45, NOW)
    expect(first).toMatch(/^1\* {2}anna .*active, pinned +5h 62% {2}7d 81%$/)
    expect(second).toMatch(/^2 {3}a-.*… {2}until Sun \d\d:\d\d +5h 62% {2}7d 81%$/)
  })

  it('always fit the terminal, one per account', () => {
    const views = fc.array(
      fc.record({
        name: fc
          .string({ minLength: 1, maxLength: 40, unit: 'grapheme' })
          .filter((name) => !/[\p{C}\p{Zl}\p{Zp}]/u.test(name)),
        state: fc.constantFrom<AccountState>({ kind: 'disabled' }, LIMITED),
        pin: fc.constantFrom(PIN, undefined),
      }),
      { minLength: 1, maxLength: 12 },
    )
    fc.assert(
      fc.property(views, fc.integer({ min: 46, max: 200 }), (given, width) => {
        const lines = accountLines(
          given.map((one, index) => view({ ...one, index: index + 1 })),
          width,
          NOW,
        )
        expect(lines).toHaveLength(given.length)
        for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(width)
      }),
    )
  })
})

describe('the choices of the menu', () => {
  const offered = (changes: Partial<AccountView>): string[] =>
    valuesOf(accountChoices(view(changes), [view(changes)]))
  const ALWAYS = ['toggle', 'label', 'limits', 'details', 'login', 'remove', 'back']

  it('offer only what changes something', () => {
    expect(offered({})).toEqual(['switch', 'pin', 'pin-hard', ...ALWAYS])
    expect(offered({ active: true, pin: PIN })).toEqual(['unpin', ...ALWAYS])
    expect(offered({ enabled: false })).toEqual(ALWAYS)
    expect(offered({ kind: 'api-key' })).not.toContain('login')
  })

  it('offer to switch to the active account while another one is pinned', () => {
    const active = view({ active: true })
    const pinned = view({ uid: 'acc_2', pin: { ...PIN, uid: 'acc_2' } })
    expect(valuesOf(accountChoices(active, [active, pinned]))).toContain('switch')
  })

  it('offer an undo while there is something to undo, and no readings without accounts', () => {
    const removal = { uid: 'acc_1', name: 'Account 1', backup: 'copy.json' }
    expect(valuesOf(menuChoices([view()], undefined, NOW))).toEqual([
      'account:acc_1',
      'add',
      'limits',
      'import',
      'quit',
    ])
    expect(valuesOf(menuChoices([], removal, NOW))).toEqual(['undo', 'add', 'import', 'quit'])
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
