/** An estimate and its 80% interval. */
export interface Interval {
  readonly low: number
  readonly mid: number
  readonly high: number
}

/** When something is expected, epoch ms, and the 80% interval; absent for what lies beyond the time that is forecast. */
export interface ExpectedTime {
  readonly early?: number
  readonly mid?: number
  readonly late?: number
}

/** Usual length of a window by its kind, minutes. */
export const WINDOW_MINUTES = {
  five_hour: 300,
  weekly: 10_080,
  monthly: 43_200,
  unknown: undefined,
} as const
type WindowKind = keyof typeof WINDOW_MINUTES

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
  /** Percent per hour. */
  readonly ratePerHour: Interval
  /** When the window is expected to be empty; absent where the pace reaches the reset. `early` belongs to the high rate. */
  readonly runsOutAtMs?: ExpectedTime
  readonly resetsAtMs?: number
  /** Chance, 0 to 1, that the window is empty before its reset. */
  readonly runOutChance: number
  /** Percent per hour that would end exactly at the reset; absent when the reset is unknown. */
  readonly paceBudgetPerHour?: number
  /** Readings and hours the estimate stands on. */
  readonly basis: { readonly samples: number; readonly hours: number }
}

/** A window whose fill is forecast: what is known of its length. */
export interface WindowShape {
  readonly kind: WindowKind
  readonly windowMinutes?: number
}

/** One window of an account of the pool. */
export interface PoolWindow extends WindowShape {
  readonly usedPercent: number
  /** Epoch ms. */
  readonly resetsAtMs?: number
  /** Absent when the readings do not allow one; its use then counts as none. */
  readonly forecast?: Forecast
}

/** When no account of the pool has anything left. Times are epoch ms. */
export interface PoolForecast {
  /** Absent where the pool lasts to the horizon. */
  readonly dryAtMs?: ExpectedTime
  /** Chance, 0 to 1, that the pool is dry at some time before the horizon. */
  readonly dryChance: number
  readonly horizonMs: number
  /** When the first account is back after `dryAtMs.mid`. */
  readonly backAtMs?: number
  /** Accounts the forecast stands on. */
  readonly accounts: number
}
