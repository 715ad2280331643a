import { describe, expect, it } from 'vitest'

import type { Account } from '../../lib/accounts/account.js'
import { errorOfRefusal } from '../../lib/request/failures/refusal.js'
import type { Block } from '../../lib/routing/limits.js'
import type { RefusedReason } from '../../lib/routing/types.js'
import { displayWidth } from '../../lib/kernel/text/sure-width.js'

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
interface Given {
  readonly reason?: RefusedReason
  readonly blocks?: readonly Block[]
  readonly free?: number
  readonly label?: string
  readonly concerned?: readonly Account[]
  readonly model?: string
  readonly hasUnusedCredits?: boolean
}

const refusal = (accounts: readonly Account[], given: Given = {}) =>
  errorOfRefusal(
    { uid: undefined, reason: given.reason ?? 'all_blocked', nextFreeAtMs: given.free },
    {
      accounts: accounts.length,
      concerned: given.concerned ?? accounts,
      quota: { activeBlocks: () => given.blocks ?? [], windowsByLimit: () => ({}) },
      label: ({ uid }) => given.label ?? uid,
      model: given.model ?? 'gpt-5.5',
      limitId: 'codex',
      hasUnusedCredits: given.hasUnusedCredits ?? false,
      nowMs: NOW,
    },
  )
const sentence = (accounts: readonly Account[], given: Given = {}): string =>
  refusal(accounts, given).message
const many = (count: number, fields: Partial<Account> = {}): Account[] =>
  Array.from({ length: count }, (_, index) => account(`Account ${String(index + 1)}`, fields))

const LIMIT = block('limit:codex', 'usage_limit', 5)
const FREE = { free: NOW + 5 * HOUR }

describe('the error when every account is blocked', () => {
  it('counts the accounts and tells the earliest end, however many they are', () => {
    for (const count of [2, 3, 40])
      expect(sentence(many(count), { blocks: [LIMIT], ...FREE })).toMatch(
        new RegExp(
          `^${count === 2 ? 'Both' : `All ${String(count)}`} accounts are at a limit; the first is free again .+ \\(in 5 h\\)\\.$`,
        ),
      )
    expect(sentence(many(3), { blocks: [block('*', 'forbidden', 5)], ...FREE })).toMatch(
      /^None of the 3 accounts can serve before .+ \(in 5 h\): refused by the backend\.$/,
    )
  })

  it('says of one account that it cannot serve, of several that none can', () => {
    for (const [reason, one, several] of [
      [
        'pool_blocked',
        /^Only 1 account may serve gpt-5\.5, and it cannot before /,
        /^Only 2 accounts may .*, and none can before /,
      ],
      [
        'fence_blocked',
        /^This project allows 1 account only, and it cannot serve before /,
        /^This project allows 2 accounts only, and none can serve before /,
      ],
    ] as const) {
      const three = many(3)
      expect(sentence(three, { reason, concerned: three.slice(0, 1), ...FREE })).toMatch(one)
      expect(sentence(three, { reason, concerned: three.slice(0, 2), ...FREE })).toMatch(several)
    }
  })

  it('names the only account, with the block that ends last', () => {
    expect(sentence([account('A')], { blocks: [block('*', 'forbidden', 1), LIMIT] })).toMatch(
      /^A is at its limit until .+ \(in 5 h\)\.$/,
    )
    expect(sentence([account('A')], { blocks: [block('*', 'forbidden', 5)], ...FREE })).toMatch(
      /^A cannot serve before .+ \(in 5 h\): refused by the backend\.$/,
    )
  })

  it('names no block of another model or another limit as the reason', () => {
    const others = [
      block('model:gpt-6-sol', 'model_not_supported', 24),
      block('limit:other', 'rate_limit', 48),
    ]
    expect(
      sentence([account('A')], { blocks: [block('limit:codex', 'usage_limit', 1), ...others] }),
    ).toMatch(/^A is at its limit until .+ \(in 1 h\)\.$/)
    expect(sentence([account('A')], { blocks: others })).toBe('A cannot serve now.')
  })

  it('speaks of those that could serve, and counts the ones that are disabled or signed out', () => {
    const disabled = many(2, { enabled: false })
    expect(sentence([account('A'), ...disabled], { blocks: [LIMIT] })).toMatch(
      /^A is at its limit until .+; 2 others are disabled or signed out\.$/,
    )
    expect(sentence([...many(3), ...disabled], { blocks: [LIMIT], ...FREE })).toMatch(
      /^Of those enabled, all 3 accounts are at a limit; the first is free again /,
    )
  })

  it('says how paid credits are allowed where there are some', () => {
    expect(refusal(many(3), { blocks: [LIMIT], hasUnusedCredits: true }).hint).toBe(
      'Use paid credits: {config set creditsPolicy allow}',
    )
  })
})

const REASONS = [
  'no_accounts',
  'pin_blocked',
  'fence_blocked',
  'pool_blocked',
  'login_needed',
  'all_disabled',
  'all_blocked',
  'all_tried',
] as const satisfies readonly RefusedReason[]
const NAMES = [
  'Account 1 (work)',
  `Account 1 (${'long '.repeat(40)})`,
  `Account 1 (${'👩‍👩‍👧‍👦'.repeat(30)})`,
  `Account 1 (${'漢字'.repeat(40)})`,
  'Account 1 (\u202eevil\u001b[31m)',
]

describe('whatever the reason, the accounts and their names, the error', () => {
  it.each(REASONS)('is one short line for %s, with something to do', (reason) => {
    for (const count of [1, 3, 40])
      for (const label of NAMES)
        for (const blocks of [[], [LIMIT], [block('*', 'workspace_deactivated', 24 * 30)]]) {
          const concerned = reason === 'pin_blocked' ? many(1) : many(count)
          const error = refusal(many(count), {
            reason,
            label,
            blocks,
            concerned,
            free: NOW + 30 * 24 * HOUR,
            model: 'gpt-'.repeat(30),
          })
          expect(displayWidth(error.message), error.message).toBeLessThanOrEqual(120)
          expect(error.message).toMatch(/^[^\n\u001b\u202e]+\.$/)
          expect(error.hint).not.toBe('')
        }
  })
})
