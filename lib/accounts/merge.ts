import {
  type Account,
  type AccountPool,
  EMPTY_POOL,
  readAccount,
  type StoredAccount,
} from './account.js'
import { indexOf } from './identity.js'
import { takenNames, withUids } from './store/pool-format.js'
import { UNREADABLE_KEY, unreadableRecords } from './store/unreadable.js'
import { isSealed } from './keychain/data-key.js'

/** What became of one account that was merged. */
interface MergedAccount {
  readonly outcome: 'added' | 'updated' | 'unchanged'
  /** The same account as it was in the pool before. */
  readonly known: Account | undefined
}

/** Puts accounts into a copy of a pool, one after the other; each costs the same however many there are. */
export function mergerInto(ours: AccountPool): {
  merge(incoming: StoredAccount): MergedAccount
  /** The pool as it is now; the one that was given while nothing changed. */
  pool(): AccountPool
} {
  const accounts = [...ours.accounts]
  const index = indexOf(accounts)
  const names = takenNames(accounts)
  let isChanged = false
  return {
    merge(incoming) {
      const position = index.find(incoming)
      const known = position === undefined ? undefined : accounts[position]
      if (position === undefined || known === undefined) {
        const added = { ...incoming, uid: names.take(incoming) }
        index.set(accounts.length, added)
        accounts.push(added)
        isChanged = true
        return { outcome: 'added', known: undefined }
      }
      if (!isSealed(known) && (incoming.tokenRotatedAt ?? 0) <= (known.tokenRotatedAt ?? 0))
        return { outcome: 'unchanged', known }
      const next = renewed(known, incoming)
      accounts[position] = next
      index.set(position, next)
      isChanged = true
      return { outcome: 'updated', known }
    },
    pool: () => (isChanged ? { ...ours, accounts: [...accounts] } : ours),
  }
}

/**
 * The pool with the accounts of another one: unknown ones are appended, known ones get the tokens that were rotated last.
 * An import never puts an older refresh token in place of a newer one. Pure.
 * @returns the pool, and how many accounts became what; `unchanged`: those whose tokens are as new or newer here
 */
export function mergePools(
  ours: AccountPool,
  theirs: AccountPool,
): { pool: AccountPool } & Record<MergedAccount['outcome'], number> {
  const merger = mergerInto(ours)
  const counts = { added: 0, updated: 0, unchanged: 0 }
  for (const incoming of theirs.accounts) counts[merger.merge(incoming).outcome] += 1
  return { ...counts, pool: merger.pool() }
}

/**
 * The pool with the records that can be read by now, and without their list. Pure.
 * @param read finds a login in a record of another form
 * @returns `back`: accounts that are in the pool because of it; `dropped`: records without a login, or with an older one of
 * an account that is there
 */
export function repaired(
  pool: AccountPool,
  read: (record: unknown) => StoredAccount | undefined,
): { readonly pool: AccountPool; readonly back: number; readonly dropped: number } {
  const records = unreadableRecords(pool)
  const found = records.flatMap((record) => readAccount(record) ?? read(record) ?? [])
  const merged = mergePools(pool, { ...EMPTY_POOL, accounts: withUids(found) })
  const { accounts, activeIndex, [UNREADABLE_KEY]: _list, ...rest } = merged.pool
  const back = merged.added + merged.updated
  const after: AccountPool = { ...rest, version: 3, accounts, activeIndex }
  return { pool: after, back, dropped: records.length - back }
}

function renewed(known: Account, incoming: StoredAccount): Account {
  const { needsLogin: _lifted, sealed: _unopened, ...rest } = known
  // Whether an account is in use is decided here, not where the copy comes from.
  const { enabled: _elsewhere, sealed: _theirs, ...facts } = incoming
  return { ...facts, ...rest, ...tokensOf(incoming), uid: known.uid }
}

const TOKEN_FIELDS = [
  'refreshToken',
  'accessToken',
  'expiresAt',
  'oauthScope',
  'tokenRotatedAt',
  'apiKey',
] as const

function tokensOf(account: StoredAccount): Partial<StoredAccount> {
  return Object.fromEntries(
    TOKEN_FIELDS.map((field) => [field, account[field]]).filter(
      ([, value]) => value !== undefined && value !== '',
    ),
  ) as Partial<StoredAccount>
}
