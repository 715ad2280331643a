import { readFile } from 'node:fs/promises'
import { isDeepStrictEqual } from 'node:util'

import type { AccountPool } from '../accounts/account.js'
import { writeBackup } from '../accounts/store/backups.js'
import { unavailable } from '../accounts/keychain/keychain.js'
import { rewriteCopies, type Rewritten } from '../accounts/keychain/sealed-files.js'
import { poolText } from '../accounts/keychain/seal.js'
import { formatPool, parsePool } from '../accounts/store/pool-format.js'
import { type DataKey, isSealed } from '../accounts/keychain/data-key.js'
import { unsealPool } from '../accounts/keychain/seal.js'
import type { AccountStore } from '../accounts/store/store.js'
import type { Vault } from '../accounts/keychain/vault.js'
import { dropUndefined } from '../kernel/drop-undefined.js'
import { CodexError, messageOf } from '../kernel/errors.js'
import { patiently } from '../kernel/files/patience.js'
import { isSamePath } from '../kernel/files/same-path.js'
import { RefreshJournal } from './journal/journal.js'
import { underLease } from './lease.js'

interface SealingDeps {
  readonly store: AccountStore
  readonly vault: Vault
  readonly backupsDir: string
  /** Folder of leases and refresh journal. */
  readonly refreshDir: string
  /** Folders that hold journal entries when that one takes none. */
  readonly spareRefreshDirs?: readonly string[]
  readonly nowMs: number
}

/** What sealing or unsealing did. */
export interface SealingResult {
  /** False when the file was in the wanted state already; only what was left undone was done then. */
  readonly changed: boolean
  readonly accounts: number
  /** Sealed copy made before the file was replaced. */
  readonly backup?: string
  /** Copies in the backups folder that were rewritten. */
  readonly copies: number
  /** What is not as it should be although the file is; whole sentences. */
  readonly warnings: readonly string[]
}

/**
 * Seals the account file, then its copies and journal entries. One transaction: whenever it is cut off, the file is plain
 * and whole, or sealed with a key that the keychain has just given back. Done again, it finishes what was left.
 * @throws CodexError `keychain_unreachable`, or the store's own; the file is as before then
 */
export function sealPoolFile(deps: SealingDeps): Promise<SealingResult> {
  const { store, vault, backupsDir } = deps
  return store.transact(async (held) => {
    const key = held.keyId === undefined ? await vault.create() : await vault.key(held.keyId)
    const changed = held.keyId === undefined
    let backup: string | undefined
    if (changed) {
      backup = await writeBackup(backupsDir, 'keychain', poolText(held.pool, key), deps.nowMs)
      await assertOpens(backup, held.pool, vault, key.id)
      await held.write(held.pool, key)
    }
    const { copies, journal } = await rewriteOthers(deps, key)
    const warnings = copies.left.map((file) => `${file} could not be sealed.`)
    if (journal.left > 0)
      warnings.push('A token was being renewed meanwhile; its journal entry goes with the renewal.')
    const accounts = held.pool.accounts.length
    return { changed, accounts, copies: copies.done, warnings, ...dropUndefined({ backup }) }
  })
}

/**
 * Writes the account file, its copies and journal entries unencrypted, and deletes their keys from the keychain last:
 * a key stays as long as anything is sealed with it. Done again, it finishes what was left.
 * @throws CodexError `keychain_unreachable`, `store_busy` while a token is being renewed, or the store's own; the file is as before then
 */
export function unsealPoolFile(deps: SealingDeps): Promise<SealingResult> {
  const { store, vault } = deps
  return store.transact(async (held) => {
    const changed = held.keyId !== undefined
    if (changed) {
      if (held.pool.accounts.some(isSealed))
        throw new CodexError(
          'store_unreadable',
          'A sealed login in the account file does not open, so it cannot be written unencrypted.',
          { hint: 'Nothing was changed. Sign in to that account again or remove it: {list}' },
        )
      if (await isRenewing(deps.refreshDir, store.path))
        throw new CodexError('store_busy', 'A token is being renewed. Nothing was changed.')
      await held.write(held.pool, undefined)
    }
    const { copies, journal } = await rewriteOthers(deps, undefined)
    const warnings = copies.left.map(
      (file) =>
        `${file} is still sealed and could not be decrypted; the key stays in the keychain.`,
    )
    if (journal.left > 0)
      warnings.push(
        'A refresh journal is still sealed, so the key stays in the keychain. Run the command again in a moment.',
      )
    const ids = new Set([...copies.keyIds, ...journal.keyIds])
    if (held.keyId !== undefined) ids.add(held.keyId)
    if (warnings.length === 0) warnings.push(...(await forgetKeys(vault, ids)))
    return { changed, accounts: held.pool.accounts.length, copies: copies.done, warnings }
  })
}

/** What else holds tokens: the copies of the account file and the journal. Sealed with `key`, or plain without one. */
async function rewriteOthers(
  deps: SealingDeps,
  key: DataKey | undefined,
): Promise<{ copies: Rewritten; journal: Awaited<ReturnType<typeof rewriteJournal>> }> {
  return {
    copies: await rewriteCopies(deps.backupsDir, deps.vault, key),
    journal: await rewriteJournal(deps, key),
  }
}

/**
 * Rewrites the journal entries of the account file that hold tokens. An entry is touched under its lease alone, so that no
 * process spends that token meanwhile.
 * @returns `left`: entries in use by a renewal, or that could not be rewritten; keys that entries are or were sealed with
 */
async function rewriteJournal(
  { store, vault, refreshDir: dir, spareRefreshDirs }: SealingDeps,
  key: DataKey | undefined,
): Promise<{ left: number; keyIds: ReadonlySet<string> }> {
  const keys = { current: async () => key, key: (id: string) => vault.key(id) }
  const journal = new RefreshJournal(dir, keys, spareRefreshDirs)
  const keyIds = new Set<string>()
  let left = 0
  for (const { fingerprint, keyId } of await entriesOf(journal, store.path)) {
    if (keyId !== undefined) keyIds.add(keyId)
    const rewrite = async (): Promise<true> => {
      const entry = await journal.read(fingerprint)
      if (entry?.state === 'received') await journal.write(fingerprint, entry)
      return true
    }
    if (!(await underLease(dir, fingerprint, rewrite).catch(() => false))) left += 1
  }
  return { left, keyIds }
}

/** True when a process is spending a token of this account file. */
async function isRenewing(dir: string, pool: string): Promise<boolean> {
  for (const { fingerprint } of await entriesOf(new RefreshJournal(dir), pool))
    if (!(await underLease(dir, fingerprint, async () => true).catch(() => false))) return true
  return false
}

/** The entries of one account file, each with the key its tokens are sealed with. */
async function entriesOf(
  journal: RefreshJournal,
  pool: string,
): Promise<readonly { readonly fingerprint: string; readonly keyId?: string }[]> {
  const entries = []
  for (const fingerprint of await journal.list()) {
    const owner = await journal.ownerOf(fingerprint).catch(() => undefined)
    if (owner !== undefined && isSamePath(owner.pool, pool)) entries.push({ ...owner, fingerprint })
  }
  return entries
}

async function forgetKeys(vault: Vault, ids: ReadonlySet<string>): Promise<string[]> {
  const warnings: string[] = []
  for (const id of ids) {
    await vault.forget(id).catch((error: unknown) => {
      warnings.push(
        `The accounts are stored in the file again, but an unused key may still be in the keychain: ${messageOf(error)}`,
      )
    })
  }
  return warnings
}

/** Nothing is replaced before a copy on the disk has been opened with the key as the keychain gives it back. */
async function assertOpens(
  copy: string,
  pool: AccountPool,
  vault: Vault,
  keyId: string,
): Promise<void> {
  const key = await vault.fetchKey(keyId)
  const parsed = parsePool(await patiently('read', () => readFile(copy, 'utf8')))
  const isSame =
    parsed.kind === 'pool' &&
    isDeepStrictEqual(
      JSON.parse(formatPool(unsealPool(parsed.pool, key))),
      JSON.parse(formatPool(pool)),
    )
  if (!isSame)
    throw unavailable(
      `A sealed copy of the accounts could not be opened again (${copy}), so the account file was left as it is.`,
    )
}
