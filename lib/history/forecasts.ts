import { forecastPool } from '../forecast/pool.js'
import type { Forecast, PoolForecast, Sample } from '../forecast/types.js'
import { forecastWindow } from '../forecast/window.js'
import { DEFAULT_LIMIT_ID, type QuotaWindow } from '../routing/limits.js'
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
  const samples: Sample[] = entries.flatMap((entry) =>
    entry.type === 'reading' &&
    entry.uid === uid &&
    entry.limitId === limitId &&
    entry.kind === window.kind
      ? [entry]
      : [],
  )
  const { usedPercent, resetsAtMs } = window
  const newest: Sample = {
    atMs: window.observedAtMs,
    usedPercent,
    ...(resetsAtMs === undefined ? {} : { resetsAtMs }),
  }
  return forecastWindow(
    [...samples.filter(({ atMs }) => atMs < newest.atMs), newest],
    nowMs,
    window,
  )
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
