import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { formatPool, parsePool, withUids } from '../../lib/accounts/store/pool-format.js'
import { withActive, withLogin, withoutAccount } from '../../lib/accounts/edits.js'
import { isSameAccount, uidFor } from '../../lib/accounts/identity.js'
import { EMPTY_POOL } from '../../lib/accounts/account.js'

const record = (name: string) => ({
  refreshToken: `rt-${name}`,
  accountId: `id-${name}`,
  accountUserId: `u-${name}`,
  addedAt: 1,
  lastUsed: 2,
})

describe('parsePool', () => {
  it('opens a file of the earlier plugin unchanged but for names of its own', () => {
    const file = {
      version: 3,
      accounts: [{ ...record('a'), cooldownReason: 'auth-failure', coolingDownUntil: 9 }],
      activeIndex: 0,
      activeIndexByFamily: { codex: 0 },
    }
    const parsed = parsePool(JSON.stringify(file))
    expect(parsed.kind).toBe('pool')
    if (parsed.kind !== 'pool') return
    expect(JSON.parse(formatPool(parsed.pool))).toEqual({
      ...file,
      accounts: [{ ...file.accounts[0], uid: uidFor(record('a')) }],
    })
  })

  it('turns the one limit time of version 1 into a limit of the usual family', () => {
    const parsed = parsePool(
      JSON.stringify({
        version: 1,
        accounts: [{ ...record('a'), rateLimitResetTime: 77 }],
        activeIndex: 0,
      }),
    )
    expect(parsed).toMatchObject({
      kind: 'pool',
      fromVersion: 1,
      pool: { version: 3, accounts: [{ rateLimitResetTimes: { codex: 77 } }] },
    })
  })

  it('takes over what has the form of an account from version 2, and refuses when nothing has', () => {
    expect(
      parsePool(JSON.stringify({ version: 2, accounts: [record('a'), { odd: true }] })),
    ).toMatchObject({
      kind: 'pool',
      pool: { accounts: [{ refreshToken: 'rt-a' }], unreadableAccounts: [{ odd: true }] },
    })
    expect(parsePool(JSON.stringify({ version: 2, accounts: [{ odd: true }] }))).toMatchObject({
      kind: 'foreign',
    })
  })

  it('never drops a record it cannot read', () => {
    const parsed = parsePool(
      JSON.stringify({
        version: 3,
        accounts: [record('a'), { refreshToken: 5 }, 'text'],
        activeIndex: 0,
      }),
    )
    expect(parsed).toMatchObject({
      kind: 'pool',
      pool: { unreadableAccounts: [{ refreshToken: 5 }, 'text'] },
    })
  })

  it('reads again what it wrote, for any pool', () => {
    const accounts = fc.array(
      fc.record(
        {
          refreshToken: fc.string({ minLength: 1 }),
          accountId: fc.option(fc.uuid(), { nil: undefined }),
          extra: fc.jsonValue(),
        },
        { requiredKeys: ['refreshToken'] },
      ),
      { maxLength: 8 },
    )
    fc.assert(
      fc.property(
        accounts,
        fc.dictionary(
          fc
            .string({ minLength: 1 })
            .filter(
              (key) =>
                ![
                  'version',
                  'accounts',
                  'activeIndex',
                  'activeIndexByFamily',
                  'unreadableAccounts',
                  '__proto__',
                ].includes(key),
            ),
          fc.jsonValue(),
        ),
        (list, unknown) => {
          const first = parsePool(
            JSON.stringify({ ...unknown, version: 3, accounts: list, activeIndex: 0 }),
          )
          if (first.kind !== 'pool') throw new Error('not read')
          const second = parsePool(formatPool(first.pool))
          expect(second).toEqual({
            kind: 'pool',
            pool: JSON.parse(formatPool(first.pool)),
            fromVersion: 3,
          })
        },
      ),
    )
  })
})

describe('names of accounts', () => {
  it('stay with their accounts whatever is removed, added or reordered', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.stringMatching(/^[a-z]{1,6}$/), { minLength: 2, maxLength: 8 }),
        fc.nat(),
        (names, pick) => {
          const pool = { ...EMPTY_POOL, accounts: withUids(names.map(record)) }
          const gone = pool.accounts[pick % names.length]!
          const after = withoutAccount(pool, gone.uid)
          for (const account of after.accounts)
            expect(pool.accounts.find((one) => one.accountId === account.accountId)?.uid).toBe(
              account.uid,
            )
          expect(withUids([...pool.accounts].reverse()).map((one) => one.uid)).toEqual(
            [...pool.accounts].reverse().map((one) => one.uid),
          )
        },
      ),
    )
  })

  it('are different for two seats of one workspace and for two workspaces of one person', () => {
    const seat = (workspace: string, user: string) => ({
      ...record('x'),
      accountId: workspace,
      accountUserId: user,
      email: 'same@example.com',
    })
    const uids = [seat('w1', 'u1'), seat('w1', 'u2'), seat('w2', 'u1')].map(uidFor)
    expect(new Set(uids).size).toBe(3)
  })

  it('are kept when a copy of the same login is added a second time', () => {
    const [first, second] = withUids([record('a'), record('a')])
    expect(first?.uid).not.toBe(second?.uid)
  })
})

describe('withLogin', () => {
  it('gives a known account its new tokens in place and leaves what its owner set', () => {
    const { pool } = withLogin(
      {
        ...EMPTY_POOL,
        accounts: withUids([
          record('a'),
          {
            ...record('b'),
            accountLabel: 'work',
            enabled: false,
            needsLogin: { since: 1, reason: 'x' },
          },
        ]),
      },
      { ...record('b'), refreshToken: 'rt-new', accountLabel: 'other' },
    )
    expect(pool.accounts).toHaveLength(2)
    expect(pool.accounts[1]).toMatchObject({ refreshToken: 'rt-new', accountLabel: 'work' })
    expect(pool.accounts[1]).not.toHaveProperty('needsLogin')
    expect(pool.accounts[1]?.enabled).not.toBe(false)
  })

  it('knows a record again that was written before seats were stored', () => {
    expect(
      isSameAccount(
        { accountId: 'w', email: 'A@x.de', addedAt: 0, lastUsed: 0 },
        { accountId: 'w', accountUserId: 'u', email: 'a@x.de', addedAt: 0, lastUsed: 0 },
      ),
    ).toBe(true)
    expect(
      isSameAccount(
        { accountId: 'w', email: 'b@x.de', addedAt: 0, lastUsed: 0 },
        { accountId: 'w', accountUserId: 'u', email: 'a@x.de', addedAt: 0, lastUsed: 0 },
      ),
    ).toBe(false)
  })
})

describe('withoutAccount', () => {
  it('keeps the active account active', () => {
    const pool = withActive(
      { ...EMPTY_POOL, accounts: withUids(['a', 'b', 'c'].map(record)) },
      uidFor(record('c')),
    )
    const after = withoutAccount(pool, uidFor(record('a')))
    expect(after.accounts[after.activeIndex]?.accountId).toBe('id-c')
  })

  it('drops the rules that named the removed account', () => {
    const uid = uidFor(record('a'))
    const pool = {
      ...EMPTY_POOL,
      accounts: withUids([record('a'), record('b')]),
      rules: { pin: { uid, mode: 'hard' } },
    }
    expect(withoutAccount(pool, uid)).not.toHaveProperty('rules')
  })
})
