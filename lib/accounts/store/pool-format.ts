import * as s from '../../kernel/shape.js'

import { isNestedTooDeep } from '../../kernel/text/nesting.js'
import { goodEntries } from '../../kernel/text/odd-values.js'
import { type Account, type AccountPool, readAccount, type StoredAccount } from '../account.js'
import { uidFor } from '../identity.js'
import { withPlainNames } from '../labels.js'
import { DEFAULT_LIMIT_ID } from '../../routing/limits.js'
import { UNREADABLE_KEY, unreadableRecords } from './unreadable.js'

/** What a text that should be an account file turned out to be. */
export type ParsedPool =
  | { readonly kind: 'pool'; readonly pool: AccountPool; readonly fromVersion: 1 | 2 | 3 }
  /** Written by a later version: must be left alone. */
  | { readonly kind: 'newer'; readonly version: number }
  /** Not an account file. */
  | { readonly kind: 'foreign'; readonly why: string }

const CURRENT_VERSION = 3

const position = s.int({ min: 0 })

const fileSchema = s.looseObject({
  version: s.union([s.number(), s.string({ pattern: /^\d{1,4}$/ }).transform(Number)]),
  accounts: s.array(s.unknown()).optional(),
  activeIndex: position.catch(0).optional(),
  activeIndexByFamily: goodEntries(position).optional().catch(undefined),
})

/**
 * Reads an account file of any version. Pure. V1 had one limit time per account; V2 never left a development version,
 * so only what has the form of an account is taken over (docs/development/facts/other-plugins.md#account-records).
 * Nothing is dropped: records of another form and unknown fields stay in the pool and go back to the file.
 */
export function parsePool(text: string): ParsedPool {
  if (isNestedTooDeep(text))
    return { kind: 'foreign', why: 'its lists or objects are nested too deeply' }
  let content: unknown
  try {
    content = JSON.parse(text)
  } catch {
    return { kind: 'foreign', why: text.trim() === '' ? 'it is empty' : 'it is not JSON' }
  }
  const parsed = fileSchema.safeParse(content)
  if (!parsed.success) return { kind: 'foreign', why: 'it is not an account file' }
  const { version, accounts: records = [], activeIndex = 0, ...rest } = parsed.data
  if (version > CURRENT_VERSION) return { kind: 'newer', version }
  if (version !== 1 && version !== 2 && version !== 3)
    return { kind: 'foreign', why: `it has the unknown version ${version}` }

  const accounts: StoredAccount[] = []
  const unreadable: unknown[] = []
  for (const record of records) {
    const account = readAccount(version === 1 ? fromVersion1(record) : record)
    if (account === undefined) unreadable.push(record)
    else accounts.push(withPlainNames(account))
  }
  if (version === 2 && accounts.length === 0 && unreadable.length > 0)
    return { kind: 'foreign', why: 'it has version 2 and contains nothing that can be imported' }
  const kept =
    unreadable.length === 0 ? {} : { [UNREADABLE_KEY]: [...unreadableRecords(rest), ...unreadable] }
  const named = withUids(accounts)
  const { activeIndexByFamily, ...unknown } = rest
  const byFamily = activeIndexByFamily === undefined ? {} : { activeIndexByFamily }
  const pool: AccountPool = {
    ...unknown,
    ...byFamily,
    ...kept,
    version: 3,
    accounts: named,
    activeIndex: Math.min(activeIndex, Math.max(0, named.length - 1)),
  }
  return { kind: 'pool', pool, fromVersion: version }
}

/** The text of a pool as it lies in the file. */
export function formatPool(pool: AccountPool): string {
  return `${JSON.stringify(pool, undefined, 2)}\n`
}

/** The names of accounts that are there, and the next free one for a record. */
export function takenNames(accounts: readonly Account[]): {
  /** Takes the record's own name, or the one derived from its identity; with a number behind it when that is taken. */
  take(account: StoredAccount): string
} {
  const taken = new Set(accounts.map(({ uid }) => uid))
  /** Last number given behind a name, so that many of one name cost no search each. */
  const lastOf = new Map<string, number>()
  return {
    take(account) {
      const wanted = account.uid === undefined || account.uid === '' ? uidFor(account) : account.uid
      let uid = wanted
      let copy = lastOf.get(wanted) ?? 1
      while (taken.has(uid)) {
        copy += 1
        uid = `${wanted}-${copy}`
      }
      lastOf.set(wanted, copy)
      taken.add(uid)
      return uid
    },
  }
}

/** Gives every record a name of its own; names already there stay, so that removing one never renames another. Pure. */
export function withUids(accounts: readonly StoredAccount[]): Account[] {
  const names = takenNames([])
  return accounts.map((account) => ({ ...account, uid: names.take(account) }))
}

function fromVersion1(record: unknown): unknown {
  const old = s
    .looseObject({ rateLimitResetTime: s.number().optional().catch(undefined) })
    .safeParse(record)
  if (!old.success) return record
  const { rateLimitResetTime, ...rest } = old.data
  return rateLimitResetTime === undefined
    ? rest
    : { ...rest, rateLimitResetTimes: { [DEFAULT_LIMIT_ID]: rateLimitResetTime } }
}
