/** A window's fill at one moment. */
export interface Sample {
  /** Epoch ms. */
  readonly atMs: number
  /** 0 to 100; the backend counts whole percent and lags by minutes. */
  readonly usedPercent: number
  /** Epoch ms of the window's end as told with this reading. */
  readonly resetsAtMs?: number
}

/** What the readings say of the rest of a window. Times are epoch ms. */
export interface Forecast {
  /** Percent per hour: middle of the estimate and an 80 % interval. */
  readonly ratePerHour: { readonly low: number; readonly mid: number; readonly high: number }
  /** When the window is expected to be empty; absent where the pace reaches the reset. `early` belongs to the high rate. */
  readonly runsOutAtMs?: { readonly early?: number; readonly mid?: number; readonly late?: number }
  readonly resetsAtMs?: number
  /** Chance, 0 to 1, that the window is empty before its reset. */
  readonly runOutChance: number
  /** Percent per hour that would end exactly at the reset; absent when the reset is unknown. */
  readonly paceBudgetPerHour?: number
  /** Readings and hours the estimate stands on. */
  readonly basis: { readonly samples: number; readonly hours: number }
}
