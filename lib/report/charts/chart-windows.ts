import { percentText, windowName } from '../../account-view/words.js'
import type { Calendar } from '../formats.js'
import { type DataColumn, html, type Markup, numbersBehind } from '../markup.js'
import { grouped } from '../token-sums.js'
import { dotsPath, figure, linePath, sample, timePlot, type TimeAxis, xOf, yOf } from './plot.js'
import { thinned, type WindowLine } from './window-lines.js'

/** Lines of one plot differ in colour and in stroke; further ones start over. */
const STROKES = ['a', 'b', 'c']

/** The course of the windows of one account: a plot and the numbers behind it. */
export function windowsChart(
  account: string,
  lines: readonly WindowLine[],
  axis: TimeAxis,
  calendar: Calendar,
): Markup {
  const label = `Percent left of ${lines.map(lineName).join(' and ')}, from ${calendar.moment(axis.fromMs)} to ${calendar.moment(axis.toMs)}`
  const strokes = lines.map(
    (line, index) =>
      html`<span>${sample(24, html`<path class="line ${strokeOf(index)}" d="M0 6H24"/>`)} ${lineName(line)}</span>`,
  )
  return figure(html`<bdi>${account}</bdi>`, [
    html`<p class="legend">${strokes}<span>${sample(12, html`<path class="reset" d="M6 0V12"/>`)} reset</span><span>${sample(12, html`<path class="alert" d="M6 6h.01"/>`)} alert</span></p>`,
    timePlot(
      label,
      axis,
      calendar,
      lines.map((line, index) => drawing(line, strokeOf(index), axis)),
    ),
    numbersBehind(
      `${account}: percent left by day`,
      DAY_COLUMNS,
      lines.flatMap((line) => dayRows(line, calendar)),
    ),
  ])
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

function lineName({ kind, limitId }: WindowLine): string {
  return windowName(kind, limitId)
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
