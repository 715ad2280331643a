import type { Forecast, PoolForecast } from '../forecast/types.js'
import { formatDuration, formatMoment } from '../kernel/moments.js'

/** A smaller chance is not worth a word. */
const WORTH_A_WORD = 0.1

/**
 * What a forecast says of a window, as the end of a sentence: `empty Thu 14:00, 2 d before its reset (80 %: Wed 22:00 to
 * Fri 09:00)`. Empty when there is nothing to claim.
 */
export function paceText(forecast: Forecast | undefined, nowMs: number): string {
  if (forecast === undefined) return ''
  const { runsOutAtMs: { early, mid, late } = {}, resetsAtMs, runOutChance } = forecast
  if (mid !== undefined && mid <= nowMs) return ''
  if (mid === undefined) {
    const risk =
      early === undefined || runOutChance < WORTH_A_WORD
        ? ''
        : `, with a ${percent(runOutChance)} risk of running out before`
    return resetsAtMs === undefined ? '' : `lasts to its reset${risk}`
  }
  const margin =
    resetsAtMs === undefined ? '' : `, ${formatDuration(resetsAtMs - mid)} before its reset`
  return `empty ${formatMoment(mid, nowMs)}${margin}${rangeText(early, late, nowMs)}`
}

/** The sentence of the alert of a window: only when it is expected to be empty before its reset. */
export function paceWarning(forecast: Forecast | undefined, nowMs: number): string {
  const { runsOutAtMs, resetsAtMs } = forecast ?? {}
  if (runsOutAtMs?.mid === undefined || runsOutAtMs.mid <= nowMs) return ''
  const margin =
    resetsAtMs === undefined
      ? ''
      : `, ${formatDuration(resetsAtMs - runsOutAtMs.mid)} before its reset`
  return `At this pace it is empty ${formatMoment(runsOutAtMs.mid, nowMs)}${margin}.`
}

/** What is expected of the pool as a whole, as a sentence. */
export function poolText(forecast: PoolForecast | undefined, nowMs: number): string {
  if (forecast === undefined) return 'No forecast yet: it needs readings from about an hour of use.'
  const { dryAtMs: { early, mid, late } = {}, dryChance, horizonMs, backAtMs } = forecast
  const ahead = formatDuration(horizonMs)
  if (mid === undefined) {
    return dryChance < WORTH_A_WORD
      ? `At this pace the pool lasts the next ${ahead}.`
      : `At this pace the pool lasts the next ${ahead}, with a ${percent(dryChance)} risk of running dry before.`
  }
  const back =
    backAtMs === undefined ? '' : `; the first account is back ${formatMoment(backAtMs, nowMs)}`
  if (mid <= nowMs) return `No account has anything left${back}.`
  return `At this pace the pool is dry ${formatMoment(mid, nowMs)}${rangeText(early, late, nowMs)}${back}.`
}

function rangeText(early: number | undefined, late: number | undefined, nowMs: number): string {
  if (early === undefined) return ''
  return ` (80 %: ${formatMoment(early, nowMs)} to ${late === undefined ? 'not at all' : formatMoment(late, nowMs)})`
}

function percent(chance: number): string {
  return `${Math.round(Math.min(0.99, chance) * 100)} %`
}
