import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import type { AccountPool } from '../../lib/accounts/account.js'
import { formatPool, parsePool } from '../../lib/accounts/store/pool-format.js'
import {
  keyFromText,
  keyIdOf,
  newDataKey,
  textOfKey,
} from '../../lib/accounts/keychain/data-key.js'
import { unsealPool, openText, sealPool, sealText } from '../../lib/accounts/keychain/seal.js'

const key = newDataKey()

const secret = fc.string({ minLength: 1, maxLength: 60, unit: 'binary' })
const account = fc.record(
  {
    refreshToken: secret,
    accessToken: secret,
    apiKey: secret,
    email: fc.constantFrom('a@example.test', 'b@example.test'),
    accountId: fc.string({ minLength: 1, maxLength: 8 }),
    fromTheFuture: fc.jsonValue({ maxDepth: 2 }),
  },
  { requiredKeys: ['refreshToken', 'accountId'] },
)
const pools = fc
  .record({
    accounts: fc.array(account, { maxLength: 4 }),
    broken: fc.array(
      fc.record({ refreshToken: fc.string({ minLength: 1 }), expiresAt: fc.constant('soon') }),
      { maxLength: 2 },
    ),
  })
  .map(({ accounts, broken }) =>
    poolOf(
      JSON.stringify({
        version: 3,
        accounts: [...accounts, ...broken].map((one) => ({ ...one, addedAt: 1, lastUsed: 0 })),
        activeIndex: 0,
        rules: { fences: {} },
      }),
    ),
  )

function poolOf(text: string): AccountPool {
  const parsed = parsePool(text)
  if (parsed.kind !== 'pool') throw new Error(parsed.kind)
  return parsed.pool
}

/** The same content whatever the order of its members. */
const content = (pool: AccountPool): unknown => JSON.parse(formatPool(pool))

describe('sealing', () => {
  it('gives back every pool as it was, through the text of the file', () => {
    fc.assert(
      fc.property(pools, (pool) => {
        const stored = poolOf(formatPool(sealPool(pool, key)))
        expect(keyIdOf(stored)).toBe(key.id)
        expect(content(unsealPool(stored, key))).toEqual(content(pool))
      }),
    )
  })

  it('leaves no secret in the text and every other field readable', () => {
    const pool = poolOf(
      JSON.stringify({
        version: 3,
        activeIndex: 0,
        accounts: [
          {
            refreshToken: 'SECRET-1',
            accessToken: 'SECRET-2',
            apiKey: 'SECRET-3',
            email: 'a@example.test',
            addedAt: 1,
            lastUsed: 0,
          },
          { refreshToken: 'SECRET-4', expiresAt: 'soon' },
        ],
      }),
    )
    const text = formatPool(sealPool(pool, key))
    expect(text).not.toMatch(/SECRET|refreshToken|accessToken|apiKey/)
    expect(text).toContain('a@example.test')
  })

  it('refuses a text in which one byte was changed', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1, maxLength: 40 }),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (text, at, change) => {
          const sealed = Buffer.from(sealText(key, 'acc_1', text))
          const place = at % sealed.length
          sealed[place] = (sealed[place] ?? 0) ^ change
          expect(openText(key, 'acc_1', sealed.toString('latin1'))).toBeUndefined()
        },
      ),
      { numRuns: 500 },
    )
  })

  it('refuses what belongs to another account, another key or another key of the same name', () => {
    const sealed = sealText(key, 'acc_1', 'text')
    expect(openText(key, 'acc_1', sealed)).toBe('text')
    expect(openText(key, 'acc_2', sealed)).toBeUndefined()
    expect(openText({ ...key, id: 'other' }, 'acc_1', sealed)).toBeUndefined()
    expect(openText({ ...newDataKey(), id: key.id }, 'acc_1', sealed)).toBeUndefined()
  })

  it('opens neither of two accounts that swapped their sealed fields, and every other one', () => {
    const several = pools.filter(({ accounts }) => accounts.length > 1)
    fc.assert(
      fc.property(several, fc.nat(), fc.nat(), (pool, from, to) => {
        const stored = sealPool(pool, key)
        const [one, other] = [from % pool.accounts.length, to % pool.accounts.length]
        fc.pre(one !== other)
        const accounts = [...stored.accounts]
        accounts[one] = { ...stored.accounts[one]!, sealed: stored.accounts[other]!.sealed }
        accounts[other] = { ...stored.accounts[other]!, sealed: stored.accounts[one]!.sealed }
        const opened = unsealPool({ ...stored, accounts }, key).accounts
        opened.forEach((account, position) => {
          const isSwapped = position === one || position === other
          expect(account.refreshToken === undefined).toBe(isSwapped)
          expect(account.needsLogin !== undefined).toBe(isSwapped)
        })
      }),
    )
  })

  it('never uses a nonce twice', () => {
    const nonces = Array.from({ length: 200 }, () => sealText(key, 'acc_1', 'same').split('.')[1])
    expect(new Set(nonces).size).toBe(200)
  })

  it('reads a key back from its text and takes nothing else for one', () => {
    expect(keyFromText(key.id, `${textOfKey(key)}\n`)?.bytes.equals(key.bytes)).toBe(true)
    expect(keyFromText('x', '')).toBeUndefined()
    expect(keyFromText('x', textOfKey(key).slice(4))).toBeUndefined()
  })
})
