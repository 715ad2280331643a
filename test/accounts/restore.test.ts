import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import type { AccountPool } from '../../lib/accounts/account.js'
import { withActive, withLogin, withoutAccount } from '../../lib/accounts/edits.js'
import { restored } from '../../lib/accounts/restore.js'
import { rulesOf, withRules } from '../../lib/accounts/rules.js'

const login = (name: string) => ({
  refreshToken: `rt-${name}`,
  accountId: `id-${name}`,
  accountUserId: `user-${name}`,
  addedAt: 1,
  lastUsed: 0,
})

function poolOf(count: number, active: number): AccountPool {
  let pool: AccountPool = {
    version: 3,
    accounts: [],
    activeIndex: 0,
    activeIndexByFamily: { codex: 0 },
  }
  for (let index = 0; index < count; index += 1) pool = withLogin(pool, login(String(index))).pool
  return withActive(pool, pool.accounts[active]?.uid ?? '')
}

const uidsOf = (pool: AccountPool): string[] => pool.accounts.map(({ uid }) => uid)

describe('bringing removed accounts back', () => {
  it('undoes any removal: places, active account and pins are as before', () => {
    const cases = fc
      .integer({ min: 1, max: 7 })
      .chain((count) =>
        fc.tuple(
          fc.constant(count),
          fc.nat(count - 1),
          fc.nat(count - 1),
          fc.uniqueArray(fc.nat(count - 1), { minLength: 1 }),
        ),
      )
    fc.assert(
      fc.property(cases, ([count, active, pinned, gone]) => {
        const plain = poolOf(count, active)
        const pin = { uid: plain.accounts[pinned]?.uid ?? '', mode: 'hard' as const }
        const before = withRules(plain, { pin, projectPins: { site: pin } })
        const uids = gone.map((index) => before.accounts[index]?.uid ?? '')
        const without = uids.reduce(withoutAccount, before)
        expect(restored(without, before, new Set(uids))).toEqual(before)
      }),
    )
  })

  it('leaves alone what changed since: a new login of the account, other accounts, a newer pin', () => {
    const before = withRules(poolOf(3, 0), {
      pin: { uid: uidsOf(poolOf(3, 0))[0] ?? '', mode: 'soft' },
    })
    const [first = '', second = ''] = uidsOf(before)
    const later = withLogin(withoutAccount(before, first), login('new')).pool
    const repinned = withRules(later, { pin: { uid: second, mode: 'hard' } })
    const back = restored(repinned, before, new Set([first]))
    expect(uidsOf(back)).toEqual([...uidsOf(before), uidsOf(later).at(-1)])
    expect(rulesOf(back).pin).toEqual({ uid: second, mode: 'hard' })
    const again = withLogin(withoutAccount(before, first), {
      ...login('0'),
      refreshToken: 'rt-newer',
    }).pool
    expect(restored(again, before, new Set([first]))).toBe(again)
  })
})
