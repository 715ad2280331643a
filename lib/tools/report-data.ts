import type { HistoryEntry } from '../history/entries.js'
import type { ApiValue, ReportData, ReportForecast } from '../report/report-data.js'
import type { AccountRow } from './account-row.js'

/** What the caller has read; nothing here is read again. */
export interface ReportInput {
  /** Names are shown as they stand here. */
  readonly rows: readonly AccountRow[]
  /** The id of each row, in the same order; joins it with the history. */
  readonly uids: readonly string[]
  /** Oldest first. */
  readonly entries: readonly HistoryEntry[]
  readonly forecasts: readonly ReportForecast[]
  readonly value?: ApiValue
  readonly nowMs: number
}

/** The report's own view of the pool. Pure but for the time zone, which is the computer's. */
export function reportData({ rows, uids, entries, forecasts, value, nowMs }: ReportInput): ReportData {
  return {
    nowMs,
    timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    accounts: rows.map(({ index, name, plan, status, active, windows }, position) => ({ uid: uids[position] ?? '', index, name, plan, status, active, windows })),
    entries,
    forecasts,
    ...(value === undefined ? {} : { value }),
  }
}
