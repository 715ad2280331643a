import type { SwitchEntry, TurnEntry } from '../history/entries.js'
import type { Calendar } from './formats.js'

/** Tokens of some answers together. */
export interface TokenSum {
  readonly turns: number
  readonly inputTokens: number
  readonly cachedTokens: number
  readonly outputTokens: number
  readonly reasoningTokens: number
}

export function tokenSum(turns: readonly TurnEntry[]): TokenSum {
  const sum = (value: (turn: TurnEntry) => number): number =>
    turns.reduce((total, turn) => total + value(turn), 0)
  return {
    turns: turns.length,
    inputTokens: sum((turn) => turn.inputTokens),
    cachedTokens: sum((turn) => turn.cachedTokens),
    outputTokens: sum((turn) => turn.outputTokens),
    reasoningTokens: sum((turn) => turn.reasoningTokens),
  }
}

/** Tokens, in and out, by weekday (0 Monday) and hour: seven rows of 24. */
export function tokensByHour(turns: readonly TurnEntry[], calendar: Calendar): number[][] {
  const grid = Array.from({ length: 7 }, () => Array.from({ length: 24 }, () => 0))
  for (const turn of turns) {
    const { weekday, hour } = calendar.of(turn.atMs)
    const row = grid[weekday]
    if (row !== undefined) row[hour] = (row[hour] ?? 0) + turn.inputTokens + turn.outputTokens
  }
  return grid
}

/** One day of answers. */
export interface DaySum extends TokenSum {
  /** Some moment of the day, epoch ms. */
  readonly atMs: number
  readonly cacheShare: number | undefined
}

/** The days with answers, oldest first. */
export function sumsByDay(turns: readonly TurnEntry[], calendar: Calendar): DaySum[] {
  return [...grouped(turns, (turn) => calendar.of(turn.atMs).day)]
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([, ofDay]) => {
      const sum = tokenSum(ofDay)
      return { ...sum, atMs: ofDay[0]?.atMs ?? 0, cacheShare: cacheShare(sum) }
    })
}

/** Cached part of the input, 0 to 1; undefined without input. */
export function cacheShare({ cachedTokens, inputTokens }: TokenSum): number | undefined {
  return inputTokens > 0 ? Math.min(1, cachedTokens / inputTokens) : undefined
}

export interface UseSum extends TokenSum {
  readonly account: string
  readonly model: string
}

/** Tokens by account and model, most input first. */
export function sumsByUse(turns: readonly TurnEntry[], nameOf: (uid: string) => string): UseSum[] {
  return [...grouped(turns, (turn) => JSON.stringify([nameOf(turn.uid), turn.model])).values()]
    .map((ofUse) => ({
      ...tokenSum(ofUse),
      account: nameOf(ofUse[0]?.uid ?? ''),
      model: ofUse[0]?.model ?? '',
    }))
    .sort((left, right) => right.inputTokens - left.inputTokens)
}

/** How often each reason made a request move, the most frequent first. */
export function countsByReason(
  switches: readonly SwitchEntry[],
): { readonly reason: string; readonly count: number }[] {
  return [...grouped(switches, ({ reason }) => reason)]
    .map(([reason, list]) => ({ reason, count: list.length }))
    .sort((left, right) => right.count - left.count)
}

/** Items by key, in the order of their first appearance. */
export function grouped<Item>(
  items: readonly Item[],
  keyOf: (item: Item) => string,
): Map<string, Item[]> {
  const groups = new Map<string, Item[]>()
  for (const item of items) {
    const key = keyOf(item)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [item])
    else group.push(item)
  }
  return groups
}
