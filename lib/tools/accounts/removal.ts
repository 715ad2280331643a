import path from 'node:path'

import { backupsDirOf } from '../../accounts/store/pool-file.js'
import type { Account, AccountPool } from '../../accounts/account.js'
import { withoutAccounts } from '../../accounts/edits.js'
import { indexOf } from '../../accounts/identity.js'
import { sealStateOf } from '../../accounts/keychain/sealed-files.js'
import { keyItemName } from '../../accounts/keychain/vault.js'
import { accountName } from '../../accounts/labels.js'
import {
  clearCredentialCopies,
  type CredentialCopy,
  filesNaming,
  findCredentialCopies,
  withoutUnreadableOf,
} from '../../accounts/store/credential-copies.js'
import { createAccountStore } from '../../accounts/store/store.js'
import { unreadableRecords } from '../../accounts/store/unreadable.js'
import { messageOf } from '../../kernel/errors.js'
import { sweepEverywhere } from '../../kernel/files/leftovers.js'
import { counted } from '../../kernel/text/plural.js'
import { shellHere, shellWord } from '../../kernel/text/shell-quote.js'
import type { Runtime } from '../../runtime.js'
import { fingerprintOf } from '../../tokens/token-rules.js'

/** What is to leave this machine. */
export interface RemovalRequest {
  /** Picks the accounts from the pool that is really on disk. */
  readonly pick: (pool: AccountPool) => readonly Account[]
  /** Every copy goes too; without it they stay, and the answer says so. */
  readonly purge?: Purge | undefined
}

interface Purge {
  /** The whole pool goes: every copy beside it is meant, whoever it is of. */
  readonly everything: boolean
  /** Accounts that are in copies alone. */
  readonly past: readonly Account[]
}

/** An account by its number and name. */
export interface NamedAccount {
  readonly index: number
  readonly account: string
}

/** What a removal did, or would do. */
export interface Removal {
  readonly accounts: readonly NamedAccount[]
  readonly remaining: number
  /** Copy of the pool before; null after a purge, and when nothing was changed. */
  readonly backup: string | null
  /** About the copies of the logins: whole sentences, one line each. */
  readonly copies: readonly string[]
}

/** What `removeAccounts` would do to a pool. Changes nothing. */
export async function previewRemoval(
  runtime: Runtime,
  pool: AccountPool,
  { pick, purge }: RemovalRequest,
): Promise<Removal> {
  const accounts = pick(pool)
  return {
    accounts: namesOf(runtime, pool, accounts),
    remaining: pool.accounts.length - accounts.length,
    backup: null,
    copies: purge === undefined ? [] : await previewPurge(runtime, accounts, purge),
  }
}

/**
 * Removes accounts from the pool in one step, and with `purge` every copy of their logins on this machine. The one way
 * out, for the tool, the menu and `logout`.
 * @throws CodexError those of the store, and what `pick` throws; nothing is changed then
 */
export async function removeAccounts(
  runtime: Runtime,
  { pick, purge }: RemovalRequest,
): Promise<Removal> {
  let accounts: Removal['accounts'] = []
  let gone: readonly Account[] = []
  let backup: string | null = null
  const pool = await runtime.store.update(
    (before) => {
      gone = pick(before)
      accounts = namesOf(runtime, before, gone)
      const after = withoutAccounts(before, new Set(gone.map(({ uid }) => uid)))
      if (purge === undefined) return after
      return withoutUnreadableOf(after, purge.everything ? undefined : [...gone, ...purge.past])
    },
    (copy) => (backup = copy),
  )
  const remaining = pool.accounts.length
  if (purge !== undefined)
    return { accounts, remaining, backup: null, copies: await purged(runtime, gone, purge) }
  await sweepEverywhere(runtime.paths, runtime.clock.now())
  return { accounts, remaining, backup, copies: await copiesLeft(runtime, gone, remaining) }
}

function namesOf(
  { config }: Runtime,
  pool: AccountPool,
  accounts: readonly Account[],
): readonly NamedAccount[] {
  const positions = new Map(pool.accounts.map((account, position) => [account, position]))
  return accounts.map((account) => {
    const position = positions.get(account) ?? -1
    return { index: position + 1, account: accountName(account, position, config) }
  })
}

/** The copies of logins in every folder of ours. */
function copiesOf(
  { paths, store }: Runtime,
  accounts: readonly Account[],
  everything: boolean,
): Promise<readonly CredentialCopy[]> {
  const tokens = accounts.flatMap(({ refreshToken }) => refreshToken ?? [])
  const journalNames = new Set(tokens.map(fingerprintOf))
  const wholeFolder = everything ? path.dirname(store.path) : undefined
  return findCredentialCopies(paths, store.path, { accounts, journalNames, wholeFolder })
}

/** File by file; each is one line. */
async function previewPurge(
  runtime: Runtime,
  accounts: readonly Account[],
  { everything, past }: Purge,
): Promise<readonly string[]> {
  const copies = await copiesOf(runtime, [...accounts, ...past], everything)
  const key = everything ? (await sealStateOf(runtime.store.path)).keyId : undefined
  const lines = [
    ...copies.map(({ path: file, fate }) => `${file}: ${FATES[fate]}`),
    ...(key === undefined ? [] : [`${keyItemName(key)} in the OS keychain: deleted`]),
  ]
  const more = 'the copy that the removal itself writes goes too'
  return lines.length === 0
    ? [`No other copy is known here; ${more}. This cannot be undone.`]
    : [`Cleared for good; this cannot be undone (${more}):`, ...lines.map((line) => `  ${line}`)]
}

/** After the accounts have left the pool: the copy that was written for that is found too. */
async function purged(
  runtime: Runtime,
  gone: readonly Account[],
  { everything, past }: Purge,
): Promise<readonly string[]> {
  const accounts = [...gone, ...past]
  const found = await copiesOf(runtime, accounts, everything)
  const pools = found.filter(({ fate }) => fate === 'pool')
  for (const { path: file } of pools) await removeFromPool(runtime, file, accounts)
  const copies = await copiesOf(runtime, accounts, everything)
  const failed = await clearCredentialCopies(copies)
  await sweepEverywhere(runtime.paths, runtime.clock.now())
  const done = copies.filter((copy) => !failed.includes(copy.path))
  const filesOf = (fate: CredentialCopy['fate']): string =>
    counted(done.filter((copy) => copy.fate === fate).length, 'file')
  return [
    `Copies cleared: ${filesOf('delete')} deleted, ${filesOf('rewrite')} rewritten without the login, ${counted(pools.length, 'other pool')} changed. This cannot be undone.`,
    ...copies
      .filter(({ fate }) => fate === 'left')
      .map(({ path: file }) => `${file} is encrypted with a passphrase and is kept.`),
    ...failed.map((file) => `${file} could not be cleared; delete it by hand.`),
    ...(everything && failed.length === 0 ? await dropKey(runtime) : []),
    'Exports and copies that you made elsewhere are not touched.',
  ]
}

/**
 * Deletes the key of a sealed pool that is empty now. Under the lock of the pool: the file is written plain first, so that
 * it never names a key that is gone, and a key that any file of ours still names stays.
 */
function dropKey({ store, vault, paths }: Runtime): Promise<readonly string[]> {
  return store.transact(async (held) => {
    const { pool, keyId } = held
    if (keyId === undefined || pool.accounts.length > 0 || unreadableRecords(pool).length > 0)
      return []
    await held.write(pool, undefined)
    const item = keyItemName(keyId)
    const [user] = await filesNaming(paths, keyId)
    if (user !== undefined) return [`The key ${item} stays in the OS keychain: ${user} needs it.`]
    return vault.forget(keyId).then(
      () => [`The key ${item} was deleted from the OS keychain.`],
      (error: unknown) => [
        `The key ${item} may still be in the OS keychain, and nothing needs it: ${messageOf(error)}`,
      ],
    )
  })
}

/** That copies stay after a removal without a purge, and how to clear them; empty when there are none. */
async function copiesLeft(
  runtime: Runtime,
  gone: readonly Account[],
  remaining: number,
): Promise<readonly string[]> {
  const { length } = await copiesOf(runtime, gone, false)
  if (length === 0) return []
  const [only] = gone
  const one = gone.length === 1 && remaining > 0 ? only?.uid : undefined
  const command = `{logout ${one === undefined ? '--all' : shellWord(one, shellHere(runtime.env))} --purge}`
  return [
    `${counted(length, 'file')} on this machine still ${length === 1 ? 'holds' : 'hold'} a copy of the login. To clear ${length === 1 ? 'it' : 'them'} for good: ${command}`,
  ]
}

/** Secrets of a sealed pool stay sealed: records are known without them. */
async function removeFromPool(
  { clock }: Runtime,
  file: string,
  accounts: readonly Account[],
): Promise<void> {
  const backupsDir = backupsDirOf(file)
  const store = createAccountStore({ path: file, backupsDir, clock })
  const wanted = indexOf(accounts)
  const uids = new Set(accounts.map(({ uid }) => uid))
  const isGone = (account: Account): boolean =>
    uids.has(account.uid) || wanted.find(account) !== undefined
  await store.update((pool: AccountPool) =>
    withoutAccounts(pool, new Set(pool.accounts.filter(isGone).map(({ uid }) => uid))),
  )
}

/** What a purge does with a copy. */
const FATES: Readonly<Record<CredentialCopy['fate'], string>> = {
  delete: 'deleted',
  rewrite: 'rewritten without the login',
  pool: 'the account leaves this pool too',
  left: 'kept, because it is encrypted with a passphrase',
}
