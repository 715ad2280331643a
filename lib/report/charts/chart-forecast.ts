import { percentText } from '../../account-view/words.js'
import type { Calendar } from '../formats.js'
import { html, type Markup, numbersBehind } from '../markup.js'
import type { ReportForecast } from '../report-data.js'
import { figure, linePath, sample, timePlot, type TimeAxis, xOf, yOf } from './plot.js'

const HOUR_MS = 3_600_000
/** Drawn this far when neither a reset nor an end is known. */
const UNKNOWN_SPAN_MS = 24 * HOUR_MS
/** The field is drawn in this many steps; a line bends where it meets the ground. */
const STEPS = 48

/** Where a window is going: the middle line and the band around it, until its reset. */
export function forecastChart(
  account: string,
  given: ReportForecast,
  nowMs: number,
  calendar: Calendar,
): Markup {
  const { forecast, leftPercent, window } = given
  const { ratePerHour, runsOutAtMs, resetsAtMs } = forecast
  const axis: TimeAxis = {
    fromMs: nowMs,
    toMs: Math.max(nowMs + HOUR_MS, resetsAtMs ?? runsOutAtMs?.late ?? nowMs + UNKNOWN_SPAN_MS),
  }
  const course = (
    momentRate: number,
    emptyAtMs: number | undefined,
  ): { x: number; y: number }[] => {
    const rate = averageRate(momentRate, leftPercent, emptyAtMs, resetsAtMs, nowMs)
    return Array.from({ length: STEPS + 1 }, (_, step) => {
      const atMs = nowMs + ((axis.toMs - nowMs) * step) / STEPS
      return { x: xOf(atMs, axis), y: yOf(leftPercent - (rate * (atMs - nowMs)) / HOUR_MS) }
    })
  }
  const low = course(ratePerHour.low, runsOutAtMs?.late)
  const mid = course(ratePerHour.mid, runsOutAtMs?.mid)
  const high = course(ratePerHour.high, runsOutAtMs?.early)
  const sentence = forecastText(given, nowMs, calendar)
  return figure(html`<bdi>${account}</bdi>, ${window}`, [
    html`<p>${sentence}</p>`,
    timePlot(sentence, axis, calendar, [
      html`<path class="band" d="${linePath([...low, ...high.reverse()])}Z"/><path class="line a" d="${linePath(mid)}"/>`,
    ]),
    html`<p class="legend"><span>${sample(24, html`<path class="line a" d="M0 6H24"/>`)} middle of the estimate</span><span>${sample(24, html`<path class="band" d="M0 1H24V11H0Z"/>`)} 8 of 10 cases</span></p>`,
    numbersBehind(
      `${account}, ${window}: forecast`,
      [
        { title: 'What', value: ([name]: readonly string[]) => name },
        { title: 'Value', value: ([, value]: readonly string[]) => value },
      ],
      forecastRows(given, calendar),
    ),
  ])
}

/**
 * Percent per hour from now to the end that the forecast names: it follows the hours of the day, which the rate of the
 * moment does not, and picture and words must not contradict each other.
 */
function averageRate(
  rate: number,
  leftPercent: number,
  emptyAtMs: number | undefined,
  resetsAtMs: number | undefined,
  nowMs: number,
): number {
  const hoursTo = (atMs: number): number => Math.max(atMs - nowMs, 1) / HOUR_MS
  if (emptyAtMs !== undefined) return leftPercent / hoursTo(emptyAtMs)
  return resetsAtMs === undefined ? rate : Math.min(rate, leftPercent / hoursTo(resetsAtMs))
}

/** The forecast in words. */
function forecastText(
  { forecast, leftPercent }: ReportForecast,
  nowMs: number,
  calendar: Calendar,
): string {
  const { runsOutAtMs, resetsAtMs, runOutChance } = forecast
  if (runsOutAtMs?.mid !== undefined && runsOutAtMs.mid <= nowMs)
    return resetsAtMs === undefined
      ? 'Nothing is left.'
      : `Nothing is left until the reset on ${calendar.moment(resetsAtMs)}.`
  const until =
    resetsAtMs === undefined ? '' : ` before the reset on ${calendar.moment(resetsAtMs)}`
  const lasts = runsOutAtMs?.mid === undefined
  const middle = lasts
    ? 'At this pace it lasts'
    : `At this pace it is empty on ${calendar.moment(runsOutAtMs.mid)}`
  const early =
    runsOutAtMs?.early === undefined
      ? ''
      : `${lasts ? '; it is empty' : ','} at the earliest on ${calendar.moment(runsOutAtMs.early)}`
  return `${percentText(leftPercent)} left. ${middle}${early}. Chance of running out${until}: ${percentText(runOutChance * 100)}.`
}

function forecastRows({ forecast }: ReportForecast, calendar: Calendar): string[][] {
  const { ratePerHour, runsOutAtMs, paceBudgetPerHour, basis } = forecast
  const moment = (name: string, atMs: number | undefined): string[][] =>
    atMs === undefined ? [] : [[name, calendar.moment(atMs)]]
  return [
    ['Use per hour, low', rateText(ratePerHour.low)],
    ['Use per hour, middle', rateText(ratePerHour.mid)],
    ['Use per hour, high', rateText(ratePerHour.high)],
    ...moment('Empty, early', runsOutAtMs?.early),
    ...moment('Empty, middle', runsOutAtMs?.mid),
    ...moment('Empty, late', runsOutAtMs?.late),
    ...(paceBudgetPerHour === undefined
      ? []
      : [['Use per hour that ends at the reset', rateText(paceBudgetPerHour)]]),
    ['Made from', `${String(basis.samples)} readings over ${basis.hours.toFixed(1)} h`],
  ]
}

function rateText(rate: number): string {
  return `${rate.toFixed(2)}%`
}
