import type { Forecast } from '../forecast/types.js'
import type { HistoryEntry } from '../history/entries.js'

/** One account as the report names it; what is in here is what the page shows. */
export interface ReportAccount {
  /** Joins the account with the history; never shown. */
  readonly uid: string
  /** From 1, as everywhere. */
  readonly index: number
  /** Masked by the caller if it should be. */
  readonly name: string
  readonly plan: string | null
  readonly status: string
  readonly active: boolean
  readonly windows: readonly ReportWindow[]
}

/** A quota window as last read. */
export interface ReportWindow {
  /** `5h`, `7d`, `30d` or `quota`. */
  readonly name: string
  readonly limitId: string
  readonly leftPercent: number
  /** Epoch ms, or null when unknown. */
  readonly resetsAtMs: number | null
  readonly observedAtMs: number
}

/** A forecast and the window it is of. */
export interface ReportForecast {
  readonly uid: string
  /** Name of the window, as in `ReportWindow`. */
  readonly window: string
  /** Percent left when the forecast was made. */
  readonly leftPercent: number
  readonly forecast: Forecast
}

/** What the same tokens would cost by a price list of the API. Never a charge. */
export interface ApiValue {
  /** Day of the price list, `2026-11-01`. */
  readonly pricesOf: string
  readonly byModel: readonly { readonly model: string; readonly dollars: number }[]
  /** Models with answers whose price is not known; those are not in `byModel`. */
  readonly unpriced: readonly string[]
}

/** Everything the page is made of. */
export interface ReportData {
  readonly nowMs: number
  /** IANA name; days and hours are counted in it. */
  readonly timeZone: string
  readonly accounts: readonly ReportAccount[]
  /** Oldest first. */
  readonly entries: readonly HistoryEntry[]
  readonly forecasts: readonly ReportForecast[]
  readonly value?: ApiValue
}
