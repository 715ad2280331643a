import path from 'node:path'

import type { Account, AccountPool } from '../accounts/account.js'
import { indexOf } from '../accounts/account-index.js'
import { withoutAccounts } from '../accounts/edits.js'
import { clearLoginCopies, findLoginCopies, type LoginCopy } from '../accounts/login-copies.js'
import { createAccountStore } from '../accounts/store.js'
import { fingerprintOf } from '../auth/refresh-rules.js'
import { sweepEverywhere } from '../kernel/temporaries.js'
import type { Runtime } from '../runtime.js'

/** Copies of logins that lie beside the pool. */
export interface PurgePlan {
  readonly copies: readonly LoginCopy[]
  /** One line per file, with what becomes of it. */
  readonly lines: readonly string[]
}

/**
 * The copies of logins in every folder of ours.
 * @param everything the whole pool goes: every copy beside it is meant, whoever it is of
 */
export async function purgePlan(
  { paths, store }: Runtime,
  accounts: readonly Account[],
  everything: boolean,
): Promise<PurgePlan> {
  const journalNames = new Set(
    accounts.flatMap(({ refreshToken }) =>
      refreshToken === undefined ? [] : [fingerprintOf(refreshToken)],
    ),
  )
  const copies = await findLoginCopies(paths, store.path, {
    accounts,
    journalNames,
    wholeFolder: everything ? path.dirname(store.path) : undefined,
  })
  return { copies, lines: copies.map(lineOf) }
}

/**
 * Clears what `purgePlan` finds, after the accounts have left the pool: the copy that was written for that is found too.
 * @returns whole sentences about what was done
 */
export async function purge(
  runtime: Runtime,
  accounts: readonly Account[],
  everything: boolean,
): Promise<readonly string[]> {
  const pools = (await purgePlan(runtime, accounts, everything)).copies.filter(
    ({ fate }) => fate === 'pool',
  )
  for (const { path: file } of pools) await removeFromPool(runtime, file, accounts)
  const { copies } = await purgePlan(runtime, accounts, everything)
  const failed = await clearLoginCopies(copies)
  await sweepEverywhere(runtime.paths, runtime.clock.now())
  const count = (fate: LoginCopy['fate']): number =>
    copies.filter((copy) => copy.fate === fate && !failed.includes(copy.path)).length
  return [
    `Copies cleared: ${filesText(count('delete'))} deleted, ${filesText(count('rewrite'))} written anew without the login, ${pools.length === 1 ? '1 other pool' : `${pools.length} other pools`} changed. This cannot be undone.`,
    ...copies
      .filter(({ fate }) => fate === 'left')
      .map(({ path: file }) => `${file} is encrypted with a passphrase and stays.`),
    ...failed.map((file) => `${file} could not be cleared; delete it by hand.`),
    'Exports and copies that you made elsewhere are not known here.',
  ]
}

/** What a removal without a purge says: that copies stay, and how to clear them; empty when there are none. */
export async function copiesLeftText(
  runtime: Runtime,
  accounts: readonly Account[],
  command: string,
): Promise<string> {
  const { copies } = await purgePlan(runtime, accounts, false)
  return copies.length === 0
    ? ''
    : `${filesText(copies.length)} on this machine still ${copies.length === 1 ? 'holds' : 'hold'} a copy of the login. To clear ${copies.length === 1 ? 'it' : 'them'} for good: ${command}`
}

/** A preview, file by file. */
export function previewText({ lines }: PurgePlan): string {
  const more = 'the copy that the removal itself writes goes too'
  return lines.length === 0
    ? `No other copy is known here; ${more}. This cannot be undone.`
    : `Cleared for good, and not to be undone (${more}):\n${lines.map((line) => `  ${line}`).join('\n')}`
}

/** Secrets of a sealed pool stay sealed: records are known without them. */
async function removeFromPool(
  { clock }: Runtime,
  file: string,
  accounts: readonly Account[],
): Promise<void> {
  const store = createAccountStore({
    path: file,
    backupsDir: path.join(path.dirname(file), 'backups'),
    clock,
  })
  const wanted = indexOf(accounts)
  const uids = new Set(accounts.map(({ uid }) => uid))
  const isGone = (account: Account): boolean =>
    uids.has(account.uid) || wanted.find(account) !== undefined
  await store.update((pool: AccountPool) =>
    withoutAccounts(pool, new Set(pool.accounts.filter(isGone).map(({ uid }) => uid))),
  )
}

function lineOf({ path: file, fate }: LoginCopy): string {
  switch (fate) {
    case 'delete':
      return `${file}: deleted`
    case 'rewrite':
      return `${file}: written anew without the login`
    case 'pool':
      return `${file}: the account leaves this pool too`
    case 'left':
      return `${file}: stays, it is encrypted with a passphrase`
  }
}

function filesText(count: number): string {
  return count === 1 ? '1 file' : `${count} files`
}
