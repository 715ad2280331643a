import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'

import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'

import type { Account } from '../../lib/accounts/account.js'
import { factsOf, isNewer, isSameLogin, withSuccessor } from '../../lib/tokens/login-facts.js'
import { RefreshJournal } from '../../lib/tokens/journal/journal.js'
import { fingerprintOf } from '../../lib/tokens/token-rules.js'
import { CopiedLogin } from '../support/copied-login.js'
import type { RecordOnDisk } from '../support/records.js'
import { recordFileOperations } from '../support/file-operations.js'

describe('a login that an earlier version copied into the pools of projects', () => {
  it('is renewed once for all of them: every file that holds the spent token gets its successor', async () => {
    const home = await CopiedLogin.make()
    const login = home.login()
    for (const project of [undefined, 'a', 'b', 'c']) await home.put(project, login)
    await home.refresh('a')
    const { refreshToken } = await home.in('a')
    for (const project of [undefined, 'b', 'c'])
      expect((await home.in(project)).refreshToken).toBe(refreshToken)
    expect([home.spent(), home.reused()]).toEqual([1, 0])
  })

  it('serves from everywhere in turn without one token spent twice, on a server that ends the whole login at the first reuse', async () => {
    const home = await CopiedLogin.make()
    const login = home.login()
    const places = [undefined, 'a', 'b', 'c']
    for (const project of places) await home.put(project, login)
    for (const project of ['b', undefined, 'a', 'c', 'b', 'a', undefined])
      await home.refresh(project)
    expect(home.reused()).toBe(0)
    for (const project of places) expect(await home.in(project)).not.toHaveProperty('needsLogin')
  })

  it('is taken over, not spent, where another file has the newer token because an earlier version renewed it there alone', async () => {
    const home = await CopiedLogin.make()
    const first = home.simulator.login('work', { accessSeconds: 1 })
    await home.put(undefined, home.login(first))
    await home.put('b', home.login(first))
    // The earlier version knows its own file only.
    const next = await home.spendElsewhere(first.refresh_token)
    await home.put('a', home.login(next, { tokenRotatedAt: Date.now() }))
    await home.refresh('b')
    await home.refresh(undefined)
    expect(home.reused()).toBe(0)
    expect((await home.in(undefined)).refreshToken).toBe((await home.in('b')).refreshToken)
  })

  it('needs no refresh at all where the newer copy has an access token that is still good', async () => {
    const home = await CopiedLogin.make()
    const first = home.simulator.login('work', { accessSeconds: 1 })
    await home.put(undefined, home.login(first))
    const next = await home.spendElsewhere(first.refresh_token)
    await home.put(
      'a',
      home.login(next, { tokenRotatedAt: Date.now(), expiresAt: Date.now() + 3_600_000 }),
    )
    const runtime = home.open(undefined)
    const before = home.spent()
    expect((await runtime.tokens.access((await runtime.store.read()).accounts[0]!)).token).toBe(
      next.access_token,
    )
    expect(home.spent()).toBe(before)
  })

  it('is not marked after a refusal while another file has a token that was not refused, older by its stamp or not', async () => {
    const home = await CopiedLogin.make()
    const dead = home.simulator.login('work', { accessSeconds: 1 })
    const good = home.simulator.login('work', { accessSeconds: 1 })
    await home.spendElsewhere(dead.refresh_token)
    const before = home.reused()
    await home.put(undefined, home.login(dead, { tokenRotatedAt: Date.now() }))
    await home.put('a', home.login(good, { tokenRotatedAt: 5, accessToken: 'opaque' }))
    await home.refresh(undefined)
    expect(await home.in(undefined)).not.toHaveProperty('needsLogin')
    expect((await home.in(undefined)).refreshToken).toBe((await home.in('a')).refreshToken)
    expect(home.reused()).toBe(before + 1)
  })

  it('is not lost to a copy that looks newer and is dead: ours stays until the other has proved to be good', async () => {
    const home = await CopiedLogin.make()
    const revoked = home.simulator.login('work', { accessSeconds: 1 })
    await fetch(`${home.simulator.url}/oauth/revoke`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token: revoked.refresh_token }),
    })
    await home.put(
      'a',
      home.login(revoked, {
        tokenRotatedAt: Date.now() + 3_600_000,
        expiresAt: Date.now() + 3_600_000,
      }),
    )
    await home.put(
      undefined,
      home.login(home.simulator.login('work', { accessSeconds: 1 }), { tokenRotatedAt: 5 }),
    )
    const runtime = home.open(undefined)
    const [account] = (await runtime.store.read()).accounts
    const borrowed = await runtime.tokens.access(account!)
    const grant =
      borrowed.token === revoked.access_token
        ? await runtime.tokens.afterUnauthorized(borrowed.account, borrowed.token)
        : borrowed
    expect(grant.token).not.toBe(revoked.access_token)
    expect(await home.in(undefined)).not.toHaveProperty('needsLogin')
    expect((await home.in(undefined)).refreshToken).toBe((await home.in('a')).refreshToken)
  })

  it('is marked in every file, after one question, when no file has a token that works', async () => {
    const home = await CopiedLogin.make()
    const login = home.login()
    for (const project of [undefined, 'a']) await home.put(project, login)
    home.simulator.revokeAccount('work')
    await expect(home.refresh('a')).rejects.toMatchObject({ code: 'login_required' })
    expect((await home.in(undefined)).needsLogin?.reason).toContain('revoked')
    expect(home.reused()).toBe(1)
  })

  it('comes back to life at the next start where an earlier version had marked it although another file had the newer token', async () => {
    const home = await CopiedLogin.make()
    const first = home.simulator.login('work', { accessSeconds: 1 })
    const next = await home.spendElsewhere(first.refresh_token)
    await home.put('a', home.login(first, { needsLogin: { since: 1, reason: 'spent' } }))
    await home.put(undefined, home.login(next, { tokenRotatedAt: Date.now() }))
    await home.open('a').tokens.recover()
    expect(await home.in('a')).not.toHaveProperty('needsLogin')
    expect((await home.in('a')).refreshToken).toBe(next.refresh_token)
  })

  it('does not overwrite a login of another account or of another seat', async () => {
    const home = await CopiedLogin.make()
    const login = home.login()
    const strangers = [
      { ...login, refreshToken: 'rt_seat', accountUserId: 'user-other__x', accessToken: undefined },
      { ...login, refreshToken: 'rt_else', accountId: 'other', accessToken: undefined },
    ]
    await home.put(undefined, login)
    await home.put('a', ...strangers)
    await home.refresh(undefined)
    expect(
      (
        JSON.parse(await readFile(home.fileOf('a'), 'utf8')) as { accounts: Account[] }
      ).accounts.map(({ refreshToken }) => refreshToken),
    ).toEqual(['rt_seat', 'rt_else'])
  })

  it('is renewed also when other pools cannot be read: damaged, a folder, a file of a later version', async () => {
    const home = await CopiedLogin.make()
    await home.put(undefined, home.login())
    for (const project of ['a', 'b', 'c']) await home.put(project)
    await writeFile(home.fileOf('a'), '{"version": 3, "acc')
    await rm(home.fileOf('b'))
    await mkdir(home.fileOf('b'))
    await writeFile(home.fileOf('c'), '{"version": 9}')
    await home.refresh(undefined)
    expect(await readFile(home.fileOf('a'), 'utf8')).toBe('{"version": 3, "acc')
    expect(await readFile(home.fileOf('c'), 'utf8')).toBe('{"version": 9}')
  })

  it('is mended in the list of accounts that an earlier version set aside, which keeps its form', async () => {
    const home = await CopiedLogin.make()
    const login = home.login()
    await home.put(undefined, login)
    const aside = path.join(home.home, '.opencode', 'oc-codex-multi-auth-flagged-accounts.json')
    await writeFile(
      aside,
      JSON.stringify({
        version: 1,
        accounts: [
          {
            refreshToken: login.refreshToken,
            accountId: login.accountId,
            email: login.email,
            addedAt: 1,
            lastUsed: 1,
            flaggedAt: 7,
            flaggedReason: 'x',
          },
          { refreshToken: 7, flaggedReason: 'no text in the place of a token' },
          { flaggedReason: 'no token' },
          { refreshToken: 'rt_else', accountId: 'other', addedAt: 1, lastUsed: 1 },
        ],
      }),
    )
    await home.refresh(undefined)
    expect(JSON.parse(await readFile(aside, 'utf8'))).toMatchObject({
      version: 1,
      accounts: [
        { refreshToken: (await home.in(undefined)).refreshToken, flaggedAt: 7, flaggedReason: 'x' },
        { refreshToken: 7, flaggedReason: 'no text in the place of a token' },
        { flaggedReason: 'no token' },
        { refreshToken: 'rt_else', accountId: 'other', addedAt: 1, lastUsed: 1 },
      ],
    })
  })

  it('is known by its refresh token alone where a copy does not say whose it is: the access token there serves', async () => {
    const home = await CopiedLogin.make()
    const login = home.login()
    await home.put(undefined, { ...login, tokenRotatedAt: 5, accessToken: 'opaque' })
    await home.put('a', {
      refreshToken: login.refreshToken,
      accessToken: 'at_there',
      expiresAt: Date.now() + 3_600_000,
      tokenRotatedAt: 9,
      addedAt: 1,
      lastUsed: 0,
    })
    const runtime = home.open(undefined)
    const [account] = (await runtime.store.read()).accounts
    expect((await runtime.tokens.access(account!)).token).toBe('at_there')
    expect(home.spent()).toBe(0)
  })

  it('never speaks with the newer and valid token of another account that lies in the same files', async () => {
    const home = await CopiedLogin.make()
    await home.put(undefined, home.login())
    await home.put('a', {
      refreshToken: 'rt_else',
      accessToken: 'at_else',
      accountId: 'other',
      email: 'other@example.test',
      expiresAt: Date.now() + 3_600_000,
      tokenRotatedAt: Date.now() + 3_600_000,
      addedAt: 1,
      lastUsed: 0,
    })
    const runtime = home.open(undefined)
    const [account] = (await runtime.store.read()).accounts
    expect((await runtime.tokens.access(account!)).token).not.toBe('at_else')
    expect(home.spent()).toBe(1)
  })

  it('is not looked for in records that are marked as ended, nor in those of keys, however new and valid they seem', async () => {
    const home = await CopiedLogin.make()
    await home.put(undefined, home.login())
    const newer = home.login(undefined, {
      refreshToken: 'rt_newer',
      accessToken: 'at_newer',
      expiresAt: Date.now() + 3_600_000,
      tokenRotatedAt: Date.now() + 3_600_000,
    })
    await home.put('a', { ...newer, needsLogin: { since: 1, reason: 'spent' } })
    await home.put('b', { ...newer, kind: 'api-key', apiKey: 'sk-1' })
    const runtime = home.open(undefined)
    const [account] = (await runtime.store.read()).accounts
    expect((await runtime.tokens.access(account!)).token).not.toBe('at_newer')
    expect([home.spent(), home.reused()]).toEqual([1, 0])
  })

  it('costs a start nothing while it needs no sign-in: the pools of projects are not even listed', async () => {
    const home = await CopiedLogin.make()
    await home.put(undefined, home.login())
    await home.put('a', home.login(undefined, { tokenRotatedAt: Date.now() + 3_600_000 }))
    const runtime = home.open(undefined)
    await runtime.store.read()
    const operations = recordFileOperations()
    await runtime.tokens.recover()
    expect(operations.filter(({ target }) => target.includes('projects'))).toEqual([])
  })

  it('costs nothing before a token is renewed: the pools of projects are not even listed', async () => {
    const home = await CopiedLogin.make()
    await home.put(
      undefined,
      home.login(home.simulator.login('work'), { expiresAt: Date.now() + 3_600_000 }),
    )
    await home.put('a', home.login())
    const operations = recordFileOperations()
    const runtime = home.open(undefined)
    await runtime.tokens.access((await runtime.store.read()).accounts[0]!)
    expect(operations.filter(({ target }) => target.includes('projects'))).toEqual([])
  })
})

describe('tokens that were received and found no record', () => {
  const received = (
    home: CopiedLogin,
    login: RecordOnDisk,
    tokens: { refresh_token: string; access_token: string },
  ) => ({
    state: 'received' as const,
    pool: home.fileOf(undefined),
    uid: 'acc_x',
    startedAt: Date.now(),
    login: factsOf(login as unknown as Account),
    tokens: {
      accessToken: tokens.access_token,
      refreshToken: tokens.refresh_token,
      expiresAt: Date.now() + 3_600_000,
    },
  })

  async function lostFile(): Promise<{
    home: CopiedLogin
    login: RecordOnDisk
    next: { refresh_token: string; access_token: string }
    journal: RefreshJournal
  }> {
    const home = await CopiedLogin.make()
    const first = home.simulator.login('work', { accessSeconds: 1 })
    const login = home.login(first, { tokenRotatedAt: 5 })
    const next = await home.spendElsewhere(first.refresh_token)
    const journal = new RefreshJournal(path.join(home.home, '.opencode', 'refresh'))
    await journal.write(fingerprintOf(first.refresh_token), received(home, login, next))
    return { home, login, next, journal }
  }

  it.each([
    ['is missing', async () => undefined],
    [
      'is damaged',
      (home: CopiedLogin) => writeFile(home.fileOf(undefined), '{"version": 3, "accou'),
    ],
    ['has no account any more', (home: CopiedLogin) => home.put(undefined)],
    [
      'has another account',
      (home: CopiedLogin) =>
        home.put(undefined, { refreshToken: 'rt_z', accountId: 'z', addedAt: 1, lastUsed: 0 }),
    ],
  ])(
    'stay in the journal over any number of starts while the account file %s, and reach the record when it comes back',
    async (_name, damage) => {
      const { home, login, next, journal } = await lostFile()
      await damage(home)
      for (let start = 0; start < 3; start += 1) await home.open(undefined).tokens.recover()
      expect(await journal.list()).toHaveLength(1)
      await home.put(undefined, login)
      await home.open(undefined).tokens.recover()
      expect((await home.in(undefined)).refreshToken).toBe(next.refresh_token)
      expect(await journal.list()).toEqual([])
    },
  )

  it('reach their record also when the home was named by a link while they were received', async () => {
    const home = await CopiedLogin.make()
    const first = home.simulator.login('work', { accessSeconds: 1 })
    await home.put(undefined, home.login(first, { tokenRotatedAt: 5 }))
    const next = await home.spendElsewhere(first.refresh_token)
    const link = `${home.home}-link`
    await symlink(home.home, link, 'junction')
    onTestFinished(() => rm(link, { force: true }))
    const { login: _unknown, ...entry } = received(home, home.login(first), next)
    const journal = new RefreshJournal(path.join(home.home, '.opencode', 'refresh'))
    await journal.write(fingerprintOf(first.refresh_token), {
      ...entry,
      pool: path.join(link, path.relative(home.home, entry.pool)),
    })
    await home.open(undefined).tokens.recover()
    expect((await home.in(undefined)).refreshToken).toBe(next.refresh_token)
    expect(await journal.list()).toEqual([])
  })

  it('reach an older copy of the record that a backup brought back, in a window that has long been running', async () => {
    const { home, login, next } = await lostFile()
    const runtime = home.open(undefined)
    await runtime.tokens.recover()
    await home.put(undefined, {
      ...login,
      refreshToken: 'rt_before',
      tokenRotatedAt: 1,
      accessToken: undefined,
      expiresAt: 1,
    })
    const [account] = (await runtime.store.read()).accounts
    expect((await runtime.tokens.access(account!)).token).toBe(next.access_token)
    expect(home.reused()).toBe(0)
  })

  it('are dropped when the account has signed in anew', async () => {
    const { home, journal } = await lostFile()
    await home.put(
      undefined,
      home.login(home.simulator.login('work'), { tokenRotatedAt: Date.now() + 60_000 }),
    )
    await home.open(undefined).tokens.recover()
    expect(await journal.list()).toEqual([])
    expect((await home.in(undefined)).tokenRotatedAt).toBeGreaterThan(Date.now())
  })

  it('are not kept for ever', async () => {
    const { home, login, next, journal } = await lostFile()
    await journal.write('a'.repeat(32), {
      ...received(home, login, next),
      startedAt: Date.now() - 121 * 24 * 3_600_000,
    })
    await home.open(undefined).tokens.recover()
    expect(await journal.list()).not.toContain('a'.repeat(32))
  })
})

describe('which login is whose, and which token is newer', () => {
  const record = fc
    .record(
      {
        refreshToken: fc.constantFrom('rt1', 'rt2', 'rt3'),
        accountId: fc.constantFrom('w', 'v'),
        accountUserId: fc.constantFrom('s', 't'),
        email: fc.constantFrom('A@x.test', 'a@x.test', 'b@x.test'),
        tokenRotatedAt: fc.integer({ min: 0, max: 5 }),
        expiresAt: fc.integer({ min: 0, max: 5 }),
        kind: fc.constantFrom('oauth', 'api-key'),
      },
      { requiredKeys: ['refreshToken'] },
    )
    .map((facts) => ({ uid: 'u', addedAt: 0, lastUsed: 0, ...facts }))

  it('never both newer than each other, and never newer than itself', () => {
    fc.assert(
      fc.property(record, record, (left, right) => {
        expect(
          isNewer(factsOf(left), factsOf(right)) && isNewer(factsOf(right), factsOf(left)),
        ).toBe(false)
        expect(isNewer(factsOf(left), factsOf(left))).toBe(false)
      }),
    )
  })

  it('a token never goes to a record of another workspace or another seat', () => {
    fc.assert(
      fc.property(record, record, (left, right) => {
        const same = isSameLogin(factsOf(left), factsOf(right))
        expect(same).toBe(isSameLogin(factsOf(right), factsOf(left)))
        if (!same) return
        if (left.accountId !== undefined && right.accountId !== undefined)
          expect(left.accountId).toBe(right.accountId)
        if (left.accountUserId !== undefined && right.accountUserId !== undefined)
          expect(left.accountUserId).toBe(right.accountUserId)
      }),
      { numRuns: 2_000 },
    )
  })

  it('records that say nothing of their owner are nobody’s copies', () => {
    expect(isSameLogin({}, {})).toBe(false)
    expect(isSameLogin({ organizationId: 'o' }, { organizationId: 'o' })).toBe(false)
  })

  it('a successor goes to every holder and to older copies alone, and twice is the same as once', () => {
    fc.assert(
      fc.property(record, fc.array(record, { maxLength: 6 }), (spentRecord, accounts) => {
        const spent = {
          fingerprint: fingerprintOf(spentRecord.refreshToken),
          login: factsOf(spentRecord),
        }
        const tokens = { accessToken: 'at_new', refreshToken: 'rt_new', expiresAt: 9 }
        const pool = {
          version: 3 as const,
          accounts: accounts.map((one, index) => ({ ...one, uid: `u${index}` })),
          activeIndex: 0,
        }
        const after = withSuccessor(pool, spent, tokens, 10)
        expect(after.accounts).toHaveLength(pool.accounts.length)
        after.accounts.forEach((account, index) => {
          const before = pool.accounts[index]!
          if (account !== before)
            expect(
              before.refreshToken === spentRecord.refreshToken ||
                isNewer(spent.login, factsOf(before)),
            ).toBe(true)
          else
            expect(
              before.kind === 'api-key' || before.refreshToken !== spentRecord.refreshToken,
            ).toBe(true)
        })
        expect(withSuccessor(after, spent, tokens, 11)).toBe(after)
      }),
      { numRuns: 2_000 },
    )
  })
})
