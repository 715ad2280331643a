import { apiValue } from '../forecast/api-value.js'
import type { HistoryEntry, TurnEntry } from '../history/entries.js'
import { failoverSum, type SwitchOutcome, switchOutcomes } from './failover.js'
import { cacheShare, grouped, tokenSum } from './token-sums.js'

const DAY_MS = 86_400_000

/** Periods that can be compared with the one before; twice the longest is within what the history keeps. */
export const PERIODS = ['day', 'week', 'fortnight'] as const
export type Period = (typeof PERIODS)[number]
const PERIOD_DAYS: Readonly<Record<Period, number>> = { day: 1, week: 7, fortnight: 14 }

/** A period and the one before it, as a title. */
export const PERIOD_TITLES: Readonly<Record<Period, string>> = {
  day: 'The last 24 hours and the 24 before',
  week: 'The last 7 days and the 7 before',
  fortnight: 'The last 14 days and the 14 before',
}

/** A number now, in the period before, and the difference. */
export interface Compared {
  readonly now: number
  readonly before: number
  readonly difference: number
}

/** What is compared of a row. */
interface ComparedUse {
  readonly answers: Compared
  /** In and out. */
  readonly tokens: Compared
  /** Value at the public API, USD; not a charge. Models without a known price are not in it. */
  readonly usd: Compared
}

/** A row of a table: an account, a project or a model. */
export interface ComparedRow extends ComparedUse {
  readonly name: string
}

/** Two periods of equal length, the later one up to now. Times are epoch ms. */
export type Comparison = ReturnType<typeof compared>

/** How the turns of a row are named and which of them cost nothing at the API because somebody pays for them there. */
interface Naming {
  readonly accountOf: (uid: string) => string
  readonly projectOf: (key: string | undefined) => string
  readonly isBilled: (uid: string) => boolean
}

/** The last day, week or fortnight beside the one before it, in all and by account, project and model. Pure. */
export function compared(
  entries: readonly HistoryEntry[],
  period: Period,
  nowMs: number,
  { accountOf, projectOf, isBilled }: Naming,
) {
  const lengthMs = PERIOD_DAYS[period] * DAY_MS
  const halves = [nowMs - lengthMs, nowMs - 2 * lengthMs].map((fromMs) => ({
    fromMs,
    toMs: fromMs + lengthMs,
  }))
  const within = <Item>(items: readonly Item[], atOf: (item: Item) => number): Item[][] =>
    halves.map(({ fromMs, toMs }) =>
      items.filter((item) => atOf(item) > fromMs && atOf(item) <= toMs),
    )
  const [now = [], before = []] = within(
    entries.filter((entry) => entry.type === 'turn'),
    ({ atMs }) => atMs,
  )
  const [movedNow = [], movedBefore = []] = within(
    switchOutcomes(entries),
    ({ entry }) => entry.atMs,
  )
  const rows = (nameOf: (turn: TurnEntry) => string): ComparedRow[] =>
    rowsOf(now, before, nameOf, isBilled)
  const oldest = entries[0]?.atMs
  const fromMs = nowMs - 2 * lengthMs
  return {
    period,
    fromMs,
    betweenMs: nowMs - lengthMs,
    toMs: nowMs,
    /** When the history begins, if that is within the earlier period, which is then not whole; null where it is whole. */
    beginsMs: oldest === undefined || oldest > fromMs ? (oldest ?? nowMs) : null,
    total: {
      ...useOf(now, before, isBilled),
      cachePercent: {
        now: percentCached(now),
        before: percentCached(before),
      },
      ...failoverOf(movedNow, movedBefore),
    },
    accounts: rows(({ uid }) => accountOf(uid)),
    projects: rows(({ project }) => projectOf(project)),
    models: rows(({ model }) => model),
  }
}

function rowsOf(
  now: readonly TurnEntry[],
  before: readonly TurnEntry[],
  nameOf: (turn: TurnEntry) => string,
  isBilled: Naming['isBilled'],
): ComparedRow[] {
  const [nowBy, beforeBy] = [grouped(now, nameOf), grouped(before, nameOf)]
  return [...new Set([...nowBy.keys(), ...beforeBy.keys()])]
    .map((name) => ({
      name,
      ...useOf(nowBy.get(name) ?? [], beforeBy.get(name) ?? [], isBilled),
    }))
    .sort(
      (left, right) =>
        right.tokens.now - left.tokens.now || right.tokens.before - left.tokens.before,
    )
}

function useOf(
  now: readonly TurnEntry[],
  before: readonly TurnEntry[],
  isBilled: Naming['isBilled'],
): ComparedUse {
  const tokens = (turns: readonly TurnEntry[]): number => {
    const { inputTokens, outputTokens } = tokenSum(turns)
    return inputTokens + outputTokens
  }
  const usd = (turns: readonly TurnEntry[]): number =>
    apiValue(turns.filter(({ uid }) => !isBilled(uid))).usd
  return {
    answers: pair(now.length, before.length),
    tokens: pair(tokens(now), tokens(before)),
    usd: pair(usd(now), usd(before)),
  }
}

function failoverOf(now: readonly SwitchOutcome[], before: readonly SwitchOutcome[]) {
  const [later, earlier] = [failoverSum(now), failoverSum(before)]
  return {
    switches: pair(later.switches, earlier.switches),
    interruptionsAvoided: pair(later.avoided, earlier.avoided),
    tokensReadAgain: pair(later.tokensReadAgain, earlier.tokensReadAgain),
  }
}

/** Null without input. */
function percentCached(turns: readonly TurnEntry[]): number | null {
  const share = cacheShare(tokenSum(turns))
  return share === undefined ? null : share * 100
}

function pair(now: number, before: number): Compared {
  return { now, before, difference: now - before }
}
