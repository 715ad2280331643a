import { describe, expect, it } from 'vitest'

import { findAccount } from '../../lib/account-view/find-account.js'
import type { Account, AccountPool } from '../../lib/accounts/account.js'

const poolOf = (...labels: string[]): AccountPool =>
  ({
    accounts: labels.map(
      (accountLabel, index) => ({ uid: `acc_${index}`, accountLabel }) as unknown as Account,
    ),
    activeIndex: 0,
  }) as unknown as AccountPool
const found = (pool: AccountPool, name: string): number => findAccount(pool, name, true).position

describe('an account that is named as a table draws it', () => {
  it('is found, whatever its label is made of', () => {
    const pool = poolOf('👩‍💻 work', 'काम', '🇩🇪 personal')
    expect(['👩 work', 'कम', 'DE personal', 'de pers'].map((name) => found(pool, name))).toEqual([
      0, 1, 2, 2,
    ])
  })

  it('is the one with this very label, where another looks the same', () => {
    const pool = poolOf('काम', 'कम')
    expect(found(pool, 'काम')).toBe(0)
    expect(found(pool, 'कम')).toBe(1)
  })

  it('is asked for by its number, where two look the same', () => {
    expect(() => found(poolOf('❤️ a', '♥ a'), '♥️ a')).toThrow('fits several accounts')
  })
})
