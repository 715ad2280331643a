import { percentText } from '../../account-view/words.js'
import { type Calendar, compactText, groupedText, WEEKDAYS } from '../formats.js'
import { type DataColumn, html, type Markup, numbersBehind } from '../markup.js'
import type { DaySum } from '../token-sums.js'
import { figure, oneDecimal, percentPlot, PLOT_HEIGHT, PLOT_WIDTH, sample, yOf } from './plot.js'

/** Names of more columns than these do not fit side by side. */
const NAMED_COLUMNS = 5

/** Share of the input that came from the cache, a column per day. Days without answers have no column. */
export function cacheChart(days: readonly DaySum[], calendar: Calendar): Markup {
  const step = PLOT_WIDTH / Math.max(1, days.length)
  // A column as wide as the page would say nothing more.
  const width = Math.min(60, step * 0.7)
  const columns = days.map(({ atMs, cacheShare = 0 }, index) => {
    const y = yOf(cacheShare * 100)
    return html`<rect class="column" x="${oneDecimal(step * (index + 0.5) - width / 2)}" y="${y}" width="${oneDecimal(width)}" height="${oneDecimal(PLOT_HEIGHT - y)}"><title>${calendar.date(atMs)}: ${percentText(cacheShare * 100)}</title></rect>`
  })
  // Few columns are named each; of many the first and the last stand at the edges anyway.
  const few = days.length <= NAMED_COLUMNS
  const named = few ? days : [days[0], days.at(-1)].filter((day) => day !== undefined)
  return figure('Cached part of the input tokens, by day with answers', [
    percentPlot(
      'Cached part of the input tokens by day; the numbers are in the table below',
      { texts: named.map(({ atMs }) => calendar.shortDate(atMs)), place: few ? 'parts' : 'edges' },
      columns,
    ),
    numbersBehind('Tokens by day', dayColumns(calendar), days),
  ])
}

function dayColumns(calendar: Calendar): DataColumn<DaySum>[] {
  return [
    { title: 'Day', value: (day) => calendar.date(day.atMs) },
    { title: 'Answers', value: (day) => day.turns, numeric: true },
    { title: 'Input', value: (day) => compactText(day.inputTokens), numeric: true },
    { title: 'Cached', value: (day) => compactText(day.cachedTokens), numeric: true },
    {
      title: 'Share',
      value: (day) => (day.cacheShare === undefined ? '-' : percentText(day.cacheShare * 100)),
      numeric: true,
    },
    { title: 'Output', value: (day) => compactText(day.outputTokens), numeric: true },
  ]
}

const HOURS = Array.from({ length: 24 }, (_, hour) => hour)
/** Shades beside the empty one. */
const SHADES = 4

/**
 * Tokens by weekday and hour as shades.
 * @param grid seven rows of 24, Monday first
 */
export function heatMap(grid: readonly (readonly number[])[]): Markup {
  const most = Math.max(0, ...grid.flat())
  const busiest = grid.flat().indexOf(most)
  const label =
    most === 0
      ? 'No tokens yet'
      : `Tokens by weekday and hour. Most on ${WEEKDAYS[Math.floor(busiest / 24)] ?? ''} from ${hourText(busiest % 24)}: ${compactText(most)}`
  const cells = grid.flatMap((row, weekday) =>
    row.map(
      (tokens, hour) =>
        html`<rect class="heat${shadeOf(tokens, most)}" x="${hour * 10 + 0.5}" y="${weekday * 10 + 0.5}" width="9" height="9"><title>${WEEKDAYS[weekday]} ${hourText(hour)}: ${groupedText(tokens)} tokens</title></rect>`,
    ),
  )
  const shades = Array.from({ length: SHADES + 1 }, (_, shade) => {
    const text = shade === 0 ? 'none' : `up to ${compactText((most * shade) / SHADES)}`
    return html`<span>${sample(12, html`<rect class="heat${shade}" width="12" height="12"/>`)} ${text}</span>`
  })
  const columns = WEEKDAYS.map((title, weekday): DataColumn<number> => ({
    title,
    value: (hour) => compactText(grid[weekday]?.[hour] ?? 0),
    numeric: true,
  }))
  return figure(label, [
    html`<div class="plot heat">
<div class="y" aria-hidden="true">${WEEKDAYS.map((day) => html`<span>${day}</span>`)}</div>
<svg role="img" aria-label="${label}" viewBox="0 0 240 70" preserveAspectRatio="none">${cells}</svg>
<div class="x hours" aria-hidden="true">${[0, 6, 12, 18].map((hour) => html`<span>${hourText(hour)}</span>`)}</div>
</div>`,
    html`<p class="legend">${shades}</p>`,
    numbersBehind(
      'Tokens by weekday and hour',
      [{ title: 'Hour', value: hourText }, ...columns],
      HOURS,
    ),
  ])
}

function shadeOf(tokens: number, most: number): number {
  return tokens <= 0 || most <= 0 ? 0 : Math.max(1, Math.ceil((tokens / most) * SHADES))
}

function hourText(hour: number): string {
  return `${String(hour).padStart(2, '0')}:00`
}
