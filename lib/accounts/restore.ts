import type { Account, AccountPool } from './account.js'
import { indexOf } from './identity.js'
import { rulesOf, withRules } from './rules.js'

/**
 * The pool with removed accounts put back from a copy of it: at their old places, active again if they were, with the
 * pins that named them. An account that has signed in again meanwhile stays as it is now; everything else that changed
 * since the copy stays too. Pure.
 * @param uids the accounts wanted back
 */
export function restored(
  pool: AccountPool,
  copy: AccountPool,
  uids: ReadonlySet<string>,
): AccountPool {
  const present = indexOf(pool.accounts)
  const back = copy.accounts.filter(
    (account) => uids.has(account.uid) && present.find(account) === undefined,
  )
  if (back.length === 0) return pool
  const accounts = inserted(pool.accounts, new Set(back), copy.accounts)
  const names = new Set(back.map(({ uid }) => uid))
  const wasActive = copy.accounts[copy.activeIndex]?.uid
  const active =
    wasActive !== undefined && names.has(wasActive)
      ? wasActive
      : pool.accounts[pool.activeIndex]?.uid
  const placeOf = (uid: string | undefined): number =>
    Math.max(
      0,
      accounts.findIndex((account) => account.uid === uid),
    )
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
              return [
                family,
                placeOf(
                  before !== undefined && names.has(before) ? before : pool.accounts[index]?.uid,
                ),
              ]
            }),
          ),
        }),
  }
  return withPins(next, copy, names)
}

/** Each behind the nearest account that stood before it in the copy. */
function inserted(
  accounts: readonly Account[],
  back: ReadonlySet<Account>,
  order: readonly Account[],
): readonly Account[] {
  const following = new Map<number, Account[]>()
  // The furthest place of an account that stood before: a running maximum over the order of the copy.
  const places = new Map(accounts.map(({ uid }, place) => [uid, place]))
  let place = -1
  for (const account of order) {
    if (back.has(account)) pushTo(following, place, account)
    else place = Math.max(place, places.get(account.uid) ?? -1)
  }
  return [
    ...(following.get(-1) ?? []),
    ...accounts.flatMap((account, at) => [account, ...(following.get(at) ?? [])]),
  ]
}

function pushTo(following: Map<number, Account[]>, place: number, account: Account): void {
  const list = following.get(place)
  if (list === undefined) following.set(place, [account])
  else list.push(account)
}

/** A pin that was set since the copy wins. */
function withPins(pool: AccountPool, copy: AccountPool, names: ReadonlySet<string>): AccountPool {
  const ours = rulesOf(pool)
  const { pin, projectPins, sessionPins } = rulesOf(copy)
  const lost = <Pin extends { uid: string }>(
    pins: Record<string, Pin> | undefined,
  ): Record<string, Pin> =>
    Object.fromEntries(Object.entries(pins ?? {}).filter(([, one]) => names.has(one.uid)))
  const isLost = pin !== undefined && names.has(pin.uid)
  return withRules(pool, {
    ...(isLost ? { pin } : {}),
    ...ours,
    projectPins: { ...lost(projectPins), ...ours.projectPins },
    sessionPins: { ...lost(sessionPins), ...ours.sessionPins },
  })
}
