import { grouped } from './aggregate.js'
import { WINDOW_NAMES } from '../routing/limits.js'
import type { Calendar } from './calendar.js'
import { type DataColumn, numbersBehind } from './data-table.js'
import { html, type Markup } from './markup.js'
import { percentText } from './number-text.js'
import { dotsPath, linePath, timePlot, type TimeAxis, xOf, yOf } from './plot.js'
import { thinned, type WindowLine } from './window-lines.js'

/** Lines of one plot differ in colour and in stroke; further ones begin anew. */
const STROKES = ['a', 'b', 'c']

/** The course of the windows of one account: a plot and the numbers behind it. */
export function windowsChart(
  account: string,
  lines: readonly WindowLine[],
  axis: TimeAxis,
  calendar: Calendar,
): Markup {
  const label = `Percent left of ${lines.map(lineName).join(' and ')}, from ${calendar.moment(axis.fromMs)} to ${calendar.moment(axis.toMs)}`
  return html`<figure>
<figcaption><bdi>${account}</bdi></figcaption>
<p class="legend">${lines.map((line, index) => html`<span>${strokeSample(index)} ${lineName(line)}</span>`)}<span><svg class="sample" viewBox="0 0 12 12" aria-hidden="true"><path class="reset" d="M6 0V12"/></svg> reset</span><span><svg class="sample" viewBox="0 0 12 12" aria-hidden="true"><path class="alert" d="M6 6h.01"/></svg> alert</span></p>
${timePlot(
  label,
  axis,
  calendar,
  lines.map((line, index) => drawing(line, strokeOf(index), axis)),
)}
${numbersBehind(
  `${account}: percent left by day`,
  DAY_COLUMNS,
  lines.flatMap((line) => dayRows(line, calendar)),
)}
</figure>`
}

function drawing({ points, resets, alerts }: WindowLine, stroke: string, axis: TimeAxis): Markup {
  const line = courses(thinned(points), resets)
    .map((course) =>
      linePath(course.map(({ atMs, left }) => ({ x: xOf(atMs, axis), y: yOf(left) }))),
    )
    .join('')
  // Marks closer together than the eye can tell are drawn once.
  const resetXs = [...new Set(resets.map((atMs) => Math.round(xOf(atMs, axis) / 4) * 4))]
  const dots = [
    ...new Map(
      alerts.map(({ atMs, level }) => [
        Math.round(xOf(atMs, axis) / 6),
        { x: xOf(atMs, axis), y: yOf(level) },
      ]),
    ).values(),
  ]
  return html`<path class="reset" d="${resetXs.map((x) => `M${String(x)} 0v7`).join('')}"/><path class="line ${stroke}" d="${line}"/><path class="alert" d="${dotsPath(dots)}"/>`
}

/** The points between one reset and the next: a line that rises would show use that never was. */
function courses(
  points: WindowLine['points'],
  resets: WindowLine['resets'],
): WindowLine['points'][] {
  const courseOf = (atMs: number): number => resets.findLastIndex((reset) => reset <= atMs)
  return [...grouped(points, ({ atMs }) => String(courseOf(atMs))).values()]
}

function strokeOf(index: number): string {
  return STROKES[index % STROKES.length] ?? 'a'
}

function strokeSample(index: number): Markup {
  return html`<svg class="sample" viewBox="0 0 24 12" aria-hidden="true"><path class="line ${strokeOf(index)}" d="M0 6H24"/></svg>`
}

/** `5h`, and the family where it is not the usual one. */
function lineName({ kind, limitId }: WindowLine): string {
  return limitId === 'codex' ? WINDOW_NAMES[kind] : `${WINDOW_NAMES[kind]} ${limitId}`
}

interface DayRow {
  readonly day: string
  readonly window: string
  readonly lowest: number
  readonly last: number
  readonly resets: number
  readonly alerts: number
}

const DAY_COLUMNS: readonly DataColumn<DayRow>[] = [
  { title: 'Day', value: (row) => row.day },
  { title: 'Window', value: (row) => row.window },
  { title: 'Lowest left', value: (row) => percentText(row.lowest), numeric: true },
  { title: 'Last left', value: (row) => percentText(row.last), numeric: true },
  { title: 'Resets', value: (row) => row.resets, numeric: true },
  { title: 'Alerts', value: (row) => row.alerts, numeric: true },
]

function dayRows(line: WindowLine, calendar: Calendar): DayRow[] {
  const dayOf = (atMs: number): string => calendar.of(atMs).day
  const resets = grouped(line.resets, dayOf)
  const alerts = grouped(line.alerts, ({ atMs }) => dayOf(atMs))
  return [...grouped(line.points, ({ atMs }) => dayOf(atMs))].map(([day, points]) => ({
    day: calendar.date(points[0]?.atMs ?? 0),
    window: lineName(line),
    lowest: Math.min(...points.map(({ left }) => left)),
    last: points.at(-1)?.left ?? 0,
    resets: resets.get(day)?.length ?? 0,
    alerts: alerts.get(day)?.length ?? 0,
  }))
}
