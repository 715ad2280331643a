import * as s from '../kernel/shape.js'

import { dropUndefined } from '../kernel/drop-undefined.js'
import { goodEntries, goodFields, goodItems, moment } from '../kernel/text/odd-values.js'
import {
  type Block,
  BLOCK_REASONS,
  EVIDENCE_SOURCES,
  type QuotaWindow,
  WINDOW_KINDS,
} from '../routing/limits.js'
import { type Alert, alertsFor, mergedMemory } from './alerts.js'
import type { QuotaReading } from './readings.js'

const source = s.oneOf(EVIDENCE_SOURCES)

const windowSchema = s.object({
  kind: s.oneOf(WINDOW_KINDS),
  usedPercent: s.number(),
  windowMinutes: s.number().exactOptional(),
  resetsAtMs: moment.exactOptional(),
  observedAtMs: moment,
  source,
})

const blockSchema = s.object({
  scope: s.string(),
  reason: s.oneOf(BLOCK_REASONS),
  source,
  sinceMs: moment,
  untilMs: moment,
  detail: s.string().exactOptional(),
})

const limitSchema = s.object({
  name: s.string().exactOptional(),
  windows: goodItems(goodFields(windowSchema)).catch([]),
})

const accountSchema = s.object({
  limits: goodEntries(goodFields(limitSchema)).catch({}),
  credits: s
    .object({
      hasCredits: s.boolean(),
      unlimited: s.boolean(),
      balance: s.string().exactOptional(),
    })
    .exactOptional(),
  planType: s.string().exactOptional(),
  resetCredits: s.number().exactOptional(),
  /** Last reading of any kind, epoch ms. */
  readAtMs: moment.exactOptional(),
  blocks: goodItems(goodFields(blockSchema)).catch([]),
  /** When blocks of a scope were last lifted: an older copy of such a block must not come back. */
  lifted: goodEntries(s.number()).exactOptional(),
  /** Levels of windows that were spoken of, in any window of the host. */
  alerted: goodEntries(s.number()).exactOptional(),
})

const ledgerSchema = s.object({
  version: s.literal(1),
  accounts: goodEntries(goodFields(accountSchema)).catch({}),
})

/** What is known about the quota of one account. */
export type AccountQuota = s.Infer<typeof accountSchema>

/** What is known about all of them, by uid. A value: every change makes a new one. */
export type LedgerState = Readonly<Record<string, AccountQuota>>

const NOTHING: AccountQuota = { limits: {}, blocks: [] }

/** Readings and blocks this long over are forgotten. */
const KEEP_MS = 40 * 86_400_000
/** Scope of a whole account; under `lifted`, readings up to that time are void as well. */
const EVERYTHING = '*'
/** A mark of a lifted block has to outlive the copies of the block in other processes only. */
const KEEP_LIFTED_MS = 86_400_000

/** @throws when the text is not a ledger */
export function parseLedger(text: string): LedgerState {
  return ledgerSchema.parse(JSON.parse(text)).accounts
}

export function formatLedger(state: LedgerState): string {
  return JSON.stringify({ version: 1, accounts: state })
}

/**
 * The state after a reading. A reading of one limit family replaces that family only. One that shows room in every
 * window lifts the usage-limit block of its family, if it is younger than the block. Pure.
 */
export function withReading(
  state: LedgerState,
  uid: string,
  reading: QuotaReading,
  nowMs: number,
): LedgerState {
  const before = state[uid] ?? NOTHING
  const limits = { ...before.limits }
  let { blocks } = before
  const lifted = { ...before.lifted }
  for (const { limitId, name, windows } of reading.limits) {
    limits[limitId] = { ...dropUndefined({ name }), windows: [...windows] }
    const hasRoom = windows.length > 0 && windows.every((window) => window.usedPercent < 100)
    const scope = `limit:${limitId}`
    if (hasRoom && blocks.some((block) => isLiftedByReading(block, scope, nowMs))) {
      blocks = blocks.filter((block) => !isLiftedByReading(block, scope, nowMs))
      lifted[scope] = nowMs
    }
  }
  const { credits, planType, resetCredits } = reading
  const next: AccountQuota = {
    ...before,
    limits,
    blocks,
    readAtMs: nowMs,
    ...dropUndefined({ credits, planType, resetCredits, lifted: unlessEmpty(lifted) }),
  }
  return { ...state, [uid]: next }
}

function isSameBlock(left: Block, right: Block): boolean {
  return left.scope === right.scope && left.reason === right.reason
}

function isLiftedByReading(block: Block, scope: string, nowMs: number): boolean {
  return block.scope === scope && block.reason === 'usage_limit' && block.sinceMs < nowMs
}

/** A reading after so long a pause is worth telling, ms. */
const LONG_UNREAD_MS = 10 * 60_000

/**
 * True when a reading says what others must know: a block or a window that ends or begins, a level that was spoken of, or
 * anything after a long silence. Every other reading may be lost. Pure.
 */
export function isWorthTelling(before: AccountQuota | undefined, after: AccountQuota): boolean {
  return (
    before?.readAtMs === undefined ||
    Math.abs((after.readAtMs ?? 0) - before.readAtMs) > LONG_UNREAD_MS ||
    before.blocks !== after.blocks ||
    before.alerted !== after.alerted ||
    usedUp(before) !== usedUp(after) ||
    before.credits?.hasCredits !== after.credits?.hasCredits ||
    before.credits?.unlimited !== after.credits?.unlimited
  )
}

/** The limits that are used up: as good as a block. */
function usedUp({ limits }: AccountQuota): string {
  let names = ''
  for (const [id, { windows }] of Object.entries(limits))
    if (windows.some(({ usedPercent }) => usedPercent >= 100)) names += ` ${id}`
  return names
}

/** The alerts that the newest readings of an account give rise to, and the state that remembers them. Pure. */
export function withAlerts(
  state: LedgerState,
  uid: string,
  nowMs: number,
): { readonly state: LedgerState; readonly alerts: readonly Alert[] } {
  const before = state[uid]
  if (before === undefined) return { state, alerts: [] }
  let memory = before.alerted ?? {}
  const alerts: Alert[] = []
  for (const [limitId, { windows }] of Object.entries(before.limits)) {
    const found = alertsFor(limitId, windows, memory, nowMs)
    memory = { ...found.memory }
    alerts.push(...found.alerts)
  }
  return alerts.length === 0
    ? { state, alerts }
    : { state: { ...state, [uid]: { ...before, alerted: memory } }, alerts }
}

/** The state with a block; an older one of the same scope and reason goes. Pure. */
export function withBlock(state: LedgerState, uid: string, block: Block): LedgerState {
  const before = state[uid] ?? NOTHING
  const blocks = before.blocks.filter((other) => !isSameBlock(other, block))
  return { ...state, [uid]: { ...before, blocks: [...blocks, block] } }
}

/**
 * The state without blocks of an account: all of them, or those of one scope. The same state when there was none. Pure.
 */
export function withoutBlocks(
  state: LedgerState,
  uid: string,
  scope: string | undefined,
  nowMs: number,
): LedgerState {
  const before = state[uid]
  const gone = before?.blocks.filter((block) => scope === undefined || block.scope === scope) ?? []
  if (before === undefined || gone.length === 0) return state
  const blocks = before.blocks.filter((block) => !gone.includes(block))
  const lifts = Object.fromEntries(gone.map((block) => [block.scope, nowMs]))
  return { ...state, [uid]: { ...before, blocks, lifted: { ...before.lifted, ...lifts } } }
}

/** Windows of an exhausted reading are as good as a block; clearing an account by hand forgets them too. Pure. */
export function withoutReadings(state: LedgerState, uid: string, nowMs: number): LedgerState {
  const before = state[uid]
  if (before === undefined) return state
  const { readAtMs: _age, ...rest } = before
  const lifted = { ...before.lifted, [EVERYTHING]: nowMs }
  return { ...state, [uid]: { ...rest, limits: {}, lifted } }
}

/** Both together: of every fact the younger one. Pure. */
export function mergedLedgers(ours: LedgerState, theirs: LedgerState, nowMs: number): LedgerState {
  const uids = new Set([...Object.keys(ours), ...Object.keys(theirs)])
  const merged: Record<string, AccountQuota> = {}
  for (const uid of uids) {
    const both = mergedAccounts(ours[uid], theirs[uid], nowMs)
    if (both === undefined) continue
    const account = pruned(both, nowMs)
    const { limits, blocks, lifted } = account
    if (unlessEmpty(limits) !== undefined || blocks.length > 0 || lifted !== undefined)
      merged[uid] = account
  }
  return merged
}

function mergedAccounts(
  ours: AccountQuota | undefined,
  theirs: AccountQuota | undefined,
  nowMs: number,
): AccountQuota | undefined {
  if (ours === undefined || theirs === undefined) return ours ?? theirs
  const oursIsYounger = (ours.readAtMs ?? 0) >= (theirs.readAtMs ?? 0)
  const [young, old] = oursIsYounger ? [ours, theirs] : [theirs, ours]
  const limits = { ...old.limits }
  for (const [id, limit] of Object.entries(young.limits)) {
    const other = limits[id]
    if (other === undefined || ageOf(limit.windows) >= ageOf(other.windows)) limits[id] = limit
  }
  const lifted = { ...old.lifted }
  for (const [scope, at] of Object.entries(young.lifted ?? {}))
    lifted[scope] = Math.max(at, lifted[scope] ?? 0)
  const valid = kept(limits, ({ windows }) => ageOf(windows) > (lifted[EVERYTHING] ?? 0))
  const blocks: Block[] = []
  for (const block of [...ours.blocks, ...theirs.blocks]) {
    if ((lifted[block.scope] ?? 0) >= block.sinceMs) continue
    const same = blocks.findIndex((other) => isSameBlock(other, block))
    if (same < 0) blocks.push(block)
    else if ((blocks[same]?.sinceMs ?? 0) < block.sinceMs) blocks[same] = block
  }
  const alerted = mergedMemory(ours.alerted ?? {}, theirs.alerted ?? {}, nowMs)
  return {
    ...old,
    ...young,
    limits: valid,
    blocks,
    lifted,
    alerted,
  }
}

function pruned(account: AccountQuota, nowMs: number): AccountQuota {
  const { lifted: marks = {}, alerted = {}, ...rest } = account
  const limits = kept(account.limits, ({ windows }) => nowMs - ageOf(windows) < KEEP_MS)
  const lifted = kept(marks, (at) => nowMs - at < KEEP_LIFTED_MS)
  const blocks = account.blocks.filter((block) => block.untilMs > nowMs)
  const memory = dropUndefined({ lifted: unlessEmpty(lifted), alerted: unlessEmpty(alerted) })
  return { ...rest, limits, blocks, ...memory }
}

function kept<Value>(
  table: Readonly<Record<string, Value>>,
  isKept: (value: Value) => boolean,
): Record<string, Value> {
  return Object.fromEntries(Object.entries(table).filter(([, value]) => isKept(value)))
}

function unlessEmpty<Table extends object>(table: Table): Table | undefined {
  return Object.keys(table).length === 0 ? undefined : table
}

function ageOf(windows: readonly QuotaWindow[]): number {
  return windows.reduce((latest, window) => Math.max(latest, window.observedAtMs), 0)
}
