import { sha256Hex } from '../kernel/hash.js'
import { seatKey } from './rules.js'
import type { StoredAccount } from './account.js'

/**
 * What makes a record the same account, strongest fact first
 * (docs/development/facts/other-plugins.md#identity-of-an-account): a seat in a workspace, the workspace, the user, the
 * address, and last the login itself. Two seats of one workspace, and a personal and a business workspace of one
 * person, are different accounts.
 */
function identityKeyOf(account: StoredAccount): string {
  const { accountId, accountUserId, organizationId, email } = account
  if (account.kind === 'api-key')
    return `key:${account.baseUrl ?? ''}|${sha256Hex(account.apiKey ?? '')}`
  if (accountId !== undefined && accountUserId !== undefined)
    return seatKey(accountId, accountUserId)
  if (accountId !== undefined)
    return `account:${organizationId ?? ''}|${accountId}|${email?.toLowerCase() ?? ''}`
  if (accountUserId !== undefined) return `user:${accountUserId}`
  if (email !== undefined) return `email:${organizationId ?? ''}|${email.toLowerCase()}`
  return `token:${sha256Hex(account.refreshToken ?? account.accessToken ?? '')}`
}

/** Workspace and address of a ChatGPT account: where two records meet of which one does not know its seat. */
function placeKeyOf({ kind, accountId, email }: StoredAccount): string | undefined {
  return kind === 'api-key' || accountId === undefined
    ? undefined
    : `${accountId}|${email?.toLowerCase() ?? ''}`
}

/** The name a record gets when it has none: derived from its identity, so that every process finds the same one. */
export function uidFor(account: StoredAccount): string {
  return `acc_${sha256Hex(identityKeyOf(account)).slice(0, 12)}`
}

/**
 * True when both records are the same account. A record that knows less (no seat, written by an earlier version) is the
 * same as one that knows more when the workspace and the address agree.
 */
export function isSameAccount(left: StoredAccount, right: StoredAccount): boolean {
  if (identityKeyOf(left) === identityKeyOf(right)) return true
  if (left.kind === 'api-key' || right.kind === 'api-key') return false
  const sameWorkspace = left.accountId !== undefined && left.accountId === right.accountId
  const oneSeatUnknown = left.accountUserId === undefined || right.accountUserId === undefined
  return sameWorkspace && oneSeatUnknown && left.email?.toLowerCase() === right.email?.toLowerCase()
}

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
