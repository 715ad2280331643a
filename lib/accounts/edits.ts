import type { Account, AccountPool, StoredAccount } from './account.js'
import { isSameAccount } from './identity.js'
import { withUids } from './store/pool-format.js'
import { rulesOf, withRules } from './rules.js'

/** What became of a login. */
export interface Upserted {
  readonly pool: AccountPool
  readonly account: Account
  /** False when the account was there already and got new tokens. */
  readonly added: boolean
}

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
 */
export function withLogin(pool: AccountPool, login: StoredAccount): Upserted {
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
  const byFamily = pool.activeIndexByFamily
  const next: AccountPool = {
    ...pool,
    accounts,
    activeIndex: moved(pool.activeIndex),
    ...(byFamily === undefined
      ? {}
      : {
          activeIndexByFamily: Object.fromEntries(
            Object.entries(byFamily).map(([family, index]) => [family, moved(index)]),
          ),
        }),
  }
  return withRules(next, rulesWithout(next, uids))
}

/** The pool with another active account; the same pool when nobody has that name. Pure. */
export function withActive(pool: AccountPool, uid: string): AccountPool {
  const position = pool.accounts.findIndex((account) => account.uid === uid)
  if (position < 0 || position === pool.activeIndex) return pool
  const byFamily = pool.activeIndexByFamily
  return {
    ...pool,
    activeIndex: position,
    ...(byFamily === undefined
      ? {}
      : {
          activeIndexByFamily: Object.fromEntries(
            Object.keys(byFamily).map((family) => [family, position]),
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

function rulesWithout(pool: AccountPool, uids: ReadonlySet<string>): ReturnType<typeof rulesOf> {
  const { pin, projectPins, sessionPins, ...rest } = rulesOf(pool)
  const others = <Pin extends { uid: string }>(
    pins: Record<string, Pin> | undefined,
  ): Record<string, Pin> =>
    Object.fromEntries(Object.entries(pins ?? {}).filter(([, other]) => !uids.has(other.uid)))
  return {
    ...rest,
    ...(pin === undefined || uids.has(pin.uid) ? {} : { pin }),
    projectPins: others(projectPins),
    sessionPins: others(sessionPins),
  }
}

function clamp(index: number, length: number): number {
  return Math.min(Math.max(index, 0), Math.max(0, length - 1))
}
