import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { type AccountPool, EMPTY_POOL, type StoredAccount } from '../../lib/accounts/account.js'
import { indexOf, isSameAccount } from '../../lib/accounts/identity.js'
import { withoutAccounts } from '../../lib/accounts/edits.js'
import { mergePools } from '../../lib/accounts/merge.js'
import { withUids } from '../../lib/accounts/store/pool-format.js'
import { restored } from '../../lib/accounts/restore.js'
import { planImport } from '../../lib/transfer/import.js'

/** Accounts that count how often anybody looks whose they are. */
function counted(count: number, form: (number: number) => Partial<StoredAccount>) {
  let looks = 0
  const accounts = Array.from({ length: count }, (_, number): StoredAccount => {
    const { accountId, ...rest } = form(number)
    return Object.defineProperty(
      { addedAt: 1, lastUsed: 0, refreshToken: `rt-${number}`, ...rest },
      'accountId',
      {
        enumerable: true,
        get: () => {
          looks += 1
          return accountId
        },
      },
    )
  })
  return { accounts, looks: () => looks }
}

const FORMS: readonly (readonly [string, (number: number) => Partial<StoredAccount>])[] = [
  [
    'seats of workspaces of their own',
    (number) => ({
      accountId: `w-${number}`,
      accountUserId: `u-${number}`,
      email: `a${number}@x.de`,
    }),
  ],
  ['seats of one workspace', (number) => ({ accountId: 'w', accountUserId: `u-${number}` })],
  ['records without a seat', (number) => ({ accountId: `w-${number}`, email: `a${number}@x.de` })],
  ['addresses alone', (number) => ({ email: `a${number}@x.de` })],
  [
    'API keys',
    (number) => ({ kind: 'api-key', apiKey: `sk-${number}`, baseUrl: 'https://own.example/v1' }),
  ],
]
const OPTIONS = { mode: 'replace', maskEmail: true, nowMs: 1 } as const

describe('an import of thousands of accounts', () => {
  it.each(FORMS)(
    'looks at each a few times, however many there are (%s); the time grew with their square',
    (_what, form) => {
      const looksFor = (count: number): number => {
        const { accounts, looks } = counted(count, form)
        const found = accounts.map((account) => ({
          source: 'file' as const,
          path: 'f',
          account,
          foreign: false,
        }))
        const { pool, added } = planImport(EMPTY_POOL, found, OPTIONS)
        expect(added).toBe(count)
        const again = planImport(pool, found, OPTIONS)
        expect([again.added, again.unchanged, again.removed]).toEqual([0, count, 0])
        return looks()
      }
      expect(looksFor(1_200) / looksFor(300)).toBeLessThan(6)
    },
  )

  it('finds the same names for all of one name without searching through them', () => {
    const accounts = withUids(
      Array.from({ length: 3_000 }, () => ({
        uid: 'acc_same',
        refreshToken: 'rt',
        addedAt: 0,
        lastUsed: 0,
      })),
    )
    expect(new Set(accounts.map(({ uid }) => uid)).size).toBe(3_000)
    expect(accounts.slice(0, 3).map(({ uid }) => uid)).toEqual([
      'acc_same',
      'acc_same-2',
      'acc_same-3',
    ])
  })

  it('is undone by putting all of them back at their places', () => {
    const accounts = withUids(
      Array.from({ length: 3_000 }, (_, number) => ({
        refreshToken: `rt-${number}`,
        accountId: `w-${number}`,
        addedAt: 0,
        lastUsed: 0,
      })),
    )
    const copy: AccountPool = { ...EMPTY_POOL, accounts }
    const uids = new Set(accounts.filter((_, number) => number % 3 !== 0).map(({ uid }) => uid))
    const less = withoutAccounts(copy, uids)
    expect(less.accounts).toHaveLength(1_000)
    expect(restored(less, copy, uids).accounts.map(({ uid }) => uid)).toEqual(
      accounts.map(({ uid }) => uid),
    )
  })
})

const identity = fc.record(
  {
    kind: fc.constantFrom('oauth' as const, 'api-key' as const),
    accountId: fc.constantFrom('w1', 'w2'),
    accountUserId: fc.constantFrom('u1', 'u2'),
    organizationId: fc.constantFrom('o1'),
    email: fc.constantFrom('a@x.de', 'A@x.de', 'b@x.de'),
    apiKey: fc.constantFrom('k1', 'k2'),
    tokenRotatedAt: fc.nat(3),
  },
  { requiredKeys: [] },
)
const record = identity.map((one): StoredAccount => ({
  addedAt: 0,
  lastUsed: 0,
  refreshToken: `rt-${JSON.stringify(one)}`,
  ...one,
}))

describe('the index of accounts', () => {
  it('finds an account exactly where a comparison with each one does', () => {
    fc.assert(
      fc.property(fc.array(record, { maxLength: 8 }), record, (accounts, wanted) => {
        const found = indexOf(accounts).find(wanted)
        expect(found ?? -1).toBe(accounts.findIndex((account) => isSameAccount(account, wanted)))
      }),
      { numRuns: 2_000 },
    )
  })

  it('follows a list that changes', () => {
    fc.assert(
      fc.property(
        fc.array(record, { minLength: 1, maxLength: 6 }),
        fc.nat(),
        record,
        record,
        (accounts, at, next, wanted) => {
          const index = indexOf(accounts)
          const position = at % accounts.length
          index.set(position, next)
          const changed = accounts.with(position, next)
          const found = index.find(wanted)
          expect(found === undefined).toBe(
            !changed.some((account) => isSameAccount(account, wanted)),
          )
          if (found !== undefined) expect(isSameAccount(changed[found]!, wanted)).toBe(true)
        },
      ),
      { numRuns: 1_000 },
    )
  })

  it('lets a merge lose nobody: every login of either pool is in the result once', () => {
    fc.assert(
      fc.property(
        fc.array(record, { maxLength: 6 }),
        fc.array(record, { maxLength: 6 }),
        (ours, theirs) => {
          const pool: AccountPool = { ...EMPTY_POOL, accounts: withUids(ours) }
          const {
            pool: merged,
            added,
            updated,
            unchanged,
          } = mergePools(pool, { ...EMPTY_POOL, accounts: withUids(theirs) })
          expect(added + updated + unchanged).toBe(theirs.length)
          expect(merged.accounts).toHaveLength(ours.length + added)
          expect(
            pool.accounts.every(({ uid }) => merged.accounts.some((one) => one.uid === uid)),
          ).toBe(true)
          // Each is there once it came: a later one may name the account closer than the earlier one could.
          let grown = pool
          for (const account of withUids(theirs)) {
            grown = mergePools(grown, { ...EMPTY_POOL, accounts: [account] }).pool
            expect(grown.accounts.some((one) => isSameAccount(one, account))).toBe(true)
          }
          expect(grown.accounts).toHaveLength(merged.accounts.length)
          expect(new Set(merged.accounts.map(({ uid }) => uid)).size).toBe(merged.accounts.length)
        },
      ),
    )
  })
})
