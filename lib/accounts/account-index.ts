import type { StoredAccount } from './account.js'
import { identityKeyOf, placeKeyOf } from './identity.js'

/** Finds accounts that are the same without comparing each with each. */
export interface AccountIndex {
  /** Position of the account that is the same (see `isSameAccount`); undefined when there is none. */
  find(account: StoredAccount): number | undefined
  /** Says what stands at a position now. */
  set(position: number, account: StoredAccount): void
}

/** An index of a list of accounts; it follows a list that changes as far as it is told. */
export function indexOf(accounts: readonly StoredAccount[]): AccountIndex {
  const byIdentity = new Map<string, Set<number>>()
  /** Workspace and address: all of them, and those whose seat is not known. */
  const byPlace = new Map<string, Set<number>>()
  const bySeatlessPlace = new Map<string, Set<number>>()
  const entries = new Map<number, () => void>()

  const put = (map: Map<string, Set<number>>, key: string, position: number): (() => void) => {
    const positions = map.get(key) ?? new Set()
    map.set(key, positions.add(position))
    return () => positions.delete(position)
  }

  const index: AccountIndex = {
    find(account) {
      const place = placeKeyOf(account)
      const candidates = [
        byIdentity.get(identityKeyOf(account)),
        ...(place === undefined
          ? []
          : [
              bySeatlessPlace.get(place),
              ...(account.accountUserId === undefined ? [byPlace.get(place)] : []),
            ]),
      ]
      return candidates
        .flatMap((positions) => first(positions) ?? [])
        .sort((left, right) => left - right)[0]
    },
    set(position, account) {
      entries.get(position)?.()
      const place = placeKeyOf(account)
      const removals = [
        put(byIdentity, identityKeyOf(account), position),
        ...(place === undefined ? [] : [put(byPlace, place, position)]),
        ...(place === undefined || account.accountUserId !== undefined
          ? []
          : [put(bySeatlessPlace, place, position)]),
      ]
      entries.set(position, () => removals.forEach((remove) => remove()))
    },
  }
  accounts.forEach((account, position) => index.set(position, account))
  return index
}

function first(positions: ReadonlySet<number> | undefined): number | undefined {
  return positions?.values().next().value
}
