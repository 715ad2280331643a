import { learnPrices, type Share, shareOf } from '../forecast/price.js'
import { DEFAULT_LIMIT_ID } from '../routing/limits.js'
import type { HistoryEntry, ReadingEntry, TurnEntry } from './entries.js'

/** What the newest answers of an account took of one of its windows, percent each on average. */
export interface TurnShare extends Share {
  readonly kind: ReadingEntry['kind']
  /** Answers the average is of. */
  readonly turns: number
}

/** Answers that count as the newest. */
const NEWEST = 10

/** What an answer takes of each window of the usual limit, as far as the history can teach it. Pure. */
export function turnShares(entries: readonly HistoryEntry[], uid: string): TurnShare[] {
  const turns: readonly TurnEntry[] = entries.filter((entry) => entry.type === 'turn').filter((entry) => entry.uid === uid)
  const readings: readonly ReadingEntry[] = entries.filter((entry) => entry.type === 'reading').filter((entry) => entry.uid === uid && entry.limitId === DEFAULT_LIMIT_ID)
  return [...new Set(readings.map(({ kind }) => kind))].flatMap((kind) => {
    const learned = learnPrices(readings.filter((reading) => reading.kind === kind), turns)
    const shares = turns.slice(-NEWEST).flatMap((turn) => {
      const price = learned.get(turn.model)
      return price === undefined ? [] : [shareOf(turn, price)]
    })
    if (shares.length === 0) return []
    const mean = (value: (share: Share) => number): number => shares.reduce((total, share) => total + value(share), 0) / shares.length
    return [{ kind, turns: shares.length, low: mean(({ low }) => low), mid: mean(({ mid }) => mid), high: mean(({ high }) => high) }]
  })
}
