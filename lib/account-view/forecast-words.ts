import type { ExpectedTime, Forecast, PoolForecast } from '../forecast/types.js'
import { formatDuration, formatMoment } from '../kernel/text/moments.js'
import { percentText } from './words.js'

/** A smaller chance is not worth a word. */
const WORTH_A_WORD = 0.1

/**
 * What a forecast says of a window, as the end of a sentence: `empty Thu 14:00, 2 d before its reset (80%: Wed 22:00 to
 * Fri 09:00)`. Empty when there is nothing to claim.
 */
export function paceText(forecast: Forecast | undefined, nowMs: number): string {
  if (forecast === undefined) return ''
  const { runsOutAtMs = {}, resetsAtMs, runOutChance } = forecast
  const { early, mid } = runsOutAtMs
  if (mid !== undefined && mid <= nowMs) return ''
  if (mid === undefined) {
    const risk =
      early === undefined || runOutChance < WORTH_A_WORD
        ? ''
        : `, with a ${riskText(runOutChance)} risk of running out earlier`
    return resetsAtMs === undefined ? '' : `lasts to its reset${risk}`
  }
  return `${emptyText(mid, resetsAtMs, nowMs)}${rangeText(runsOutAtMs, nowMs)}`
}

/** The sentence of the alert of a window: only when it is expected to be empty before its reset. */
export function paceWarning(forecast: Forecast | undefined, nowMs: number): string {
  const { runsOutAtMs, resetsAtMs } = forecast ?? {}
  if (runsOutAtMs?.mid === undefined || runsOutAtMs.mid <= nowMs) return ''
  return `At this pace it is ${emptyText(runsOutAtMs.mid, resetsAtMs, nowMs)}.`
}

function emptyText(atMs: number, resetsAtMs: number | undefined, nowMs: number): string {
  const margin =
    resetsAtMs === undefined ? '' : `, ${formatDuration(resetsAtMs - atMs)} before its reset`
  return `empty ${formatMoment(atMs, nowMs)}${margin}`
}

/** What is expected of the pool as a whole, as a sentence. */
export function poolText(forecast: PoolForecast | undefined, nowMs: number): string {
  if (forecast === undefined) return 'No forecast yet: it needs readings from about an hour of use.'
  const { dryAtMs = {}, dryChance, horizonMs, backAtMs } = forecast
  const { mid } = dryAtMs
  const ahead = formatDuration(horizonMs)
  if (mid === undefined) {
    return dryChance < WORTH_A_WORD
      ? `At this pace the pool lasts the next ${ahead}.`
      : `At this pace the pool lasts the next ${ahead}, with a ${riskText(dryChance)} risk of running out earlier.`
  }
  const back =
    backAtMs === undefined
      ? ''
      : `; the first account is available again ${formatMoment(backAtMs, nowMs)}`
  if (mid <= nowMs) return `No account has anything left${back}.`
  return `At this pace the pool is empty ${formatMoment(mid, nowMs)}${rangeText(dryAtMs, nowMs)}${back}.`
}

function rangeText({ early, late }: ExpectedTime, nowMs: number): string {
  if (early === undefined) return ''
  return ` (80%: ${formatMoment(early, nowMs)} to ${late === undefined ? 'not at all' : formatMoment(late, nowMs)})`
}

/** Nothing that is to come is certain. */
function riskText(chance: number): string {
  return percentText(Math.min(99, Math.round(chance * 100)))
}
