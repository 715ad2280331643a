import type { Account, AccountPool } from '../accounts/account.js'
import { ownName } from '../accounts/labels.js'
import { rulesOf, uidsOfKeys } from '../accounts/rules.js'
import { unreadableRecords } from '../accounts/unreadable.js'
import type { Config } from '../config/settings.js'
import type { AccountQuota, LedgerState } from '../quota/ledger-state.js'
import { plainText } from '../kernel/plain-text.js'
import { type Holds, holderOf } from '../routing/affinity.js'
import { type Block, DEFAULT_LIMIT_ID, type QuotaWindow, WINDOW_NAMES } from '../routing/limits.js'

/** One window as shown. */
export interface WindowView {
  /** `5h`, `7d`, `30d`, `quota`. */
  readonly name: string
  /** 0 to 100. */
  readonly leftPercent: number
  /** Epoch ms. */
  readonly resetsAtMs: number | undefined
  /** The reading it comes from, for a forecast. */
  readonly source?: QuotaWindow
}

/** One account as shown; holds no secret. */
export interface AccountView {
  readonly uid: string
  /** From 1, as everywhere. */
  readonly number: number
  readonly name: string
  readonly plan: string | undefined
  readonly enabled: boolean
  readonly needsLogin: boolean
  readonly isActive: boolean
  /** Shortest window first. */
  readonly windows: readonly WindowView[]
  /** Blocks in force, the one that ends last first. */
  readonly blocks: readonly Block[]
  /** When the windows were read, epoch ms. */
  readonly readAtMs: number | undefined
  readonly resetCredits: number | undefined
  /** Models it is set aside for, in words. */
  readonly pools: readonly string[]
  readonly isPinned: boolean
  /** Epoch ms; 0 for never. */
  readonly lastUsedMs: number
}

/** What the view takes from the configuration. */
export interface ViewOptions {
  readonly maskEmail: boolean
  readonly modelAccountPools: Config['modelAccountPools']
  readonly modelAccountPoolModes: Config['modelAccountPoolModes']
}

/** The pool as shown. */
export interface PoolView {
  readonly accounts: readonly AccountView[]
  /** Records of the file that hold no login that can be read. */
  readonly unreadable: number
  /** The account that serves a session: the one that served it last, else the active one. */
  serving(sessionId: string | undefined): AccountView | undefined
}

/** Puts together what the three files say. Pure. */
export function poolView(
  input: ViewOptions & {
    readonly pool: AccountPool
    readonly ledger: LedgerState
    readonly holds: Holds
    readonly nowMs: number
  },
): PoolView {
  const { pool, ledger, holds, nowMs } = input
  const pools = Object.entries(input.modelAccountPools).map(([model, keys]) => ({
    text: `${plainText(model)} (${input.modelAccountPoolModes[model] ?? 'preferred'})`,
    uids: uidsOfKeys(keys, pool.accounts),
  }))
  const pinned = rulesOf(pool).pin?.uid
  const accounts = pool.accounts.map((account, position) => ({
    ...accountView(account, position, ledger[account.uid], input),
    isActive: position === pool.activeIndex,
    isPinned: account.uid === pinned,
    pools: pools.filter(({ uids }) => uids.has(account.uid)).map(({ text }) => text),
  }))
  return {
    accounts,
    unreadable: unreadableRecords(pool).length,
    serving(sessionId) {
      const uid = sessionId === undefined ? undefined : holderOf(holds, sessionId, nowMs)
      return (
        accounts.find((account) => account.uid === uid) ??
        accounts.find((account) => account.isActive) ??
        accounts[0]
      )
    },
  }
}

function accountView(
  account: Account,
  position: number,
  quota: AccountQuota | undefined,
  { nowMs, maskEmail }: { nowMs: number; maskEmail: boolean },
): Omit<AccountView, 'isActive' | 'isPinned' | 'pools'> {
  return {
    uid: account.uid,
    number: position + 1,
    name: ownName(account, { maskEmail }) ?? `account ${position + 1}`,
    plan: plainName(quota?.planType ?? account.planType),
    enabled: account.enabled !== false,
    needsLogin: account.needsLogin !== undefined,
    windows: windowViews(quota?.limits[DEFAULT_LIMIT_ID]?.windows ?? [], nowMs),
    blocks: (quota?.blocks ?? [])
      .filter((block) => block.untilMs > nowMs)
      .sort((left, right) => right.untilMs - left.untilMs),
    readAtMs: quota?.readAtMs,
    resetCredits: quota?.resetCredits,
    lastUsedMs: account.lastUsed,
  }
}

function plainName(text: string | undefined): string | undefined {
  return text === undefined ? undefined : plainText(text)
}

/** A window whose reset has passed is full again. */
function windowViews(windows: readonly QuotaWindow[], nowMs: number): WindowView[] {
  return [...windows]
    .sort((left, right) => (left.windowMinutes ?? Infinity) - (right.windowMinutes ?? Infinity))
    .map((window) => {
      const isOver = window.resetsAtMs !== undefined && window.resetsAtMs <= nowMs
      return {
        name: WINDOW_NAMES[window.kind],
        leftPercent: isOver ? 100 : Math.min(100, Math.max(0, 100 - window.usedPercent)),
        resetsAtMs: isOver ? undefined : window.resetsAtMs,
        source: window,
      }
    })
}
