import { describe, expect, it } from 'vitest'

import type { Account, AccountPool } from '../../lib/accounts/account.js'
import { entryLine, lastEntry, lossIn } from '../../lib/tokens/journal/entry.js'
import {
  factsAfter,
  factsOf,
  isNewer,
  isSameLogin,
  type LoginFacts,
  placeOfSuccessor,
  withSuccessor,
} from '../../lib/tokens/login-facts.js'
import { loginNeededText } from '../../lib/tokens/texts.js'
import { unsavedError, unsavedText } from '../../lib/tokens/unsaved-notices.js'
import {
  fingerprintOf,
  isUsableInstead,
  rotatedAccount,
  tokenState,
  withLoginNeeded,
} from '../../lib/tokens/token-rules.js'

const NOW = 1_800_000_000_000
const HOUR = 3_600_000

const jwt = (accountId: string, seat: string, more: object = {}): string =>
  `e30.${Buffer.from(
    JSON.stringify({
      email: 'claim@example.com',
      iat: NOW / 1000,
      'https://api.openai.com/auth': {
        chatgpt_account_id: accountId,
        chatgpt_account_user_id: seat,
      },
      ...more,
    }),
  ).toString('base64url')}.s`

const record = (changes: Partial<Account> = {}): Account => ({
  uid: 'u',
  refreshToken: 'rt_old',
  accessToken: 'at_old',
  accountId: 'w',
  accountUserId: 's',
  email: 'jane@example.com',
  addedAt: 0,
  lastUsed: 0,
  ...changes,
})
const poolOf = (...accounts: Account[]): AccountPool => ({ version: 3, accounts, activeIndex: 0 })

describe('whose a login is', () => {
  it('says the record first, then its access token', () => {
    const full = record({
      accessToken: jwt('other', 'seat', {}),
      organizationId: 'o',
      tokenRotatedAt: 5,
      expiresAt: 6,
    })
    expect(factsOf(full)).toEqual({
      accountId: 'w',
      accountUserId: 's',
      organizationId: 'o',
      email: 'jane@example.com',
      issuedAt: NOW,
      rotatedAt: 5,
      expiresAt: 6,
    })
    const { accountId: _w, accountUserId: _s, email: _e, ...bare } = full
    expect(factsOf(bare)).toMatchObject({
      accountId: 'other',
      accountUserId: 'seat',
      email: 'claim@example.com',
    })
    expect(factsOf(record({ accessToken: 'opaque' })).issuedAt).toBeUndefined()
  })

  it('says a token of another workspace nothing of the seat: the login would go to somebody else', () => {
    const { accountUserId: _s, ...seatless } = record({ accessToken: jwt('w', 'seat') })
    expect(factsOf(seatless).accountUserId).toBe('seat')
    expect(factsOf({ ...seatless, accountId: 'v' }).accountUserId).toBeUndefined()
  })

  it('is one login only where the seat agrees, or is known to neither, or the address agrees', () => {
    const facts = (changes: LoginFacts): LoginFacts => ({ accountId: 'w', ...changes })
    const cases: readonly (readonly [LoginFacts, LoginFacts, boolean])[] = [
      [facts({ accountUserId: 's' }), facts({ accountUserId: 's' }), true],
      [facts({ accountUserId: 's' }), facts({ accountUserId: 't' }), false],
      [facts({}), facts({}), true],
      [facts({ accountUserId: 's' }), facts({}), false],
      [facts({ accountUserId: 's', email: 'a@x' }), facts({ email: 'A@x' }), true],
      [facts({ accountUserId: 's', email: 'a@x' }), facts({ email: 'b@x' }), false],
      [{ organizationId: 'o', email: 'a@x' }, { organizationId: 'p', email: 'a@x' }, false],
      [{ organizationId: 'o', email: 'a@x' }, { organizationId: 'o', email: 'a@x' }, true],
      [{ accountUserId: 's' }, { accountUserId: 's' }, true],
      [{}, facts({}), false],
    ]
    for (const [left, right, same] of cases)
      expect([left, right, isSameLogin(left, right), isSameLogin(right, left)]).toEqual([
        left,
        right,
        same,
        same,
      ])
  })

  it.each([
    [{ issuedAt: 2, rotatedAt: 1 }, { issuedAt: 1, rotatedAt: 9 }, true],
    [{ issuedAt: 1, rotatedAt: 2 }, { issuedAt: 1, rotatedAt: 1 }, true],
    [{ rotatedAt: 2, expiresAt: 1 }, { issuedAt: 9, rotatedAt: 1, expiresAt: 9 }, true],
    [{ rotatedAt: 1 }, {}, true],
    [{ expiresAt: 2 }, { expiresAt: 1 }, true],
    [{ rotatedAt: 1, expiresAt: 2 }, { rotatedAt: 1, expiresAt: 1 }, true],
    [{ expiresAt: 2 }, {}, false],
    [{ rotatedAt: 0 }, {}, false],
    [{}, {}, false],
  ])('and %j is newer than %j: %s, never the other way round', (left, right, newer) => {
    expect([isNewer(left, right), isNewer(right, left)]).toEqual([newer, false])
  })

  it('grows with each renewal, wherever the clock went, and keeps its end where there is no new access token', () => {
    const before: LoginFacts = { accountId: 'w', rotatedAt: 100, issuedAt: 7, expiresAt: 8 }
    expect(factsAfter(before, { refreshToken: 'rt' }, 50)).toEqual({ ...before, rotatedAt: 101 })
    expect(factsAfter(before, { refreshToken: 'rt' }, 200).rotatedAt).toBe(200)
    expect(factsAfter({}, { refreshToken: 'rt' }, 0).rotatedAt).toBe(1)
    const tokens = { accessToken: jwt('w', 's'), refreshToken: 'rt', expiresAt: 9 }
    expect(factsAfter(before, tokens, 50)).toMatchObject({ issuedAt: NOW, expiresAt: 9 })
  })
})

describe('the successor of a spent token', () => {
  const tokens = { accessToken: 'at_new', refreshToken: 'rt_new', expiresAt: NOW + HOUR }
  const spentBy = (account: Account) => ({
    fingerprint: fingerprintOf(account.refreshToken ?? ''),
    login: factsOf(account),
  })
  const holder = record({ tokenRotatedAt: 10 })
  const given = (account: Account, isRefused?: (fingerprint: string) => boolean): boolean => {
    const pool = poolOf(account)
    const after = withSuccessor(pool, spentBy(holder), tokens, NOW, isRefused)
    expect(after === pool || after.accounts[0]?.refreshToken === 'rt_new').toBe(true)
    return after !== pool
  }

  it.each([
    ['the record that held it', holder, true],
    ['an older copy', record({ refreshToken: 'rt_older', tokenRotatedAt: 9 }), true],
    ['a copy as old', record({ refreshToken: 'rt_same', tokenRotatedAt: 10 }), false],
    ['a newer login', record({ refreshToken: 'rt_newer', tokenRotatedAt: 11 }), false],
    [
      'a newer copy that needs a login',
      record({
        refreshToken: 'rt_newer',
        tokenRotatedAt: 11,
        needsLogin: { since: 1, reason: 'x' },
      }),
      true,
    ],
    [
      'another seat',
      record({ refreshToken: 'rt_older', tokenRotatedAt: 9, accountUserId: 't' }),
      false,
    ],
    ['a key', record({ kind: 'api-key', apiKey: 'k' }), false],
    ['a record without a token', record({ refreshToken: '', tokenRotatedAt: 1 }), false],
    ['a record that has it already', record({ refreshToken: 'rt_new', tokenRotatedAt: 1 }), false],
  ])('goes to %s: %s', (_name, account, isGiven) => {
    expect(given(account)).toBe(isGiven)
  })

  it('goes to a newer copy whose own token is known to be dead', () => {
    const newer = record({ refreshToken: 'rt_newer', tokenRotatedAt: 11 })
    expect(given(newer, (fingerprint) => fingerprint === fingerprintOf('rt_newer'))).toBe(true)
    expect(given(newer, () => false)).toBe(false)
  })

  it('goes by the token alone where nothing is known of whose it was', () => {
    const spent = { fingerprint: fingerprintOf('rt_old') }
    const pool = poolOf(holder, record({ uid: 'v', refreshToken: 'rt_older', tokenRotatedAt: 1 }))
    const after = withSuccessor(pool, spent, tokens, NOW)
    expect(after.accounts.map(({ refreshToken }) => refreshToken)).toEqual(['rt_new', 'rt_older'])
    expect(after.accounts[0]).toEqual({ ...holder, ...tokens, tokenRotatedAt: NOW })
    expect(after.accounts[1]).toBe(pool.accounts[1])
  })

  it('is nothing to write where the server rotated nothing, but for a new access token', () => {
    const spent = spentBy(holder)
    const pool = poolOf(holder)
    expect(withSuccessor(pool, spent, { refreshToken: 'rt_old' }, NOW)).toBe(pool)
    expect(withSuccessor(pool, spent, { refreshToken: 'rt_old', accessToken: 'at_old' }, NOW)).toBe(
      pool,
    )
    expect(
      withSuccessor(pool, spent, { refreshToken: 'rt_old', accessToken: 'at_x' }, NOW).accounts[0]
        ?.accessToken,
    ).toBe('at_x')
  })

  it.each([
    ['held', 'in a record', record({ refreshToken: 'rt_new' })],
    [
      'superseded',
      'made worthless by a login after it',
      record({ refreshToken: 'rt_later', tokenRotatedAt: NOW + 1 }),
    ],
    ['missing', 'in no record', record({ refreshToken: 'rt_x', tokenRotatedAt: NOW })],
    [
      'missing',
      'not replaced by a login that has ended',
      record({
        refreshToken: 'rt_later',
        tokenRotatedAt: NOW + 1,
        needsLogin: { since: 1, reason: 'x' },
      }),
    ],
    [
      'missing',
      'not replaced by a record without a token',
      record({ refreshToken: '', tokenRotatedAt: NOW + 1 }),
    ],
    [
      'missing',
      'not replaced by the login of another seat',
      record({ refreshToken: 'rt_later', tokenRotatedAt: NOW + 1, accountUserId: 't' }),
    ],
  ])('is %s when it is %s (tokens that nobody has must be kept)', (place, _name, account) => {
    const { expiresAt: _end, ...endless } = tokens
    expect(placeOfSuccessor(poolOf(account), spentBy(holder), endless, NOW)).toBe(place)
    expect(
      placeOfSuccessor(poolOf(account), { fingerprint: fingerprintOf('rt_old') }, endless, NOW),
    ).toBe(place === 'held' ? 'held' : 'missing')
  })
})

describe('an access token', () => {
  it.each([
    [{}, 'expired'],
    [{ accessToken: '', expiresAt: NOW + HOUR }, 'expired'],
    [{ expiresAt: NOW }, 'expired'],
    [{ expiresAt: NOW + 1 }, 'due'],
    [{ expiresAt: NOW + 60_000 }, 'due'],
    [{ expiresAt: NOW + 60_001 }, 'good'],
    [{ expiresAt: NOW + 20_001, tokenRotatedAt: NOW - 19_999 }, 'good'],
    [{ expiresAt: NOW + 20_000, tokenRotatedAt: NOW - 20_000 }, 'due'],
    [{ expiresAt: NOW + 50_000, tokenRotatedAt: NOW + 50_000 }, 'due'],
    [{ expiresAt: NOW + 60_001, tokenRotatedAt: NOW + 90_000 }, 'good'],
  ])('of a record with %j is %s', (changes, state) => {
    expect(tokenState(record(changes), NOW, 60_000)).toBe(state)
  })

  it('is of use in place of another only while it is another and valid', () => {
    const account = record({ expiresAt: NOW + 1 })
    expect(isUsableInstead(account, 'at_x', NOW)).toBe(true)
    expect(isUsableInstead(account, undefined, NOW)).toBe(true)
    expect(isUsableInstead(account, 'at_old', NOW)).toBe(false)
    expect(isUsableInstead(account, 'at_x', NOW + 1)).toBe(false)
  })

  it('comes with a stamp that always grows, and keeps what the server left out', () => {
    const account = record({
      tokenRotatedAt: NOW + 5,
      expiresAt: 7,
      oauthScope: 's',
      needsLogin: { since: 1, reason: 'x' },
    })
    expect(rotatedAccount(account, { refreshToken: 'rt_new', idToken: 'secret' }, NOW)).toEqual({
      ...record({ expiresAt: 7, oauthScope: 's' }),
      refreshToken: 'rt_new',
      tokenRotatedAt: NOW + 6,
    })
    expect(rotatedAccount(record(), { refreshToken: 'rt' }, NOW).tokenRotatedAt).toBe(NOW)
  })
})

describe('a login that has ended', () => {
  it('is marked in every record that holds the token, and nowhere else', () => {
    const pool = poolOf(record(), record({ uid: 'v', refreshToken: 'rt_x' }), record({ uid: 'w' }))
    const marked = withLoginNeeded(pool, fingerprintOf('rt_old'), 'why', NOW)
    expect(marked.accounts.map(({ needsLogin }) => needsLogin)).toEqual([
      { since: NOW, reason: 'why' },
      undefined,
      { since: NOW, reason: 'why' },
    ])
    expect(withLoginNeeded(pool, fingerprintOf('rt_none'), 'why', NOW)).toBe(pool)
    const empty = poolOf(record({ refreshToken: '' }))
    expect(withLoginNeeded(empty, fingerprintOf(''), 'why', NOW)).toBe(empty)
  })

  it.each([
    ['refresh_token_expired', /expired unused/],
    ['refresh_token_reused', /already used by another program/],
    ['refresh_token_invalidated', /revoked by a logout/],
    ['something_new', /no longer accepts it\.$/],
  ])('says why by the code %s, and blames nobody else where it was lost here', (code, why) => {
    expect(loginNeededText(code, undefined)).toMatch(why)
    const startedAt = new Date(2026, 0, 2, 3, 4).getTime()
    const killed = loginNeededText(code, { how: 'killed', startedAt })
    const unanswered = loginNeededText(code, { how: 'unanswered', startedAt })
    if (code === 'refresh_token_expired') expect([killed, unanswered]).toEqual([killed, killed])
    else {
      expect(killed).toMatch(/2026-01-02 03:04 never finished/)
      expect(unanswered).toMatch(/2026-01-02 03:04 got no answer/)
    }
  })

  it('was lost here where the journal says so, and only there', () => {
    const base = { pool: '/p', uid: 'u', startedAt: 5 }
    const started = { state: 'started' as const, ...base, host: 'h', pid: 1 }
    const failed = {
      state: 'failed' as const,
      ...base,
      failedAt: 6,
      retryAt: 7,
      attempts: 1,
      answered: true,
    }
    const loss = { how: 'killed' as const, startedAt: 1 }
    expect([
      lossIn(undefined),
      lossIn(started),
      lossIn({ ...started, loss }),
      lossIn(failed),
      lossIn({ ...failed, answered: false }),
      lossIn({ ...failed, loss }),
      lossIn({ state: 'received', ...base, tokens: { refreshToken: 'rt' } }),
    ]).toEqual([
      undefined,
      { how: 'killed', startedAt: 5 },
      loss,
      undefined,
      { how: 'unanswered', startedAt: 5 },
      loss,
      undefined,
    ])
  })
})

describe('tokens that are in no file', () => {
  const held = { uid: 'u', why: 'ENOSPC', sinceMs: 0 }

  it('are spoken of with the place they are in, the reason, and what to do', () => {
    const file = '/home/accounts.json'
    expect(unsavedText('A', file, { ...held, place: 'journal' })).toMatch(
      /^A: .*safe in the refresh journal.*accounts\.json could not be written \(ENOSPC\)/,
    )
    expect(unsavedText('A', file, { ...held, place: 'memory' })).toMatch(
      /^A: .*not be written to any disk \(ENOSPC\).*in memory/,
    )
    expect(unsavedText('A', file, { ...held, place: 'memory', pid: 77 })).toMatch(
      /^A: process 77 holds new tokens/,
    )
    const error = unsavedError('A', file, { ...held, place: 'journal' })
    expect([error.code, error.message, error.hint]).toEqual([
      'store_not_written',
      unsavedText('A', file, { ...held, place: 'journal' }),
      'Check free space and permissions: {doctor}',
    ])
  })

  it('stand in the last whole line of a journal file, whatever follows or precedes it', () => {
    const entry = {
      state: 'received' as const,
      pool: '/p',
      uid: 'u',
      startedAt: 5,
      tokens: { refreshToken: 'rt', accessToken: 'at', expiresAt: 9 },
    }
    const older = { ...entry, startedAt: 4 }
    const line = (one: typeof entry): string => entryLine('f', one, undefined)
    expect(lastEntry(line(entry))).toEqual(entry)
    expect(lastEntry(`${line(older)}${line(entry)}   \n  `)).toEqual(entry)
    expect(lastEntry(`${line(older)}${line(entry).slice(0, -9)}`)).toEqual(older)
    expect(lastEntry(`${line(older)}{"state":"later"}\n`)).toEqual(older)
    expect([lastEntry(''), lastEntry('\n \n'), lastEntry('{}')]).toEqual([
      undefined,
      undefined,
      undefined,
    ])
  })
})
