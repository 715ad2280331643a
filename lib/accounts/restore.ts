import type { Account, AccountPool } from './account.js'
import { isSameAccount } from './identity.js'
import { rulesOf, withRules } from './rules.js'

/**
 * The pool with removed accounts put back from a copy of it: at their old places, active again if they were, with the
 * pins that named them. An account that has signed in again meanwhile stays as it is now; everything else that changed
 * since the copy stays too. Pure.
 * @param uids the accounts wanted back
 */
export function restored(pool: AccountPool, copy: AccountPool, uids: ReadonlySet<string>): AccountPool {
  const back = copy.accounts.filter((account) => uids.has(account.uid) && !pool.accounts.some((one) => isSameAccount(one, account)))
  if (back.length === 0) return pool
  const accounts = back.reduce((list, account) => inserted(list, account, copy.accounts), pool.accounts)
  const names = new Set(back.map(({ uid }) => uid))
  const wasActive = copy.accounts[copy.activeIndex]?.uid
  const active = wasActive !== undefined && names.has(wasActive) ? wasActive : pool.accounts[pool.activeIndex]?.uid
  const placeOf = (uid: string | undefined): number => Math.max(0, accounts.findIndex((account) => account.uid === uid))
  const byFamily = pool.activeIndexByFamily
  const next: AccountPool = {
    ...pool,
    accounts,
    activeIndex: placeOf(active),
    ...(byFamily === undefined
      ? {}
      : {
          activeIndexByFamily: Object.fromEntries(
            Object.entries(byFamily).map(([family, index]) => {
              const before = copy.accounts[copy.activeIndexByFamily?.[family] ?? -1]?.uid
              return [family, placeOf(before !== undefined && names.has(before) ? before : pool.accounts[index]?.uid)]
            }),
          ),
        }),
  }
  return withPins(next, copy, names)
}

/** Behind the nearest account that stood before it in the copy. */
function inserted(accounts: readonly Account[], account: Account, order: readonly Account[]): readonly Account[] {
  const before = new Set(order.slice(0, order.findIndex(({ uid }) => uid === account.uid)).map(({ uid }) => uid))
  const place = accounts.findLastIndex(({ uid }) => before.has(uid)) + 1
  return [...accounts.slice(0, place), account, ...accounts.slice(place)]
}

/** A pin that was set since the copy wins. */
function withPins(pool: AccountPool, copy: AccountPool, names: ReadonlySet<string>): AccountPool {
  const ours = rulesOf(pool)
  const { pin, projectPins, sessionPins } = rulesOf(copy)
  const lost = <Pin extends { uid: string }>(pins: Record<string, Pin> | undefined): Record<string, Pin> =>
    Object.fromEntries(Object.entries(pins ?? {}).filter(([, one]) => names.has(one.uid)))
  const isLost = pin !== undefined && names.has(pin.uid)
  return withRules(pool, {
    ...(isLost ? { pin } : {}),
    ...ours,
    projectPins: { ...lost(projectPins), ...ours.projectPins },
    sessionPins: { ...lost(sessionPins), ...ours.sessionPins },
  })
}
