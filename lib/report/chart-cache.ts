import type { DaySum } from './aggregate.js'
import type { Calendar } from './calendar.js'
import { type DataColumn, numbersBehind } from './data-table.js'
import { html, type Markup } from './markup.js'
import { compactText, percentText } from './number-text.js'
import { percentPlot, PLOT_HEIGHT, PLOT_WIDTH, yOf } from './plot.js'

/** Names of more columns than these do not fit side by side. */
const NAMED_COLUMNS = 5

/** Share of the input that came from the cache, a column per day. Days without answers have no column. */
export function cacheChart(days: readonly DaySum[], calendar: Calendar): Markup {
  const step = PLOT_WIDTH / Math.max(1, days.length)
  // A column as wide as the page would say nothing more.
  const width = Math.min(60, step * 0.7)
  const columns = days.map(({ atMs, cacheShare = 0 }, index) => {
    const y = yOf(cacheShare * 100)
    return html`<rect class="column" x="${rounded(step * (index + 0.5) - width / 2)}" y="${y}" width="${rounded(width)}" height="${rounded(PLOT_HEIGHT - y)}"><title>${calendar.date(atMs)}: ${percentText(cacheShare * 100)}</title></rect>`
  })
  // Few columns are named each; of many the first and the last stand at the edges anyway.
  const named =
    days.length <= NAMED_COLUMNS
      ? days
      : days.filter((_day, index) => index === 0 || index === days.length - 1)
  const below = {
    texts: named.map(({ atMs }) => calendar.shortDate(atMs)),
    place: named === days ? 'parts' : 'edges',
  } as const
  return html`<figure>
<figcaption>Cached part of the input tokens, by day with answers</figcaption>
${percentPlot('Cached part of the input tokens by day; the numbers are in the table below', below, columns)}
${numbersBehind('Tokens by day', dayColumns(calendar), days)}
</figure>`
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

function rounded(value: number): number {
  return Math.round(value * 10) / 10
}
