import type { Account } from '../accounts/account.js'
import { CodexError } from '../kernel/errors.js'
import type { RefreshGrant } from '../oauth/oauth-client.js'
import type { CommitterDeps, TokenCommitter } from './commit.js'
import { accountOf } from './token-rules.js'

/** What every step of a refresh works with. */
export interface RefreshContext extends CommitterDeps {
  readonly committer: TokenCommitter
  readonly refreshGrant: RefreshGrant
  /** Folder of leases and journal, the same for every account file of this user: see `refreshDir`. */
  readonly dir: string
  /** 0 up to 1. */
  readonly random: () => number
  /** What the user calls an account. */
  readonly label: (account: Account) => string
  /** Records as they were read last: a file that cannot be read any more must still be spoken of by name. */
  readonly lastSeen: Map<string, Account>
}

/**
 * The record as it is on disk now, with tokens that could not be stored yet.
 * @param how `afresh` for what a token is spent by: no drive may answer from its memory
 * @throws the store's own
 */
export async function currentRecord(
  context: RefreshContext,
  wanted: Account,
  how?: 'afresh',
): Promise<Account> {
  const { store, committer, lastSeen } = context
  const held = committer.heldFor(wanted)
  if (how === 'afresh') store.forget()
  // Tokens that are held keep an account alive whose file cannot be read for the moment.
  const pool = await store.read().catch((error: unknown) => {
    if (held === undefined) throw error
    return undefined
  })
  const account =
    (pool === undefined ? undefined : accountOf(pool, wanted.uid)) ??
    (held === undefined ? undefined : lastSeen.get(wanted.uid))
  if (account === undefined)
    throw new CodexError(
      'login_required',
      `${context.label(wanted)} was removed while its token was being refreshed.`,
    )
  lastSeen.set(account.uid, account)
  return committer.overlay(account)
}
