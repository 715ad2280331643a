import type { Account, AccountPool } from '../accounts/account.js'
import { accountName } from '../accounts/labels.js'
import type { Runtime } from '../runtime.js'
import {
  type Block,
  DEFAULT_LIMIT_ID,
  type QuotaWindow,
  WINDOW_NAMES,
  type WindowKind,
} from '../routing/limits.js'
import { formatWhen } from '../kernel/moments.js'
import { cut } from '../kernel/table.js'
import type { ToolContext } from './definition.js'

/** One window in the output of tools. */
export interface WindowRow {
  /** `5h`, `7d`, `30d` or `quota`. */
  readonly name: string
  readonly limitId: string
  readonly leftPercent: number
  /** Epoch ms, or null when unknown. */
  readonly resetsAtMs: number | null
  readonly observedAtMs: number
  readonly kind: WindowKind
}

/** One account in the output of tools. E-mail address and ids are there only when asked for. */
export interface AccountRow {
  /** From 1, the same number everywhere. */
  readonly index: number
  readonly name: string
  readonly kind: 'oauth' | 'api-key'
  readonly plan: string | null
  readonly enabled: boolean
  readonly active: boolean
  readonly pinned: boolean
  readonly needsLogin: string | null
  /** `ok`, `active`, `disabled`, `login needed`, `limited until …`, `blocked until …`. */
  readonly status: string
  readonly windows: readonly WindowRow[]
  readonly blocks: readonly Pick<Block, 'scope' | 'reason' | 'untilMs' | 'detail'>[]
  readonly tags: readonly string[]
  readonly note: string | null
  /** Epoch ms; 0 for never. */
  readonly lastUsedMs: number
  readonly resetCredits: number | null
  readonly uid?: string
  readonly email?: string
  readonly accountId?: string
}

/** Every account of the pool as a row. */
export function accountRows(
  runtime: Runtime,
  pool: AccountPool,
  context: Pick<ToolContext, 'includeSensitive'>,
): AccountRow[] {
  return pool.accounts.map((account, position) =>
    accountRow(runtime, pool, account, position, context),
  )
}

function accountRow(
  runtime: Runtime,
  pool: AccountPool,
  account: Account,
  position: number,
  { includeSensitive }: Pick<ToolContext, 'includeSensitive'>,
): AccountRow {
  const { ledger, config } = runtime
  const nowMs = runtime.clock.now()
  const quota = ledger.of(account.uid)
  const blocks = ledger.activeBlocks(account.uid, nowMs)
  const windows = Object.entries(ledger.windowsByLimit(account.uid, nowMs)).flatMap(
    ([limitId, list]) => list.map((window) => windowRow(limitId, window)),
  )
  const active = position === pool.activeIndex
  const pinned = (pool.rules as { pin?: { uid?: string } } | undefined)?.pin?.uid === account.uid
  return {
    index: position + 1,
    name: accountName(account, undefined, {
      maskEmail: includeSensitive ? false : config.maskEmail,
    })
      .replace(/^Account \((.*)\)$/, '$1')
      .replace(/^Account$/, `account ${position + 1}`),
    kind: account.kind ?? 'oauth',
    plan: quota?.planType ?? account.planType ?? null,
    enabled: account.enabled !== false,
    active,
    pinned,
    needsLogin: account.needsLogin?.reason ?? null,
    status: statusOf(account, active, blocks, windows, nowMs),
    windows,
    blocks: blocks.map(({ scope, reason, untilMs, detail }) => ({
      scope,
      reason,
      untilMs,
      ...(detail === undefined ? {} : { detail }),
    })),
    tags: account.accountTags ?? [],
    note: account.accountNote ?? null,
    lastUsedMs: account.lastUsed,
    resetCredits: quota?.resetCredits ?? null,
    ...(includeSensitive
      ? {
          uid: account.uid,
          ...(account.email === undefined ? {} : { email: account.email }),
          ...(account.accountId === undefined ? {} : { accountId: account.accountId }),
        }
      : {}),
  }
}

function windowRow(limitId: string, window: QuotaWindow): WindowRow {
  return {
    name: WINDOW_NAMES[window.kind],
    limitId,
    leftPercent: Math.min(100, Math.max(0, 100 - window.usedPercent)),
    resetsAtMs: window.resetsAtMs ?? null,
    observedAtMs: window.observedAtMs,
    kind: window.kind,
  }
}

function statusOf(
  account: Account,
  active: boolean,
  blocks: readonly Block[],
  windows: readonly WindowRow[],
  nowMs: number,
): string {
  if (account.enabled === false) return 'disabled'
  if (account.needsLogin !== undefined) return 'login needed'
  const block = [...blocks]
    .filter(({ scope }) => !scope.startsWith('model:'))
    .sort((left, right) => right.untilMs - left.untilMs)[0]
  if (block !== undefined)
    return `${block.reason === 'usage_limit' || block.reason === 'rate_limit' ? 'limited' : 'blocked'} until ${formatWhen(block.untilMs, nowMs)}`
  const exhausted = windows.find(
    (window) => window.limitId === DEFAULT_LIMIT_ID && window.leftPercent === 0,
  )
  if (exhausted?.resetsAtMs != null)
    return `limited until ${formatWhen(exhausted.resetsAtMs, nowMs)}`
  return active ? 'active' : 'ok'
}

/** The windows of the usual family in one cell: `5h 62%  7d 81%`. */
export function windowsCell(row: AccountRow): string {
  const usual = row.windows.filter((window) => window.limitId === DEFAULT_LIMIT_ID)
  return usual.length === 0
    ? '-'
    : usual.map((window) => `${window.name} ${percentLeft(window.leftPercent)}`).join('  ')
}

/** A percentage that does not round something to nothing. */
export function percentLeft(left: number): string {
  return `${left > 0 && left < 1 ? '<1' : Math.floor(left)}%`
}

/** A name that fits into a cell. */
export function shortName(row: Pick<AccountRow, 'name'>): string {
  return cut(row.name, 32)
}
