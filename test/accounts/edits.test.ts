import { describe, expect, it } from 'vitest'

import type { Account, AccountPool, StoredAccount } from '../../lib/accounts/account.js'
import { withAccount, withActive, withLogin, withoutAccounts } from '../../lib/accounts/edits.js'
import { isSameAccount, uidFor } from '../../lib/accounts/identity.js'
import { accountName, ownName, withPlainNames } from '../../lib/accounts/labels.js'
import { mergePools, repaired } from '../../lib/accounts/merge.js'
import { rulesOf, withRules } from '../../lib/accounts/rules.js'
import { restored } from '../../lib/accounts/restore.js'
import { unreadableRecords, unreadableText } from '../../lib/accounts/store/unreadable.js'

const record = (name: string, changes: Partial<Account> = {}): Account => ({
  uid: name,
  refreshToken: `rt_${name}`,
  accountId: `id_${name}`,
  accountUserId: `user_${name}`,
  email: `${name}@example.com`,
  addedAt: 1,
  lastUsed: 2,
  ...changes,
})
const poolOf = (names: string, more: Partial<AccountPool> = {}): AccountPool => ({
  version: 3,
  accounts: names.split('').map((name) => record(name)),
  activeIndex: 0,
  ...more,
})
const namesOf = (pool: AccountPool): string => pool.accounts.map(({ uid }) => uid).join('')

describe('a login of a known account', () => {
  it('brings its tokens, lifts every old mark, and touches nothing that its owner set', () => {
    const owned = {
      accountLabel: 'Work',
      accountTags: ['a'],
      accountNote: 'mine',
      addedAt: 5,
      lastUsed: 6,
    }
    const known = record('a', {
      ...owned,
      needsLogin: { since: 1, reason: 'refused' },
      sealed: 'sealed',
      enabled: false,
      rateLimitResetTimes: { codex: 9 },
      coolingDownUntil: 9,
      cooldownReason: 'x',
      planType: 'plus',
    })
    const login: StoredAccount = {
      ...record('a', { uid: 'other', accountLabel: 'Else', accountTags: ['z'], accountNote: 'z' }),
      refreshToken: 'rt_new',
      accessToken: 'at_new',
      addedAt: 99,
      lastUsed: 99,
    }
    const before = poolOf('xb')
    const pool = { ...before, accounts: [before.accounts[0]!, known, before.accounts[1]!] }
    const after = withLogin(pool, login)
    expect(after.added).toBe(false)
    expect(after.account).toEqual({
      ...record('a'),
      ...owned,
      planType: 'plus',
      refreshToken: 'rt_new',
      accessToken: 'at_new',
    })
    expect(after.pool.accounts).toEqual([before.accounts[0], after.account, before.accounts[1]])
  })

  it('that is not known stands at the end under a name of its own', () => {
    const { uid: _none, ...login } = record('c')
    const { pool, account, added } = withLogin(poolOf('ab'), login)
    expect([added, namesOf(pool), pool.accounts.at(-1)]).toEqual([
      true,
      `ab${account.uid}`,
      account,
    ])
    expect(account).toEqual({ ...login, uid: uidFor(login) })
  })
})

describe('a change of one account', () => {
  it('leaves the others and writes nothing when there is nothing to change', () => {
    const pool = poolOf('abc')
    const after = withAccount(pool, 'b', (account) => ({ ...account, accountNote: 'x' }))
    expect(after.accounts).toEqual([record('a'), record('b', { accountNote: 'x' }), record('c')])
    expect(withAccount(pool, 'b', (account) => account)).toBe(pool)
    expect(withAccount(pool, 'z', () => record('z'))).toBe(pool)
  })

  it('of which one is active reaches every family, and is none where it is already or nobody has that name', () => {
    const pool = poolOf('abc', { activeIndexByFamily: { codex: 0, other: 1 } })
    expect(withActive(pool, 'c')).toEqual({
      ...pool,
      activeIndex: 2,
      activeIndexByFamily: { codex: 2, other: 2 },
    })
    expect(withActive(poolOf('abc'), 'b')).toEqual(poolOf('abc', { activeIndex: 1 }))
    expect(withActive(pool, 'a')).toBe(pool)
    expect(withActive(pool, 'z')).toBe(pool)
  })
})

describe('removing accounts', () => {
  it.each([
    ['a', 2, 'bcd', 1],
    ['c', 2, 'abd', 2],
    ['d', 2, 'abc', 2],
    ['d', 3, 'abc', 2],
    ['ab', 1, 'cd', 0],
    ['abcd', 3, '', 0],
    ['bd', 0, 'ac', 0],
  ])(
    '%s while number %i is active leaves %s, with the active one active where it is still there',
    (gone, activeIndex, left, active) => {
      const pool = poolOf('abcd', {
        activeIndex,
        activeIndexByFamily: { codex: activeIndex, first: 0 },
      })
      const after = withoutAccounts(pool, new Set(gone))
      expect([namesOf(after), after.activeIndex, after.activeIndexByFamily]).toEqual([
        left,
        active,
        { codex: active, first: 0 },
      ])
    },
  )

  it('that are not there changes nothing, and no list of families comes into being', () => {
    const pool = poolOf('ab')
    expect(withoutAccounts(pool, new Set(['z']))).toBe(pool)
    expect(withoutAccounts(pool, new Set())).toBe(pool)
    expect('activeIndexByFamily' in withoutAccounts(pool, new Set(['a']))).toBe(false)
  })

  it('takes the pins that named them, and no other; putting them back brings those back', () => {
    const pins = {
      pin: { uid: 'a', mode: 'soft' },
      projectPins: { p: { uid: 'a', mode: 'soft' }, q: { uid: 'b', mode: 'soft' } },
      sessionPins: { s: { uid: 'b', mode: 'soft' }, t: { uid: 'a', mode: 'soft' } },
    } as never
    const before = withRules(
      poolOf('abc', { activeIndex: 1, activeIndexByFamily: { codex: 0, other: 2 } }),
      pins,
    )
    const after = withoutAccounts(before, new Set(['a']))
    expect(rulesOf(after)).toMatchObject({
      projectPins: { q: { uid: 'b', mode: 'soft' } },
      sessionPins: { s: { uid: 'b', mode: 'soft' } },
    })
    expect(JSON.stringify(rulesOf(after))).not.toContain('"a"')
    const back = restored(after, before, new Set(['a']))
    expect(back).toEqual(before)
    expect(rulesOf(withoutAccounts(before, new Set(['c'])))).toEqual(rulesOf(before))
  })

  it('and putting them back leaves the families where they stood, but for those that stood on a removed one', () => {
    const before = poolOf('abcd', {
      activeIndex: 3,
      activeIndexByFamily: { codex: 1, other: 3, third: 0 },
    })
    const after = withActive(withoutAccounts(before, new Set(['b'])), 'c')
    expect(after.activeIndexByFamily).toEqual({ codex: 1, other: 1, third: 1 })
    const back = restored(after, before, new Set(['b']))
    expect([namesOf(back), back.activeIndex, back.activeIndexByFamily]).toEqual([
      'abcd',
      2,
      { codex: 1, other: 2, third: 2 },
    ])
    expect(restored(after, before, new Set(['a']))).toBe(after)
    expect('activeIndexByFamily' in restored(poolOf('a'), poolOf('ab'), new Set(['b']))).toBe(false)
  })
})

describe('merging two pools', () => {
  it('appends what is unknown, takes the tokens that were rotated last, and counts all three', () => {
    const ours: AccountPool = {
      ...poolOf('abcd'),
      accounts: [
        record('a', { tokenRotatedAt: 5 }),
        record('b', { tokenRotatedAt: 5 }),
        record('c', { tokenRotatedAt: 5 }),
        record('d'),
      ],
    }
    const theirs: AccountPool = {
      ...poolOf('abcde'),
      accounts: [
        record('a', { tokenRotatedAt: 6, refreshToken: 'rt_newer' }),
        record('b', { tokenRotatedAt: 5, refreshToken: 'rt_same_age' }),
        record('c', { tokenRotatedAt: 4, refreshToken: 'rt_older' }),
        record('d', { refreshToken: 'rt_no_age' }),
        record('e'),
      ],
    }
    const merged = mergePools(ours, theirs)
    expect(merged).toEqual({
      pool: {
        ...ours,
        accounts: [
          record('a', { tokenRotatedAt: 6, refreshToken: 'rt_newer' }),
          ...ours.accounts.slice(1),
          record('e'),
        ],
      },
      added: 1,
      updated: 1,
      unchanged: 3,
    })
    expect(mergePools(ours, { ...ours, accounts: ours.accounts.slice(1) }).pool).toBe(ours)
  })

  it('takes tokens that have an age for a record that has none', () => {
    const { pool, updated } = mergePools(poolOf('a'), {
      ...poolOf('a'),
      accounts: [record('a', { tokenRotatedAt: 1, refreshToken: 'rt_newer' })],
    })
    expect([updated, pool.accounts[0]?.refreshToken]).toEqual([1, 'rt_newer'])
  })

  it('revives a record that could not be opened, and one that needs a login, but never turns one on or off', () => {
    const known = record('a', {
      sealed: 'x',
      enabled: false,
      needsLogin: { since: 1, reason: 'x' },
      accountNote: 'ours',
    })
    const { refreshToken: _sealed, ...unopened } = known
    const incoming = record('a', {
      enabled: true,
      sealed: 'theirs',
      accountNote: 'theirs',
      planType: 'plus',
      accessToken: '',
      oauthScope: 's',
      expiresAt: 7,
    })
    const { pool } = mergePools(
      { ...poolOf(''), accounts: [unopened] },
      {
        ...poolOf(''),
        accounts: [incoming],
      },
    )
    const [after] = pool.accounts
    expect([after?.sealed, after?.needsLogin, after?.enabled]).toEqual([
      undefined,
      undefined,
      false,
    ])
    expect(after).toMatchObject({
      uid: 'a',
      refreshToken: 'rt_a',
      accountNote: 'ours',
      planType: 'plus',
      oauthScope: 's',
      expiresAt: 7,
    })
  })
})

describe('the name of a record that has none', () => {
  it.each([
    [{ accountId: 'w', accountUserId: 's' }, 'acc_df0700f44286'],
    [{ accountId: 'w', organizationId: 'o', email: 'Jane@Example.com' }, 'acc_d1156c5ea135'],
    [{ accountUserId: 's' }, 'acc_db052f53c062'],
    [{ email: 'Jane@Example.com', organizationId: 'o' }, 'acc_216a96a04559'],
    [{ refreshToken: 'rt_test' }, 'acc_2d1ae08b546c'],
    [
      { kind: 'api-key' as const, apiKey: 'key_test', baseUrl: 'https://api.test' },
      'acc_bf75d3ce17b0',
    ],
  ])('of %j is the same in every version: blocks, pins and leases hang on it', (facts, uid) => {
    expect(uidFor({ addedAt: 0, lastUsed: 0, ...facts })).toBe(uid)
  })

  it('does not hang on how an address is written', () => {
    const [left, right] = ['jane@example.com', 'JANE@Example.com'].map((email) => ({
      ...record('a', { email, accountId: 'w' }),
      accountUserId: undefined,
    })) as [Account, Account]
    expect(uidFor(left)).toBe(uidFor(right))
    expect(isSameAccount(left, { ...right, accountUserId: 's' })).toBe(true)
  })
})

describe('what an account is called', () => {
  const shown = { maskEmail: false }
  const named = (facts: Partial<Account>): Account => {
    const { email: _none, ...rest } = record('a')
    return { ...rest, ...facts }
  }

  it.each([
    [{ accountLabel: 'Work', email: 'jane@example.com' }, 'Account 3 (Work)'],
    [{ accountLabel: '', email: 'jane@example.com' }, 'Account 3 (jane@example.com)'],
    [{ email: '', baseUrl: 'https://api.example.com:8443/v1' }, 'Account 3 (api.example.com:8443)'],
    [{ baseUrl: 'no address', workspaceName: 'Acme' }, 'Account 3 (Acme)'],
    [{ workspaceName: 'Acme' }, 'Account 3 (Acme)'],
    [{}, 'Account 3'],
    [{ accountLabel: 'a\u001B[31mb' }, 'Account 3 (ab)'],
  ])('with %j is %s', (facts, name) => {
    const account = named(facts)
    expect(accountName(account, 2, shown).replace(/\[31m/, '')).toBe(name)
    expect(accountName(account, undefined, shown)).toBe(
      accountName(account, 0, shown).replace('Account 1', 'Account'),
    )
  })

  it('shows no whole address where it is to be hidden', () => {
    expect(ownName(named({ email: 'jane@example.com' }), { maskEmail: true })).toBe('ja…@e….com')
  })

  it.each([
    'accountLabel',
    'accountNote',
    'email',
    'planType',
    'workspaceName',
    'lastSwitchReason',
    'cooldownReason',
  ] as const)('holds no control characters in its %s', (field) => {
    const odd = record('a', { [field]: 'x\u0007y\nz' })
    const clean = withPlainNames(odd)
    expect(clean[field]).not.toMatch(/[\u0000-\u001f]/)
    expect(clean[field]).toContain('x')
    expect({ ...clean, [field]: odd[field] }).toEqual(odd)
  })

  it('nor in its tags or the reason it needs a login, and is the same record where all is plain', () => {
    const clean = withPlainNames(
      record('a', {
        accountTags: ['good', 'b\u0007ad'],
        needsLogin: { since: 7, reason: 'b\u0007ad' },
      }),
    )
    expect(JSON.stringify(clean)).not.toContain('\\u0007')
    expect([clean.accountTags?.[0], clean.needsLogin?.since]).toEqual(['good', 7])
    for (const plain of [
      record('a'),
      record('a', { accountTags: ['good'], needsLogin: { since: 7, reason: 'good' } }),
    ])
      expect(withPlainNames(plain)).toBe(plain)
  })
})

describe('records that cannot be read', () => {
  const waiting = (records: unknown) => poolOf('a', { unreadableAccounts: records })

  it('are counted in one sentence, in the singular and the plural, and not spoken of where there are none', () => {
    expect([0, 1, 2].map(unreadableText)).toEqual([
      '',
      '1 record of the account file cannot be read and is not listed. Repair: {doctor --fix}',
      '2 records of the account file cannot be read and are not listed. Repair: {doctor --fix}',
    ])
    expect(
      [undefined, null, [], [1, 2], 'x'].map((one) => unreadableRecords(waiting(one))),
    ).toEqual([[], [], [], [1, 2], ['x']])
  })

  it('come back where a login is in them, and only those are dropped that hold none or an older one', () => {
    const older = record('a', { refreshToken: 'rt_old', tokenRotatedAt: -1 })
    const { pool, back, dropped } = repaired(
      waiting([record('b'), older, { hello: 1 }, { token: 'rt_c' }]),
      (one) =>
        typeof one === 'object' && one !== null && 'token' in one ? record('c') : undefined,
    )
    expect([namesOf(pool), back, dropped, 'unreadableAccounts' in pool]).toEqual([
      'abc',
      2,
      2,
      false,
    ])
    expect(pool.accounts[0]).toEqual(record('a'))
  })
})
