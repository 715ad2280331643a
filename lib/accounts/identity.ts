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

/** The name a record gets when it has none: derived from its identity, so that every process finds the same one. */
export function uidFor(account: StoredAccount): string {
  return `acc_${sha256Hex(identityKeyOf(account)).slice(0, 12)}`
}

/**
 * True when both records are the same account. A record that knows less (no seat or no organization, written by an earlier
 * version) is the same as one that knows more when the workspace and the address agree.
 */
export function isSameAccount(left: StoredAccount, right: StoredAccount): boolean {
  const keys = new Set(keysToList(left))
  return keysToFind(right).some((key) => keys.has(key))
}

/**
 * Finds accounts that are the same (see `isSameAccount`) by their positions, without comparing each with each. It follows a
 * list that changes as far as it is told.
 */
export function indexOf(accounts: readonly StoredAccount[]): {
  find(account: StoredAccount): number | undefined
  /** Says what stands at a position now. */
  set(position: number, account: StoredAccount): void
} {
  const positionsOf = new Map<string, Set<number>>()
  const keysAt = new Map<number, readonly string[]>()
  const index: ReturnType<typeof indexOf> = {
    find(account) {
      const positions = keysToFind(account).flatMap(
        (key) => positionsOf.get(key)?.values().next().value ?? [],
      )
      return positions.length === 0 ? undefined : Math.min(...positions)
    },
    set(position, account) {
      for (const key of keysAt.get(position) ?? []) positionsOf.get(key)?.delete(position)
      const keys = keysToList(account)
      keysAt.set(position, keys)
      for (const key of keys)
        positionsOf.set(key, (positionsOf.get(key) ?? new Set()).add(position))
    },
  }
  accounts.forEach((account, position) => index.set(position, account))
  return index
}

/** Stands for every organization; no organization is called so. */
const ANY = '*'

/**
 * The keys a record is listed under. Beside its identity these are workspace and address: there two records meet of which
 * one does not know its seat or its organization.
 */
function keysToList(account: StoredAccount): readonly string[] {
  const organizations = [ANY, account.organizationId ?? '']
  const seats = account.accountUserId === undefined ? ['every', 'unknown'] : ['every']
  return [identityKeyOf(account), ...placeKeysOf(account, organizations, seats)]
}

/** The keys under which the same account would be listed. */
function keysToFind(account: StoredAccount): readonly string[] {
  const { organizationId } = account
  const organizations = organizationId === undefined ? [ANY] : [organizationId, '']
  const seats = account.accountUserId === undefined ? ['every'] : ['unknown']
  return [identityKeyOf(account), ...placeKeysOf(account, organizations, seats)]
}

function placeKeysOf(
  { kind, accountId, email }: StoredAccount,
  organizations: readonly string[],
  seats: readonly string[],
): string[] {
  if (kind === 'api-key' || accountId === undefined) return []
  const address = email?.toLowerCase() ?? ''
  return organizations.flatMap((organization) =>
    seats.map((seat) => `place:${JSON.stringify([seat, organization, accountId, address])}`),
  )
}
