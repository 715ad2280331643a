import type { DataKey } from '../accounts/seal.js'
import { isSameFile } from '../kernel/real-path.js'
import type { Vault } from '../accounts/vault.js'
import { createRefreshJournal } from './refresh-journal.js'
import { type Lease, tryLease } from './refresh-lease.js'

/** What became of the journal entries of an account file. */
export interface JournalRewritten {
  /** Entries in use by a renewal, or that could not be rewritten. */
  readonly left: number
  /** Keys that entries are or were sealed with. */
  readonly keyIds: ReadonlySet<string>
}

/**
 * Rewrites the journal entries of one account file that hold tokens: sealed with `key`, or plain without one. An entry
 * is touched under its lease alone, so that nobody is spending that token meanwhile.
 * @param pool path of the account file
 * @param spareDirs as `createRefreshJournal` takes them
 */
export async function rewriteJournal(
  dir: string,
  pool: string,
  vault: Vault,
  key: DataKey | undefined,
  spareDirs: readonly string[] = [],
): Promise<JournalRewritten> {
  const journal = createRefreshJournal(
    dir,
    { current: async () => key, key: (id) => vault.key(id) },
    spareDirs,
  )
  const keyIds = new Set<string>()
  let left = 0
  for (const fingerprint of await journal.list()) {
    const owner = await journal.ownerOf(fingerprint).catch(() => undefined)
    if (owner === undefined || !isSameFile(owner.pool, pool)) continue
    if (owner.keyId !== undefined) keyIds.add(owner.keyId)
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
  const journal = createRefreshJournal(dir)
  for (const fingerprint of await journal.list()) {
    const owner = await journal.ownerOf(fingerprint).catch(() => undefined)
    if (
      owner !== undefined &&
      isSameFile(owner.pool, pool) &&
      !(await underLease(dir, fingerprint, async () => undefined))
    )
      return true
  }
  return false
}

/** False when somebody else holds the lease, or when it did not work. */
async function underLease(
  dir: string,
  fingerprint: string,
  work: () => Promise<void>,
): Promise<boolean> {
  let lease: Lease | undefined
  try {
    lease = await tryLease(dir, fingerprint)
    if (lease === undefined) return false
    await work()
    return true
  } catch {
    return false
  } finally {
    await lease?.release()
  }
}
