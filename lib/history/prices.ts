import {
  type LearnedPrice,
  learnPrices,
  type Share,
  shareOf,
  switchCost,
} from '../forecast/price.js'
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
  const turns: readonly TurnEntry[] = entries
    .filter((entry) => entry.type === 'turn')
    .filter((entry) => entry.uid === uid)
  return learnedByKind(entries, turns, uid).flatMap(({ kind, learned }) => {
    const shares = turns.slice(-NEWEST).flatMap((turn) => {
      const price = learned.get(turn.model)
      return price === undefined ? [] : [shareOf(turn, price)]
    })
    if (shares.length === 0) return []
    const mean = (value: (share: Share) => number): number =>
      shares.reduce((total, share) => total + value(share), 0) / shares.length
    return [
      {
        kind,
        turns: shares.length,
        low: mean(({ low }) => low),
        mid: mean(({ mid }) => mid),
        high: mean(({ high }) => high),
      },
    ]
  })
}

/** What going on with a session on another account would cost beyond going on where it is. */
export interface MoveCost {
  readonly uid: string
  /** Input that is billed in full again, tokens. */
  readonly tokens: number
  /** What that is of the windows of the account, percent, as far as the history can teach it. */
  readonly shares: readonly (Share & { readonly kind: ReadingEntry['kind'] })[]
}

/** The cost of moving the session of the newest answer to each other account; empty without an answer. Pure. */
export function moveCosts(entries: readonly HistoryEntry[], uids: readonly string[]): MoveCost[] {
  const turns: readonly TurnEntry[] = entries.filter((entry) => entry.type === 'turn')
  const last = turns.at(-1)
  if (last === undefined) return []
  return uids
    .filter((uid) => uid !== last.uid)
    .map((uid) => ({
      uid,
      tokens: switchCost(last, undefined).tokens,
      shares: learnedByKind(
        entries,
        turns.filter((turn) => turn.uid === uid),
        uid,
      ).flatMap(({ kind, learned }) => {
        const { share } = switchCost(last, learned.get(last.model))
        return share === undefined ? [] : [{ kind, ...share }]
      }),
    }))
}

function learnedByKind(
  entries: readonly HistoryEntry[],
  turns: readonly TurnEntry[],
  uid: string,
): { readonly kind: ReadingEntry['kind']; readonly learned: ReadonlyMap<string, LearnedPrice> }[] {
  const readings: readonly ReadingEntry[] = entries
    .filter((entry) => entry.type === 'reading')
    .filter((entry) => entry.uid === uid && entry.limitId === DEFAULT_LIMIT_ID)
  return [...new Set(readings.map(({ kind }) => kind))].map((kind) => ({
    kind,
    learned: learnPrices(
      readings.filter((reading) => reading.kind === kind),
      turns,
    ),
  }))
}
