import { forecastPool } from '../forecast/pool.js'
import { learnPrices, shareOf, switchCost } from '../forecast/price.js'
import { sum } from '../forecast/statistics.js'
import type { Forecast, Interval, PoolForecast, Sample } from '../forecast/types.js'
import { forecastWindow } from '../forecast/window.js'
import { DEFAULT_LIMIT_ID, type QuotaWindow } from '../routing/limits.js'
import { dropUndefined } from '../kernel/drop-undefined.js'
import type { HistoryEntry } from './entries.js'

/** An account and the windows it has now, by limit id. */
export interface AccountWindows {
  readonly uid: string
  readonly limits: Readonly<Record<string, readonly QuotaWindow[]>>
}

/** The forecast of a window from the history and its newest reading; undefined where they allow no claim. Pure. */
export function forecastOf(
  entries: readonly HistoryEntry[],
  which: { readonly uid: string; readonly limitId: string; readonly window: QuotaWindow },
  nowMs: number,
): Forecast | undefined {
  const { uid, limitId, window } = which
  const samples = readingsOf(entries, uid, limitId).filter(({ kind }) => kind === window.kind)
  const { observedAtMs: atMs, usedPercent, resetsAtMs } = window
  const newest: Sample = dropUndefined({ atMs, usedPercent, resetsAtMs })
  return forecastWindow([...samples.filter((sample) => sample.atMs < atMs), newest], nowMs, window)
}

/** The forecast of the usual limit of accounts that may all serve; undefined where the history allows none. Pure. */
export function poolForecastOf(
  entries: readonly HistoryEntry[],
  accounts: readonly AccountWindows[],
  nowMs: number,
): PoolForecast | undefined {
  const limitId = DEFAULT_LIMIT_ID
  return forecastPool(
    accounts.map(({ uid, limits }) =>
      (limits[limitId] ?? []).map((window) => {
        const forecast = forecastOf(entries, { uid, limitId, window }, nowMs)
        return forecast === undefined ? window : { ...window, forecast }
      }),
    ),
    nowMs,
  )
}

/** What the newest answers of an account took of one of its windows, percent each on average of so many `turns`. */
export type TurnShare = ReturnType<typeof turnShares>[number]

/** Answers that count as the newest. */
const NEWEST = 10

/** What an answer takes of each window of the usual limit, as far as the history can teach it. Pure. */
export function turnShares(entries: readonly HistoryEntry[], uid: string) {
  const newest = turnsOf(entries, uid).slice(-NEWEST)
  return learnedByKind(entries, uid).flatMap(({ kind, learned }) => {
    const shares = newest.flatMap((turn) => {
      const price = learned.get(turn.model)
      return price === undefined ? [] : [shareOf(turn, price)]
    })
    if (shares.length === 0) return []
    const mean = (of: keyof Interval): number => sum(shares, (share) => share[of]) / shares.length
    return [{ kind, turns: shares.length, low: mean('low'), mid: mean('mid'), high: mean('high') }]
  })
}

/** What continuing a session on another account would cost beyond continuing where it is. */
export type MoveCost = ReturnType<typeof moveCosts>[number]

/** The cost of moving the session of the newest answer to each other account; empty without an answer. Pure. */
export function moveCosts(entries: readonly HistoryEntry[], uids: readonly string[]) {
  const last = entries.findLast((entry) => entry.type === 'turn')
  if (last === undefined) return []
  return uids
    .filter((uid) => uid !== last.uid)
    .map((uid) => ({
      uid,
      tokens: switchCost(last, undefined).tokens,
      /** What that is of the windows of the account, percent, as far as the history can teach it. */
      shares: learnedByKind(entries, uid).flatMap(({ kind, learned }) => {
        const { share } = switchCost(last, learned.get(last.model))
        return share === undefined ? [] : [{ kind, ...share }]
      }),
    }))
}

/** The prices of an account's models in each of its windows of the usual limit. */
function learnedByKind(entries: readonly HistoryEntry[], uid: string) {
  const turns = turnsOf(entries, uid)
  const readings = readingsOf(entries, uid, DEFAULT_LIMIT_ID)
  return [...new Set(readings.map(({ kind }) => kind))].map((kind) => {
    const ofKind = readings.filter((reading) => reading.kind === kind)
    return { kind, learned: learnPrices(ofKind, turns) }
  })
}

function turnsOf(entries: readonly HistoryEntry[], uid: string) {
  return entries.filter((entry) => entry.type === 'turn').filter((turn) => turn.uid === uid)
}

function readingsOf(entries: readonly HistoryEntry[], uid: string, limitId: string) {
  return entries
    .filter((entry) => entry.type === 'reading')
    .filter((reading) => reading.uid === uid && reading.limitId === limitId)
}
