import type { Account, AccountPool } from './account.js'
import { withPositions } from './edits.js'
import { indexOf } from './identity.js'
import { pinsOf, rulesOf, withRules } from './rules.js'

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
  // An account that is back is active again where it was; elsewhere whoever is active now stays it.
  const placeOf = (position: number, family?: string): number => {
    const before = family === undefined ? copy.activeIndex : copy.activeIndexByFamily?.[family]
    const then = copy.accounts[before ?? -1]?.uid
    const uid = then !== undefined && names.has(then) ? then : pool.accounts[position]?.uid
    return Math.max(
      0,
      accounts.findIndex((account) => account.uid === uid),
    )
  }
  // A pin that was set since the copy wins.
  const ours = rulesOf(pool)
  const lost = pinsOf(rulesOf(copy), (uid) => names.has(uid))
  return withRules(
    { ...withPositions(pool, placeOf), accounts },
    {
      ...lost,
      ...ours,
      projectPins: { ...lost.projectPins, ...ours.projectPins },
      sessionPins: { ...lost.sessionPins, ...ours.sessionPins },
    },
  )
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
    if (back.has(account)) {
      const list = following.get(place) ?? []
      list.push(account)
      following.set(place, list)
    } else place = Math.max(place, places.get(account.uid) ?? -1)
  }
  return [
    ...(following.get(-1) ?? []),
    ...accounts.flatMap((account, at) => [account, ...(following.get(at) ?? [])]),
  ]
}
