import { numbersBehind } from './data-table.js'
import { html, type Markup } from './markup.js'
import { compactText, plainText } from './number-text.js'

const WEEKDAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']
const HOURS = Array.from({ length: 24 }, (_, hour) => hour)
/** Shades beside the empty one. */
const SHADES = 4

/**
 * Tokens by weekday and hour as shades.
 * @param grid seven rows of 24, Monday first
 */
export function heatMap(grid: readonly (readonly number[])[]): Markup {
  const most = Math.max(0, ...grid.flat())
  const busiest = grid
    .flatMap((row, weekday) => row.map((tokens, hour) => ({ tokens, weekday, hour })))
    .reduce((best, one) => (one.tokens > best.tokens ? one : best), {
      tokens: 0,
      weekday: 0,
      hour: 0,
    })
  const label =
    most === 0
      ? 'No tokens yet'
      : `Tokens by weekday and hour. Most on ${WEEKDAYS[busiest.weekday] ?? ''} from ${hourText(busiest.hour)}: ${compactText(most)}`
  const cells = grid.flatMap((row, weekday) =>
    row.map(
      (tokens, hour) =>
        html`<rect class="heat${shadeOf(tokens, most)}" x="${hour * 10 + 0.5}" y="${weekday * 10 + 0.5}" width="9" height="9"><title>${WEEKDAYS[weekday]} ${hourText(hour)}: ${plainText(tokens)} tokens</title></rect>`,
    ),
  )
  return html`<figure>
<figcaption>${label}</figcaption>
<div class="plot heat">
<div class="y" aria-hidden="true">${WEEKDAYS.map((day) => html`<span>${day}</span>`)}</div>
<svg role="img" aria-label="${label}" viewBox="0 0 240 70" preserveAspectRatio="none">${cells}</svg>
<div class="x hours" aria-hidden="true">${[0, 6, 12, 18].map((hour) => html`<span>${hourText(hour)}</span>`)}</div>
</div>
<p class="legend">${Array.from({ length: SHADES + 1 }, (_, shade) => html`<span><svg class="sample" viewBox="0 0 12 12" aria-hidden="true"><rect class="heat${shade}" width="12" height="12"/></svg> ${shade === 0 ? 'none' : `up to ${compactText((most * shade) / SHADES)}`}</span>`)}</p>
${numbersBehind('Tokens by weekday and hour', [{ title: 'Hour', value: (hour: number) => hourText(hour) }, ...WEEKDAYS.map((title, weekday) => ({ title, value: (hour: number) => compactText(grid[weekday]?.[hour] ?? 0), numeric: true as const }))], HOURS)}
</figure>`
}

function shadeOf(tokens: number, most: number): number {
  return tokens <= 0 || most <= 0 ? 0 : Math.max(1, Math.ceil((tokens / most) * SHADES))
}

function hourText(hour: number): string {
  return `${String(hour).padStart(2, '0')}:00`
}
