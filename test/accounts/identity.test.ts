import { describe, expect, it } from 'vitest'

import { EMPTY_POOL, type StoredAccount } from '../../lib/accounts/account.js'
import { withLogin } from '../../lib/accounts/edits.js'
import { indexOf, isSameAccount, uidFor } from '../../lib/accounts/identity.js'

const record = (facts: Partial<StoredAccount>): StoredAccount => ({
  addedAt: 0,
  lastUsed: 0,
  ...facts,
})
const key = (apiKey: string, baseUrl?: string): StoredAccount =>
  record({ kind: 'api-key', apiKey, ...(baseUrl === undefined ? {} : { baseUrl }) })

/** Every one of a row is an account of its own; taken for one of the others it would take its place in the pool. */
const DIFFERENT: readonly (readonly [string, readonly StoredAccount[]])[] = [
  ['two API keys of one endpoint', [key('sk-1'), key('sk-2'), key('')]],
  [
    'one API key at two endpoints',
    [key('sk-1'), key('sk-1', 'https://a.test'), key('sk-1', 'https://b.test')],
  ],
  ['an API key and a login', [key('sk-1'), record({ refreshToken: 'sk-1' })]],
  [
    'two seats of one workspace',
    [
      record({ accountId: 'w', accountUserId: 'u1', email: 'a@x.test' }),
      record({ accountId: 'w', accountUserId: 'u2', email: 'a@x.test' }),
    ],
  ],
  [
    'one person in two workspaces',
    [
      record({ accountId: 'w1', accountUserId: 'u', email: 'a@x.test' }),
      record({ accountId: 'w2', accountUserId: 'u', email: 'a@x.test' }),
    ],
  ],
  [
    'two people in one workspace whose seats are not known',
    [
      record({ accountId: 'w', email: 'a@x.test' }),
      record({ accountId: 'w', email: 'b@x.test' }),
      record({ accountId: 'w' }),
    ],
  ],
  [
    'two workspaces of one address whose seats are not known',
    [
      record({ accountId: 'w1', email: 'a@x.test' }),
      record({ accountId: 'w2', email: 'a@x.test' }),
    ],
  ],
  [
    'one address in two organizations of one workspace whose seats are not known',
    [
      record({ accountId: 'w', email: 'a@x.test', organizationId: 'o1' }),
      record({ accountId: 'w', email: 'a@x.test', organizationId: 'o2' }),
    ],
  ],
  [
    'two users without a workspace',
    [record({ accountUserId: 'u1' }), record({ accountUserId: 'u2' })],
  ],
  [
    'two addresses, or one in two organizations',
    [
      record({ email: 'a@x.test' }),
      record({ email: 'b@x.test' }),
      record({ email: 'a@x.test', organizationId: 'o' }),
    ],
  ],
  [
    'two logins of which nothing is known',
    [
      record({ refreshToken: 'rt_1' }),
      record({ refreshToken: 'rt_2' }),
      record({ accessToken: 'at_1' }),
      record({ accessToken: 'at_2' }),
    ],
  ],
]

describe('different accounts', () => {
  it.each(DIFFERENT)(
    '%s never replace each other and have names of their own',
    (_what, accounts) => {
      for (const [index, one] of accounts.entries()) {
        for (const other of accounts.slice(index + 1))
          expect([isSameAccount(one, other), isSameAccount(other, one)]).toEqual([false, false])
        expect(indexOf(accounts.slice(index + 1)).find(one)).toBeUndefined()
      }
      expect(new Set(accounts.map(uidFor)).size).toBe(accounts.length)
      const pool = accounts.reduce((before, one) => withLogin(before, one).pool, EMPTY_POOL)
      expect(pool.accounts).toHaveLength(accounts.length)
    },
  )
})

describe('one account', () => {
  it.each([
    [
      'with new tokens',
      record({ accountId: 'w', accountUserId: 'u', refreshToken: 'rt_1' }),
      record({ accountId: 'w', accountUserId: 'u', refreshToken: 'rt_2' }),
    ],
    [
      'with its address in other letters',
      record({ accountId: 'w', email: 'Ann@X.test' }),
      record({ accountId: 'w', email: 'ann@x.test' }),
    ],
    [
      'of which an earlier version did not know the seat',
      record({ accountId: 'w', email: 'Ann@X.test' }),
      record({ accountId: 'w', accountUserId: 'u', email: 'ann@x.test' }),
    ],
    [
      'of which one record does not know the organization',
      record({ accountId: 'w', email: 'a@x.test' }),
      record({ accountId: 'w', email: 'a@x.test', organizationId: 'o' }),
    ],
    [
      'with a key for the same endpoint',
      key('sk-1', 'https://a.test'),
      key('sk-1', 'https://a.test'),
    ],
  ])('%s is taken for itself', (_what, one, other) => {
    expect([isSameAccount(one, other), isSameAccount(other, one)]).toEqual([true, true])
    expect([indexOf([one]).find(other), indexOf([other]).find(one)]).toEqual([0, 0])
    expect(withLogin(withLogin(EMPTY_POOL, one).pool, other).pool.accounts).toHaveLength(1)
  })
})
