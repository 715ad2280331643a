import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { type Account, storedAccountSchema } from '../../lib/accounts/account.js'
import { formatPool, parsePool } from '../../lib/accounts/store/pool-format.js'

/** Fields without which a record is no login. */
const CREDENTIALS = ['refreshToken', 'accessToken', 'apiKey', 'sealed']
const OPTIONAL = Object.keys(storedAccountSchema.fields).filter(
  (field) => !CREDENTIALS.includes(field),
)

const good = {
  refreshToken: 'rt-good',
  accountId: 'id-good',
  accountUserId: 'u-good',
  addedAt: 1,
  lastUsed: 2,
}
const neighbour = {
  refreshToken: 'rt-other',
  accountId: 'id-other',
  accountUserId: 'u-other',
  email: 'other@example.com',
  addedAt: 1,
  lastUsed: 2,
}

/** Numbers that a JSON text can hold and a program cannot use are made by the text, not by `JSON.stringify`. */
function poolOf(text: string): { accounts: readonly Account[]; unreadable: unknown; text: string } {
  const parsed = parsePool(text)
  if (parsed.kind !== 'pool') throw new Error(`not read: ${JSON.stringify(parsed)}`)
  return {
    accounts: parsed.pool.accounts,
    unreadable: parsed.pool.unreadableAccounts,
    text: formatPool(parsed.pool),
  }
}

const fileWith = (field: string, value: string): string =>
  `{"version": 3, "activeIndex": 0, "accounts": [${JSON.stringify(neighbour)}, {"refreshToken": "rt-good", ${field === 'accountId' ? '' : '"accountId": "id-good", '}${JSON.stringify(field)}: ${value}}]}`

describe('a field that is no credential', () => {
  it('never makes an account vanish, whatever JSON value it holds', () => {
    const anyField = fc.constantFrom(...OPTIONAL, 'unknownField', 'sessions', 'models')
    fc.assert(
      fc.property(
        anyField,
        fc.oneof(
          fc.jsonValue(),
          fc.constantFrom(null, [], {}, '', -1, 0, 1e308, 'x'.repeat(10_000)),
        ),
        (field, value) => {
          const { accounts, unreadable } = poolOf(fileWith(field, JSON.stringify(value)))
          expect(accounts.map(({ refreshToken }) => refreshToken)).toEqual(['rt-other', 'rt-good'])
          expect(unreadable).toBeUndefined()
        },
      ),
      { numRuns: 1_000 },
    )
  })

  it.each(OPTIONAL)('%s may be null, too large for a number, or of another type', (field) => {
    for (const value of [
      'null',
      '1e999',
      '-1e999',
      '1e308',
      '"text"',
      'true',
      '42',
      '-1',
      '[]',
      '[null]',
      '[1, "a"]',
      '{}',
      '{"a": null}',
      '{"since": null}',
      '""',
    ]) {
      const { accounts } = poolOf(fileWith(field, value))
      expect(
        accounts.map(({ refreshToken }) => refreshToken),
        `${field}: ${value}`,
      ).toEqual(['rt-other', 'rt-good'])
    }
  })

  it('is set aside and stays in the file when it cannot be used', () => {
    const first = poolOf(fileWith('email', '{"address": "a@x.de"}'))
    expect(first.accounts[1]).not.toHaveProperty('email')
    const again = poolOf(first.text)
    expect(again.accounts[1]).toMatchObject({ unreadFields: { email: { address: 'a@x.de' } } })
    expect(JSON.parse(again.text)).toEqual(JSON.parse(first.text))
  })

  it('that is null is as if it were not there, and nothing is kept of it', () => {
    expect(poolOf(fileWith('accountNote', 'null')).accounts[1]).toEqual(
      expect.not.objectContaining({
        accountNote: expect.anything(),
        unreadFields: expect.anything(),
      }),
    )
  })

  it('keeps the good part of a list and of a table', () => {
    expect(
      poolOf(fileWith('accountTags', '["work", 7, null, "x"]')).accounts[1]?.accountTags,
    ).toEqual(['work', 'x'])
    expect(
      poolOf(fileWith('rateLimitResetTimes', '{"codex": 77, "other": null, "third": "soon"}'))
        .accounts[1]?.rateLimitResetTimes,
    ).toEqual({ codex: 77 })
  })

  it('never lifts the mark of a refused login because a part of the mark is odd', () => {
    expect(
      poolOf(fileWith('needsLogin', '{"since": "yesterday"}')).accounts[1]?.needsLogin,
    ).toMatchObject({ since: 0, reason: expect.stringMatching(/./) })
  })

  it('that is a time no calendar has is unknown', () => {
    for (const value of ['1e308', '1e999', '-5', '9e15'])
      expect(poolOf(fileWith('expiresAt', value)).accounts[1]?.expiresAt, value).toBeUndefined()
  })

  it('that is empty tells nobody apart: two logins without an address are two accounts', () => {
    const { accounts } = poolOf(
      '{"version": 3, "accounts": [{"refreshToken": "a", "email": ""}, {"refreshToken": "b", "email": ""}]}',
    )
    expect(new Set(accounts.map(({ uid }) => uid)).size).toBe(2)
    expect(accounts.every(({ uid }) => !uid.includes('-'))).toBe(true)
  })
})

describe('the endpoint of an API key', () => {
  it.each(['null', '42', '["https://elsewhere.example"]', '{}', 'true'])(
    'that is %s is no endpoint, and never the usual one: the key goes nowhere',
    (value) => {
      const { accounts } = poolOf(
        `{"version": 3, "accounts": [{"kind": "api-key", "apiKey": "sk-1", "baseUrl": ${value}}]}`,
      )
      expect(accounts).toHaveLength(1)
      expect(accounts[0]?.baseUrl).toEqual(expect.any(String))
      expect(accounts[0]?.baseUrl).not.toMatch(/^https?:/)
    },
  )

  it('is not guessed for a record whose kind cannot be read: a key alone is an API key', () => {
    const { accounts } = poolOf(
      '{"version": 3, "accounts": [{"kind": 7, "apiKey": "sk-1", "baseUrl": "https://own.example/v1"}]}',
    )
    expect(accounts[0]).toMatchObject({ kind: 'api-key', baseUrl: 'https://own.example/v1' })
  })
})

describe('a field of the file', () => {
  it.each([
    ['activeIndex', '"first"'],
    ['activeIndex', '1e308'],
    ['activeIndexByFamily', '{"codex": null, "other": 1}'],
    ['activeIndexByFamily', '[]'],
    ['rules', 'null'],
    ['rules', '7'],
    ['unreadableAccounts', '"text"'],
    ['unreadableAccounts', '{"a": 1}'],
    ['sealedWith', 'null'],
  ])('%s: %s drops no account', (field, value) => {
    const { accounts, text } = poolOf(
      `{"version": 3, "accounts": [${JSON.stringify(good)}, ${JSON.stringify(neighbour)}], "${field}": ${value}}`,
    )
    expect(accounts).toHaveLength(2)
    expect(poolOf(text).accounts).toHaveLength(2)
  })

  it('keeps the good entries beside an odd one', () => {
    const parsed = parsePool(
      `{"version": 3, "accounts": [${JSON.stringify(good)}, ${JSON.stringify(neighbour)}], "activeIndexByFamily": {"codex": 1, "other": "x"}}`,
    )
    expect(parsed).toMatchObject({ pool: { activeIndexByFamily: { codex: 1 } } })
  })

  it('loses no record that waits for a repair, whatever stands in the place of their list', () => {
    const parsed = parsePool(
      `{"version": 3, "accounts": [${JSON.stringify(good)}, "odd"], "unreadableAccounts": {"refreshToken": 5}}`,
    )
    expect(parsed).toMatchObject({ pool: { unreadableAccounts: [{ refreshToken: 5 }, 'odd'] } })
  })

  it('may be a version in quotes', () => {
    expect(poolOf(`{"version": "3", "accounts": [${JSON.stringify(good)}]}`).accounts).toHaveLength(
      1,
    )
    expect(parsePool('{"version": "4", "accounts": []}')).toEqual({ kind: 'newer', version: 4 })
  })
})
