import { describe, expect, it } from 'vitest'

import type { Account } from '../../lib/accounts/account.js'
import { errorOfRefusal } from '../../lib/request/failures/refusal.js'
import type { Block } from '../../lib/routing/limits.js'

const NOW = 1_800_000_000_000
const HOUR = 3_600_000
const account = (uid: string, fields: Partial<Account> = {}): Account => ({
  uid,
  addedAt: 0,
  lastUsed: 0,
  ...fields,
})
const block = (scope: string, reason: Block['reason'], hours: number): Block => ({
  scope,
  reason,
  source: 'body',
  sinceMs: NOW,
  untilMs: NOW + hours * HOUR,
})
const sentence = (accounts: readonly Account[], blocks: readonly Block[]): string =>
  errorOfRefusal(
    { uid: undefined, reason: 'all_blocked', nextFreeAtMs: undefined },
    {
      accounts: accounts.length,
      concerned: accounts,
      quota: { activeBlocks: () => blocks, windowsByLimit: () => ({}) },
      label: ({ uid }) => uid,
      model: 'gpt-5.5',
      limitId: 'codex',
      hasUnusedCredits: false,
      nowMs: NOW,
    },
  ).message

describe('the error when every account is blocked', () => {
  it('tells of several blocks the one that ends last', () => {
    expect(
      sentence(
        [account('A')],
        [block('*', 'forbidden', 1), block('limit:codex', 'usage_limit', 5)],
      ),
    ).toMatch(/ \(A: usage used up until /)
  })

  it('names no block of another model or another limit as the reason', () => {
    expect(
      sentence(
        [account('A')],
        [
          block('limit:codex', 'usage_limit', 1),
          block('model:gpt-6-sol', 'model_not_supported', 24),
          block('limit:other', 'rate_limit', 48),
        ],
      ),
    ).toMatch(/ \(A: usage used up until /)
    expect(
      sentence([account('A')], [block('model:gpt-6-sol', 'model_not_supported', 24)]),
    ).not.toContain('(')
  })

  it('leaves out who is switched off or has to sign in, and counts the many', () => {
    const blocks = [block('*', 'forbidden', 1)]
    expect(sentence([account('A', { enabled: false })], blocks)).not.toContain('(')
    expect(
      sentence(
        ['A', 'B', 'C', 'D', 'E'].map((uid) => account(uid)),
        blocks,
      ),
    ).toMatch(/A: .*; B: .*; C: .*; and 2 more\)\.$/)
  })
})
