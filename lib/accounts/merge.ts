import type { Account, AccountPool, StoredAccount } from './account.js'
import { indexOf } from './identity.js'
import { takenNames } from './store/pool-format.js'
import { isUnopened } from './keychain/seal.js'

/** What an import does to a pool. */
export interface Merged {
  readonly pool: AccountPool
  readonly added: number
  /** Known accounts that got newer tokens. */
  readonly updated: number
  /** Known accounts whose tokens are as new or newer here. */
  readonly unchanged: number
}

/** What became of one account that was merged. */
interface MergedAccount {
  readonly outcome: 'added' | 'updated' | 'unchanged'
  /** The same account as it was in the pool before. */
  readonly known: Account | undefined
}

/** Puts accounts into a pool, one after the other; each costs the same however many there are. */
export interface Merger {
  merge(incoming: StoredAccount): MergedAccount
  /** The pool as it is now; the one that was given while nothing changed. */
  pool(): AccountPool
}

/** A merger that begins with a pool, which stays as it is. */
export function mergerInto(ours: AccountPool): Merger {
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
      if (!isUnopened(known) && (incoming.tokenRotatedAt ?? 0) <= (known.tokenRotatedAt ?? 0))
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
 */
export function mergePools(ours: AccountPool, theirs: AccountPool): Merged {
  const merger = mergerInto(ours)
  const outcomes = theirs.accounts.map((incoming) => merger.merge(incoming).outcome)
  const count = (outcome: MergedAccount['outcome']): number =>
    outcomes.filter((one) => one === outcome).length
  return {
    pool: merger.pool(),
    added: count('added'),
    updated: count('updated'),
    unchanged: count('unchanged'),
  }
}

function renewed(known: Account, incoming: StoredAccount): Account {
  const { needsLogin: _lifted, sealed: _unopened, ...rest } = known
  // Whether an account is in use is decided here, not where the copy comes from.
  const { enabled: _elsewhere, sealed: _theirs, ...facts } = incoming
  return { ...facts, ...rest, ...tokensOf(incoming), uid: known.uid }
}

function tokensOf({
  refreshToken,
  accessToken,
  expiresAt,
  oauthScope,
  tokenRotatedAt,
  apiKey,
}: StoredAccount): Partial<StoredAccount> {
  return Object.fromEntries(
    Object.entries({
      refreshToken,
      accessToken,
      expiresAt,
      oauthScope,
      tokenRotatedAt,
      apiKey,
    }).filter(([, value]) => value !== undefined && value !== ''),
  )
}
