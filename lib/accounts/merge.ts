import type { AccountPool } from './account.js'
import { isSameAccount } from './identity.js'
import { isUnopened } from './seal.js'
import { withUids } from './pool-format.js'

/** What an import does to a pool. */
export interface Merged {
  readonly pool: AccountPool
  readonly added: number
  /** Known accounts that got newer tokens. */
  readonly updated: number
  /** Known accounts whose tokens are as new or newer here. */
  readonly unchanged: number
}

/**
 * The pool with the accounts of another one: unknown ones are appended, known ones get the tokens that were rotated last.
 * An import never puts an older refresh token in place of a newer one. Pure.
 */
export function mergePools(ours: AccountPool, theirs: AccountPool): Merged {
  let accounts = [...ours.accounts]
  let added = 0
  let updated = 0
  let unchanged = 0
  for (const incoming of theirs.accounts) {
    const known = accounts.findIndex((account) => isSameAccount(account, incoming))
    const current = accounts[known]
    if (current === undefined) {
      accounts = withUids([...accounts, incoming])
      added += 1
    } else if (isUnopened(current) || (incoming.tokenRotatedAt ?? 0) > (current.tokenRotatedAt ?? 0)) {
      const { needsLogin: _lifted, sealed: _unopened, ...rest } = current
      // Whether an account is in use is decided here, not where the copy comes from.
      const { enabled: _elsewhere, ...facts } = incoming
      accounts[known] = { ...facts, ...rest, ...tokensOf(incoming), uid: current.uid }
      updated += 1
    } else unchanged += 1
  }
  return { pool: added + updated === 0 ? ours : { ...ours, accounts }, added, updated, unchanged }
}

function tokensOf({ refreshToken, accessToken, expiresAt, oauthScope, tokenRotatedAt, apiKey }: AccountPool['accounts'][number]): Partial<AccountPool['accounts'][number]> {
  return Object.fromEntries(Object.entries({ refreshToken, accessToken, expiresAt, oauthScope, tokenRotatedAt, apiKey }).filter(([, value]) => value !== undefined && value !== ''))
}
