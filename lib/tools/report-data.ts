import { apiValue } from '../forecast/api-value.js'
import { PRICES_DATE } from '../forecast/price-table.js'
import type { HistoryEntry } from '../history/entries.js'
import { type AccountWindows, forecastOf } from '../history/forecasts.js'
import type { ApiValue, ReportData, ReportForecast } from '../report/report-data.js'
import { DEFAULT_LIMIT_ID, WINDOW_NAMES } from '../routing/limits.js'
import type { AccountRow } from './account-row.js'

/** What the caller has read; nothing here is read again. */
export interface ReportInput {
  /** Names are shown as they stand here. */
  readonly rows: readonly AccountRow[]
  /** The account of each row with its windows, in the same order; joins it with the history. */
  readonly accounts: readonly AccountWindows[]
  /** Oldest first. */
  readonly entries: readonly HistoryEntry[]
  readonly nowMs: number
}

/** The report's own view of the pool. Pure but for the time zone, which is the computer's. */
export function reportData({ rows, accounts, entries, nowMs }: ReportInput): ReportData {
  const byKey = new Set(
    rows.flatMap(({ kind }, position) =>
      kind === 'api-key' ? [accounts[position]?.uid ?? ''] : [],
    ),
  )
  return {
    nowMs,
    timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    accounts: rows.map(({ index, name, plan, status, active, windows }, position) => ({
      uid: accounts[position]?.uid ?? '',
      index,
      name,
      plan,
      status,
      active,
      windows,
    })),
    entries,
    forecasts: accounts.flatMap((account) => forecastsOf(account, entries, nowMs)),
    value: valueOf(entries.filter((entry) => !byKey.has(entry.type === 'turn' ? entry.uid : ''))),
  }
}

function forecastsOf(
  { uid, limits }: AccountWindows,
  entries: readonly HistoryEntry[],
  nowMs: number,
): ReportForecast[] {
  const limitId = DEFAULT_LIMIT_ID
  return (limits[limitId] ?? []).flatMap((window) => {
    // Of the time after a reset nothing is claimed.
    if (window.resetsAtMs !== undefined && window.resetsAtMs <= nowMs) return []
    const forecast = forecastOf(entries, { uid, limitId, window }, nowMs)
    return forecast === undefined
      ? []
      : [
          {
            uid,
            window: WINDOW_NAMES[window.kind],
            leftPercent: Math.max(0, 100 - window.usedPercent),
            forecast,
          },
        ]
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
