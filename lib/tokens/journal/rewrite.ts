import type { DataKey } from '../../accounts/keychain/seal.js'
import { isSameFile } from '../../kernel/files/real-path.js'
import type { Vault } from '../../accounts/keychain/vault.js'
import { RefreshJournal } from './journal.js'
import { tryLease } from '../lease.js'

/** What became of the journal entries of an account file. */
export interface JournalRewritten {
  /** Entries in use by a renewal, or that could not be rewritten. */
  readonly left: number
  /** Keys that entries are or were sealed with. */
  readonly keyIds: ReadonlySet<string>
}

/**
 * Rewrites the journal entries of one account file that hold tokens: sealed with `key`, or plain without one. An entry
 * is touched under its lease alone, so that no process spends that token meanwhile.
 * @param pool path of the account file
 * @param spareDirs as `RefreshJournal` takes them
 */
export async function rewriteJournal(
  dir: string,
  pool: string,
  vault: Vault,
  key: DataKey | undefined,
  spareDirs: readonly string[] = [],
): Promise<JournalRewritten> {
  const keys = { current: async () => key, key: (id: string) => vault.key(id) }
  const journal = new RefreshJournal(dir, keys, spareDirs)
  const keyIds = new Set<string>()
  let left = 0
  for (const { fingerprint, keyId } of await entriesOf(journal, pool)) {
    if (keyId !== undefined) keyIds.add(keyId)
    const isDone = await underLease(dir, fingerprint, async () => {
      const entry = await journal.read(fingerprint)
      if (entry?.state === 'received') await journal.write(fingerprint, entry)
    })
    if (!isDone) left += 1
  }
  return { left, keyIds }
}

/** True when a process is spending a token of this account file. */
export async function isRenewing(dir: string, pool: string): Promise<boolean> {
  for (const { fingerprint } of await entriesOf(new RefreshJournal(dir), pool))
    if (!(await underLease(dir, fingerprint, async () => undefined))) return true
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
    if (owner !== undefined && isSameFile(owner.pool, pool)) entries.push({ ...owner, fingerprint })
  }
  return entries
}

/** False when another process holds the lease, or when it did not work. */
async function underLease(
  dir: string,
  fingerprint: string,
  work: () => Promise<void>,
): Promise<boolean> {
  try {
    const lease = await tryLease(dir, fingerprint)
    if (lease === undefined) return false
    await work().finally(() => lease.release())
    return true
  } catch {
    return false
  }
}
