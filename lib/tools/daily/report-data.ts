import type { AccountView } from '../../account-view/view.js'
import { windowName } from '../../account-view/words.js'
import { apiValue } from '../../forecast/api-value.js'
import { PRICES_DATE } from '../../forecast/price-table.js'
import type { HistoryEntry } from '../../history/entries.js'
import { type AccountWindows, forecastOf } from '../../history/forecasts.js'
import type { ApiValue, ReportData, ReportForecast } from '../../report/report-data.js'
import { DEFAULT_LIMIT_ID } from '../../routing/limits.js'

/** What the caller has read; nothing here is read again. */
export interface ReportInput {
  /** Names are shown as they stand here. */
  readonly views: readonly AccountView[]
  /** Oldest first. */
  readonly entries: readonly HistoryEntry[]
  readonly nowMs: number
}

/** The report's own view of the pool. Pure but for the time zone, which is the computer's. */
export function reportData({ views, entries, nowMs }: ReportInput): ReportData {
  const keys = new Set(views.filter(({ kind }) => kind === 'api-key').map(({ uid }) => uid))
  return {
    nowMs,
    timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    accounts: views,
    entries,
    forecasts: views.flatMap((view) => forecastsOf(view, entries, nowMs)),
    value: valueOf(entries.filter((entry) => !keys.has(entry.type === 'turn' ? entry.uid : ''))),
  }
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
    const forecast = forecastOf(entries, { uid, limitId, window }, nowMs)
    return forecast === undefined ? [] : [{ uid, window: windowName(kind), leftPercent, forecast }]
  })
}

function valueOf(entries: readonly HistoryEntry[]): ApiValue {
  const turns = entries.filter((entry) => entry.type === 'turn')
  const models = [...new Set(turns.map(({ model }) => model))]
  const byModel = models.flatMap((model) => {
    const { usd, unpricedModels } = apiValue(turns.filter((turn) => turn.model === model))
    return usd === 0 && unpricedModels.length > 0 ? [] : [{ model, dollars: usd }]
  })
  return { pricesOf: PRICES_DATE, byModel, unpriced: apiValue(turns).unpricedModels }
}
