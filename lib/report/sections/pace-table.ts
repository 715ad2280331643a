import { percentText, windowName } from '../../account-view/words.js'
import type { AccountView, WindowView } from '../../account-view/view.js'
import { budgetToStayOnPace } from '../../forecast/window.js'
import { DEFAULT_LIMIT_ID } from '../../routing/limits.js'
import type { Calendar } from '../formats.js'
import { type DataColumn, dataTable, html, type Markup } from '../markup.js'
import type { ReportForecast } from '../report-data.js'

const DAY_MS = 86_400_000

interface PaceRow {
  readonly account: string
  readonly window: WindowView
  readonly forecast: ReportForecast['forecast'] | undefined
}

/** How fast each window is used, and how fast it may be used to last until its reset. */
export function paceTable(
  accounts: readonly AccountView[],
  forecasts: readonly ReportForecast[],
  nowMs: number,
  calendar: Calendar,
): Markup {
  const rows = accounts.flatMap(({ uid, index, name, windows }) =>
    windows.map((window): PaceRow => ({
      account: `${String(index)}. ${name}`,
      window,
      forecast: forecasts.find(
        (one) =>
          one.uid === uid &&
          window.limitId === DEFAULT_LIMIT_ID &&
          one.window === windowName(window.kind),
      )?.forecast,
    })),
  )
  if (rows.length === 0) return html`<p>No window has been read yet.</p>`
  const columns: readonly DataColumn<PaceRow>[] = [
    { title: 'Account', value: ({ account }) => html`<bdi>${account}</bdi>` },
    { title: 'Window', value: ({ window }) => windowName(window.kind, window.limitId) },
    { title: 'Left', value: ({ window }) => percentText(window.leftPercent), numeric: true },
    {
      title: 'Pace now',
      value: ({ forecast }) => (forecast === undefined ? '-' : rateText(forecast.ratePerHour.mid)),
      numeric: true,
    },
    {
      title: 'To stay on pace',
      value: ({ window }) => budgetText(window, nowMs) ?? '-',
      numeric: true,
    },
    { title: 'Outlook', value: (row) => outlook(row, nowMs, calendar) },
  ]
  return dataTable('Pace and budget of each window', columns, rows)
}

/** What may be used for the window to last until its reset: `4%/h today`; undefined where its reset is not known. */
export function budgetText(
  { leftPercent, resetsAtMs }: Pick<WindowView, 'leftPercent' | 'resetsAtMs'>,
  nowMs: number,
): string | undefined {
  const budget = budgetToStayOnPace(100 - leftPercent, resetsAtMs, nowMs)
  if (budget === undefined || resetsAtMs === undefined) return undefined
  if (leftPercent <= 0) return 'nothing until the reset'
  const isLong = resetsAtMs - nowMs > DAY_MS
  return `${rateText(budget.perHour)}${isLong ? `, ${percentText(budget.nextDay)} in 24 h` : ''}`
}

function outlook({ window, forecast }: PaceRow, nowMs: number, calendar: Calendar): string {
  if (window.leftPercent <= 0) return 'empty'
  if (forecast === undefined) return 'not known yet'
  const emptyAtMs = forecast.runsOutAtMs?.mid
  if (emptyAtMs === undefined)
    return forecast.resetsAtMs === undefined
      ? 'lasts'
      : `lasts until ${calendar.moment(forecast.resetsAtMs)}`
  return emptyAtMs <= nowMs ? 'empty' : `empty ${calendar.moment(emptyAtMs)}`
}

/** `4.2%/h`: small rates of long windows keep two digits. */
function rateText(perHour: number): string {
  if (perHour < 0.01) return perHour > 0 ? '<0.01%/h' : '0%/h'
  return `${perHour >= 10 ? perHour.toFixed(0) : perHour.toFixed(perHour >= 1 ? 1 : 2)}%/h`
}
