import type { AccountView } from '../account-view/view.js'
import type { Forecast } from '../forecast/types.js'
import type { HistoryEntry } from '../history/entries.js'

/** A forecast and the window it is of. */
export interface ReportForecast {
  readonly uid: string
  /** Name of the window, as in `WindowView`. */
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
  /** Names are masked by the caller if they should be. */
  readonly accounts: readonly AccountView[]
  /** Oldest first. */
  readonly entries: readonly HistoryEntry[]
  readonly forecasts: readonly ReportForecast[]
  readonly value?: ApiValue
}
