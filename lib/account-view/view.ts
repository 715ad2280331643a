import type { Account, AccountPool } from '../accounts/account.js'
import { ownName } from '../accounts/labels.js'
import type { ProjectKeys } from '../accounts/project/project.js'
import { fenceOf, pinInForce, rulesOf, uidsOfKeys } from '../accounts/rules.js'
import type { Config } from '../config/settings.js'
import { dropUndefined } from '../kernel/drop-undefined.js'
import { plainText } from '../kernel/text/plain-text.js'
import type { AccountQuota } from '../quota/ledger-state.js'
import { type Block, DEFAULT_LIMIT_ID, type QuotaWindow } from '../routing/limits.js'
import type { EligibilityContext, Pin } from '../routing/types.js'
import { type AccountState, stateOf } from './state.js'
import { windowName } from './words.js'

/** One quota window; one whose reset has passed is full again. */
export interface WindowView {
  /** `5h`, `7d`, `30d` or `quota`. */
  readonly name: string
  readonly kind: QuotaWindow['kind']
  readonly limitId: string
  /** 0 to 100. */
  readonly leftPercent: number
  /** Epoch ms; undefined when it is not known or has passed. */
  readonly resetsAtMs: number | undefined
  /** Epoch ms. */
  readonly observedAtMs: number
  /** As the backend told it, for forecasts. */
  readonly reading: QuotaWindow
}

/** One account as every surface sees it; holds no secret. */
export interface AccountView {
  readonly uid: string
  /** From 1, the same number everywhere. */
  readonly index: number
  readonly name: string
  readonly kind: 'oauth' | 'api-key'
  readonly plan: string | undefined
  readonly enabled: boolean
  readonly active: boolean
  /** The pin in force here, where it names this account. */
  readonly pin: Pin | undefined
  /** Why it must sign in again, if it must. */
  readonly needsLogin: string | undefined
  readonly state: AccountState
  /** Of all families, the shortest of each first. */
  readonly windows: readonly WindowView[]
  /** Blocks of every scope in force, the one that ends last first. */
  readonly blocks: readonly Block[]
  /** When its quota was last read, epoch ms. */
  readonly readAtMs: number | undefined
  readonly resetCredits: number | undefined
  /** Models it is set aside for: `gpt-5.5 (strict)`. */
  readonly pools: readonly string[]
  readonly tags: readonly string[]
  readonly note: string | undefined
  /** Epoch ms; 0 for never. */
  readonly lastUsedMs: number
}

/** What views are made of; nothing here is read from a disk. */
export interface ViewInput {
  readonly pool: AccountPool
  readonly quotaOf: (uid: string) => AccountQuota | undefined
  /** When an account that rests after failures is asked again, epoch ms; this process alone knows it. */
  readonly restsUntil?: (uid: string) => number | undefined
  readonly config: Pick<
    Config,
    'creditsPolicy' | 'maskEmail' | 'modelAccountPools' | 'modelAccountPoolModes'
  >
  readonly project: ProjectKeys | undefined
  readonly nowMs: number
  /** The request the states are of; the next one of the usual limit family when absent. */
  readonly request?: EligibilityContext
}

/** Every account of the pool as it is to a request made now. Pure. */
export function accountViews(input: ViewInput): readonly AccountView[] {
  const { pool, project, config, nowMs } = input
  const rules = rulesOf(pool)
  const pin = pinInForce(rules, project)
  const fence = fenceOf(rules, project)
  const request: EligibilityContext =
    input.request ??
    dropUndefined({
      nowMs,
      model: '',
      limitId: DEFAULT_LIMIT_ID,
      creditsPolicy: config.creditsPolicy,
      pin,
      fence: fence === undefined ? undefined : new Set(fence),
    })
  const pools = Object.entries(config.modelAccountPools).map(([model, keys]) => ({
    text: `${plainText(model)} (${config.modelAccountPoolModes[model] ?? 'preferred'})`,
    uids: uidsOfKeys(keys, pool.accounts),
  }))
  return pool.accounts.map((account, position) => ({
    ...viewOf(account, position, input, request),
    active: position === pool.activeIndex,
    pin: pin?.uid === account.uid ? pin : undefined,
    pools: pools.filter(({ uids }) => uids.has(account.uid)).map(({ text }) => text),
  }))
}

function viewOf(
  account: Account,
  position: number,
  { quotaOf, restsUntil, config, nowMs }: ViewInput,
  request: EligibilityContext,
): Omit<AccountView, 'active' | 'pin' | 'pools'> {
  const { uid } = account
  const quota = quotaOf(uid)
  const limits = Object.entries(quota?.limits ?? {})
  const enabled = account.enabled !== false
  const facts = {
    uid,
    enabled,
    needsLogin: account.needsLogin !== undefined,
    blocks: quota?.blocks ?? [],
    windows: Object.fromEntries(limits.map(([limitId, { windows }]) => [limitId, windows])),
    hasCredits:
      quota?.credits !== undefined && (quota.credits.unlimited || quota.credits.hasCredits),
  }
  const plan = quota?.planType ?? account.planType
  return {
    uid,
    index: position + 1,
    name: ownName(account, config) ?? `account ${position + 1}`,
    kind: account.kind ?? 'oauth',
    plan: plan === undefined ? undefined : plainText(plan),
    enabled,
    needsLogin: account.needsLogin?.reason,
    state: stateOf(facts, request, {
      loginReason: account.needsLogin?.reason,
      restsUntilMs: restsUntil?.(uid),
    }),
    windows: limits.flatMap(([limitId, { windows }]) =>
      [...windows].sort(byLength).map((window) => windowView(limitId, window, nowMs)),
    ),
    blocks: facts.blocks
      .filter((block) => block.untilMs > nowMs)
      .sort((left, right) => right.untilMs - left.untilMs),
    readAtMs: quota?.readAtMs,
    resetCredits: quota?.resetCredits,
    tags: account.accountTags ?? [],
    note: account.accountNote,
    lastUsedMs: account.lastUsed,
  }
}

function byLength(left: QuotaWindow, right: QuotaWindow): number {
  return (left.windowMinutes ?? Infinity) - (right.windowMinutes ?? Infinity)
}

function windowView(limitId: string, reading: QuotaWindow, nowMs: number): WindowView {
  const { kind, usedPercent, resetsAtMs, observedAtMs } = reading
  const isOver = resetsAtMs !== undefined && resetsAtMs <= nowMs
  return {
    name: windowName(kind),
    kind,
    limitId,
    leftPercent: isOver ? 100 : Math.min(100, Math.max(0, 100 - usedPercent)),
    resetsAtMs: isOver ? undefined : resetsAtMs,
    observedAtMs,
    reading,
  }
}
