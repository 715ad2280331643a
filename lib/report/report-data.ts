import type { AccountView } from '../account-view/view.js'
import { windowName } from '../account-view/words.js'
import { apiValue } from '../forecast/api-value.js'
import { PRICES_DATE } from '../forecast/api-value.js'
import type { Forecast } from '../forecast/types.js'
import type { HistoryEntry } from '../history/entries.js'
import { type AccountWindows, forecastOf } from '../history/estimates.js'
import { DEFAULT_LIMIT_ID } from '../routing/limits.js'
import { compared, type Comparison, type Period } from './comparison.js'
import { projectNames } from './projects.js'

/** A forecast is shown from so long a time of readings on, ms. */
const LEAST_READINGS_MS = 3_600_000

/** A forecast and the window it is of. */
export interface ReportForecast {
  readonly uid: string
  /** Name of the window, as in `WindowView`. */
  readonly window: string
  /** Percent left when the forecast was made. */
  readonly leftPercent: number
  readonly forecast: Forecast
}

/** What the same tokens would cost at the public API, by model. Never a charge. */
export interface ModelValues {
  /** Day of the price list, `2026-11-01`. */
  readonly pricesOf: string
  readonly byModel: readonly { readonly model: string; readonly dollars: number }[]
  /** Models with answers whose price is not known; those are not in `byModel`. */
  readonly unpriced: readonly string[]
}

/** What the caller has read; nothing here is read again. */
export interface ReportInput {
  /** Names are shown as they stand here: masked by the caller if they should be. */
  readonly views: readonly AccountView[]
  /** Oldest first. */
  readonly entries: readonly HistoryEntry[]
  readonly nowMs: number
  /** Compare the last such time with the one before it. */
  readonly compare?: Period | undefined
}

/** An account that is signed in no more. */
export const REMOVED = 'removed account'

/** Everything the page is made of. */
export interface ReportData {
  readonly nowMs: number
  /** IANA name; days and hours are counted in it. */
  readonly timeZone: string
  readonly accounts: readonly AccountView[]
  /** Oldest first. */
  readonly entries: readonly HistoryEntry[]
  readonly forecasts: readonly ReportForecast[]
  readonly value?: ModelValues
  readonly comparison?: Comparison
}

/** The data of a report. Pure but for the time zone, which is the computer's. */
export function reportData({ views, entries, nowMs, compare }: ReportInput): ReportData {
  const keys = new Set(views.filter(({ kind }) => kind === 'api-key').map(({ uid }) => uid))
  return {
    nowMs,
    timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    accounts: views,
    entries,
    forecasts: views.flatMap((view) => forecastsOf(view, entries, nowMs)),
    value: valuesOf(entries.filter((entry) => !keys.has(entry.type === 'turn' ? entry.uid : ''))),
    ...(compare !== undefined && { comparison: comparisonOf(views, entries, compare, nowMs) }),
  }
}

/** A period beside the one before it, with accounts by number and name. Pure. */
export function comparisonOf(
  views: readonly AccountView[],
  entries: readonly HistoryEntry[],
  period: Period,
  nowMs: number,
): Comparison {
  const byUid = new Map(views.map((view) => [view.uid, view]))
  const projectOf = projectNames(
    entries.map((entry) => (entry.type === 'turn' ? entry.project : undefined)),
  )
  return compared(entries, period, nowMs, {
    accountOf: (uid) => {
      const view = byUid.get(uid)
      return view === undefined ? REMOVED : `${String(view.index)}. ${view.name}`
    },
    projectOf,
    isBilled: (uid) => byUid.get(uid)?.kind === 'api-key',
  })
}

/** The windows of the usual family as the backend told them: a forecast takes one whose reset has passed for full. */
export function usualWindows({ uid, windows }: AccountView): AccountWindows {
  const usual = windows.filter(({ limitId }) => limitId === DEFAULT_LIMIT_ID)
  return { uid, limits: { [DEFAULT_LIMIT_ID]: usual.map(({ reading }) => reading) } }
}

function forecastsOf(
  { uid, windows }: AccountView,
  entries: readonly HistoryEntry[],
  nowMs: number,
): ReportForecast[] {
  return windows.flatMap(({ limitId, kind, leftPercent, reading: window }) => {
    // Of the time after a reset nothing is claimed.
    const isOver = window.resetsAtMs !== undefined && window.resetsAtMs <= nowMs
    if (limitId !== DEFAULT_LIMIT_ID || isOver) return []
    const first = entries.find(
      (entry) =>
        entry.type === 'reading' &&
        entry.uid === uid &&
        entry.limitId === limitId &&
        entry.kind === kind,
    )
    // A picture makes a claim that lasts: minutes of readings do not carry it.
    if (first === undefined || window.observedAtMs - first.atMs < LEAST_READINGS_MS) return []
    const forecast = forecastOf(entries, { uid, limitId, window }, nowMs)
    return forecast === undefined ? [] : [{ uid, window: windowName(kind), leftPercent, forecast }]
  })
}

function valuesOf(entries: readonly HistoryEntry[]): ModelValues {
  const turns = entries.filter((entry) => entry.type === 'turn')
  const models = [...new Set(turns.map(({ model }) => model))]
  const byModel = models.flatMap((model) => {
    const { usd, unpricedModels } = apiValue(turns.filter((turn) => turn.model === model))
    return usd === 0 && unpricedModels.length > 0 ? [] : [{ model, dollars: usd }]
  })
  return { pricesOf: PRICES_DATE, byModel, unpriced: apiValue(turns).unpricedModels }
}
