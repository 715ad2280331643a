import { type AccountPool, readAccount, type StoredAccount } from '../account.js'
import { mergePools } from '../merge.js'
import { UNREADABLE_KEY, withUids } from './pool-format.js'

/** Records of the file that hold no login that can be read; they wait in it for a repair. Pure. */
export function unreadableRecords(pool: AccountPool): readonly unknown[] {
  const records = pool[UNREADABLE_KEY]
  if (records === undefined || records === null) return []
  return Array.isArray(records) ? records : [records]
}

/** What to do about records that cannot be read, in one sentence; empty when there are none. Pure. */
export function unreadableText(count: number): string {
  if (count === 0) return ''
  return `${count === 1 ? '1 record' : `${count} records`} of the account file cannot be read and ${count === 1 ? 'is' : 'are'} not listed. Repair: codex-doctor --fix`
}

/** A pool after a repair. */
export interface Repaired {
  readonly pool: AccountPool
  /** Accounts that are in the pool because of it. */
  readonly back: number
  /** Records that hold no login, or an older one of an account that is there. They are in the pool no more. */
  readonly dropped: number
}

/**
 * The pool with the records that can be read by now, and without their list. Pure.
 * @param read finds a login in a record of another form
 */
export function repaired(
  pool: AccountPool,
  read: (record: unknown) => StoredAccount | undefined,
): Repaired {
  const records = unreadableRecords(pool)
  const found = records.flatMap((record) => readAccount(record) ?? read(record) ?? [])
  const {
    pool: merged,
    added,
    updated,
  } = mergePools(pool, { version: 3, accounts: withUids(found), activeIndex: 0 })
  const { [UNREADABLE_KEY]: _list, ...rest } = merged
  const after: AccountPool = {
    ...rest,
    version: 3,
    accounts: merged.accounts,
    activeIndex: merged.activeIndex,
  }
  return { pool: after, back: added + updated, dropped: records.length - added - updated }
}
