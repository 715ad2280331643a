import { describe, expect, it } from 'vitest'

import { followUps } from '../../lib/tui/dialogs/follow-ups.js'

const keys = (name: string, args: Record<string, unknown>, data: unknown): string =>
  followUps(name, args, data)
    .map(({ key }) => key)
    .join('')

describe('the keys below a result about accounts', () => {
  it('are those of every account, also where the result shows some of them or none', () => {
    expect(keys('limits', { account: '2' }, { accounts: [{}] })).toBe('spela')
    expect(keys('list', { tag: 'none' }, { accounts: [], totalAccounts: 3 })).toBe('spela')
  })

  it('offer no switch to the only account, and nothing where there is none', () => {
    expect(keys('limits', {}, { accounts: [{}] })).toBe('pela')
    expect(keys('list', {}, { accounts: [{}], totalAccounts: 1 })).toBe('pela')
    expect(keys('list', {}, { accounts: [], totalAccounts: 0 })).toBe('')
    expect(keys('status', {}, { accounts: [] })).toBe('')
  })
})
