import type { Account, AccountPool, StoredAccount } from './account.js'
import { isSameAccount } from './identity.js'
import { withUids } from './store/pool-format.js'
import { pinsOf, rulesOf, withRules } from './rules.js'

/** Fields of a record that its owner set; a new login never touches them. */
const OWNED_BY_USER = [
  'uid',
  'accountLabel',
  'accountTags',
  'accountNote',
  'addedAt',
  'lastUsed',
] as const

/**
 * The pool after a login: a known account gets the new tokens in place, whatever its position; an unknown one is
 * appended. A login is also the user's wish to use the account, so it is enabled and its old marks are lifted. Pure.
 * @returns `added`: false when the account was there already
 */
export function withLogin(
  pool: AccountPool,
  login: StoredAccount,
): { pool: AccountPool; account: Account; added: boolean } {
  const known = pool.accounts.find((account) => isSameAccount(account, login))
  if (known === undefined) {
    const accounts = withUids([...pool.accounts, login])
    const account = accounts.at(-1)
    if (account === undefined) throw new Error('a list with one more entry is not empty')
    return { pool: { ...pool, accounts }, account, added: true }
  }
  const {
    needsLogin: _lifted,
    sealed: _unopened,
    enabled: _enabled,
    rateLimitResetTimes: _past,
    coolingDownUntil: _cooling,
    cooldownReason: _why,
    ...rest
  } = known
  const owned = Object.fromEntries(
    OWNED_BY_USER.filter((key) => known[key] !== undefined).map((key) => [key, known[key]]),
  )
  const account: Account = { ...rest, ...login, ...owned, uid: known.uid }
  return { pool: replaced(pool, account), account, added: false }
}

/** The pool with one record changed; the same pool when nobody has that name. Pure. */
export function withAccount(
  pool: AccountPool,
  uid: string,
  change: (account: Account) => Account,
): AccountPool {
  const current = pool.accounts.find((account) => account.uid === uid)
  if (current === undefined) return pool
  const next = change(current)
  return next === current ? pool : replaced(pool, next)
}

/**
 * The pool without an account. Whoever stands behind it moves up; the active account stays the active one, and rules
 * that named the removed one go with it. Pure.
 */
export function withoutAccount(pool: AccountPool, uid: string): AccountPool {
  return withoutAccounts(pool, new Set([uid]))
}

/** The pool without several accounts: see `withoutAccount`. The same pool when it has none of them. Pure. */
export function withoutAccounts(pool: AccountPool, uids: ReadonlySet<string>): AccountPool {
  const accounts = pool.accounts.filter((account) => !uids.has(account.uid))
  if (accounts.length === pool.accounts.length) return pool
  const isGone = pool.accounts.map((account) => uids.has(account.uid))
  const moved = (index: number): number =>
    clamp(index - isGone.slice(0, Math.max(0, index)).filter(Boolean).length, accounts.length)
  const rules = rulesOf(pool)
  const pins = pinsOf(rules, (uid) => !uids.has(uid))
  return withRules(
    { ...withPositions(pool, moved), accounts },
    { ...rules, pin: undefined, ...pins },
  )
}

/** The pool with another active account; the same pool when nobody has that name. Pure. */
export function withActive(pool: AccountPool, uid: string): AccountPool {
  const position = pool.accounts.findIndex((account) => account.uid === uid)
  if (position < 0 || position === pool.activeIndex) return pool
  return withPositions(pool, () => position)
}

/** The pool with its active position, and those for families of models, moved. Pure. */
export function withPositions(
  pool: AccountPool,
  moved: (position: number, family?: string) => number,
): AccountPool {
  const { activeIndexByFamily: byFamily } = pool
  const families = Object.entries(byFamily ?? {})
  return {
    ...pool,
    activeIndex: moved(pool.activeIndex),
    ...(byFamily === undefined
      ? {}
      : {
          activeIndexByFamily: Object.fromEntries(
            families.map(([family, position]) => [family, moved(position, family)]),
          ),
        }),
  }
}

function replaced(pool: AccountPool, account: Account): AccountPool {
  return {
    ...pool,
    accounts: pool.accounts.map((other) => (other.uid === account.uid ? account : other)),
  }
}

function clamp(index: number, length: number): number {
  return Math.min(Math.max(index, 0), Math.max(0, length - 1))
}
