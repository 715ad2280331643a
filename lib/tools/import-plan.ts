import type { AccountPool } from '../accounts/account.js'
import { indexOf } from '../accounts/account-index.js'
import { withoutAccounts } from '../accounts/edits.js'
import { ownName } from '../accounts/labels.js'
import { mergerInto } from '../accounts/merge.js'
import { redactText } from '../kernel/redact.js'
import type { FoundAccount } from './import-search.js'

/** One found account as it is shown. */
export interface ImportRow {
  readonly source: FoundAccount['source']
  readonly path: string
  /** Name or masked address. */
  readonly account: string
  /** `fresh`: its access token is still good; `stale`: it has to be renewed first, or is over. */
  readonly login: 'fresh' | 'stale' | 'api key'
  /** What an import does with it: `same` when the pool holds the very same login. */
  readonly here: 'new' | 'newer' | 'known' | 'same'
  /** True when the import would leave one refresh token in use by two programs. */
  readonly shared: boolean
}

/** A pool with what was found, and how it differs from the one before. */
export interface ImportPlan {
  readonly pool: AccountPool
  readonly rows: readonly ImportRow[]
  readonly added: number
  readonly updated: number
  readonly unchanged: number
  readonly removed: number
}

export interface PlanOptions {
  /** `replace`: accounts that were not found go. */
  readonly mode: 'merge' | 'replace'
  readonly maskEmail: boolean
  readonly nowMs: number
}

/** The pool after an import. Pure. */
export function planImport(
  before: AccountPool,
  found: readonly FoundAccount[],
  options: PlanOptions,
): ImportPlan {
  const merger = mergerInto(before)
  const rows: ImportRow[] = []
  const counts = { added: 0, updated: 0, unchanged: 0 }
  for (const one of found) {
    const { outcome, known } = merger.merge(one.account)
    counts[outcome] += 1
    const { refreshToken } = one.account
    const isSame = refreshToken !== undefined && known?.refreshToken === refreshToken
    const here =
      outcome === 'added' ? 'new' : isSame ? 'same' : outcome === 'updated' ? 'newer' : 'known'
    rows.push({
      source: one.source,
      path: one.path,
      account: shownName(one.account, options.maskEmail),
      login: loginState(one.account, options.nowMs),
      here,
      shared: one.foreign && refreshToken !== undefined && refreshToken !== '' && here !== 'known',
    })
  }
  const pool = merger.pool()
  if (options.mode === 'merge') return { ...counts, pool, rows, removed: 0 }
  const named = indexOf(found.map(({ account }) => account))
  const gone = new Set(
    pool.accounts.filter((account) => named.find(account) === undefined).map(({ uid }) => uid),
  )
  return { ...counts, rows, pool: withoutAccounts(pool, gone), removed: gone.size }
}

/** A label from a foreign file may be an address, too. */
function shownName(account: FoundAccount['account'], maskEmail: boolean): string {
  const name =
    ownName(account, { maskEmail }) ?? (account.kind === 'api-key' ? 'API key' : 'no name')
  return maskEmail ? redactText(name) : name
}

function loginState(account: FoundAccount['account'], nowMs: number): ImportRow['login'] {
  if (account.kind === 'api-key') return 'api key'
  return (account.expiresAt ?? 0) > nowMs ? 'fresh' : 'stale'
}
