import { percentText } from '../../account-view/words.js'
import type { Compared, ComparedRow, Comparison } from '../comparison.js'
import { type Calendar, compactText, dollarsText, groupedText } from '../formats.js'
import { type DataColumn, dataTable, html, type Markup } from '../markup.js'
import { leftOut, ROWS } from './use-tables.js'

type Written = (value: number) => string

/** One line of the table of everything. */
interface TotalRow {
  readonly name: string
  readonly now: string
  readonly before: string
  readonly difference: string
}

/** The period and the one before it: in all, and by account, project and model. */
export function comparisonTables(comparison: Comparison, calendar: Calendar): Markup {
  const { fromMs, betweenMs, toMs, beginsMs, total, accounts, projects, models } = comparison
  return html`<p>${calendar.moment(betweenMs)} to ${calendar.moment(toMs)}, beside the time before from ${calendar.moment(fromMs)}.${beginsMs === null ? '' : ` The history begins ${calendar.moment(beginsMs)}: the time before is not whole.`}</p>
${total.answers.now + total.answers.before + total.switches.now + total.switches.before === 0 ? html`<p>No answer in either time.</p>` : dataTable('In all, compared', TOTAL_COLUMNS, totalRows(comparison))}
${rowsTable('Account', 'Tokens by account, compared', accounts)}
${rowsTable('Project', 'Tokens by project, compared', projects)}
${rowsTable('Model', 'Tokens by model, compared', models)}`
}

const TOTAL_COLUMNS: readonly DataColumn<TotalRow>[] = [
  { title: 'What', value: ({ name }) => name },
  { title: 'Now', value: ({ now }) => now, numeric: true },
  { title: 'Before', value: ({ before }) => before, numeric: true },
  { title: 'Difference', value: ({ difference }) => difference, numeric: true },
]

export function totalRows({ total }: Pick<Comparison, 'total'>): TotalRow[] {
  const row = (name: string, value: Compared, text: Written): TotalRow => ({
    name,
    now: text(value.now),
    before: text(value.before),
    difference: differenceText(value, text),
  })
  const { now, before } = total.cachePercent
  const cached = (percent: number | null): string => (percent === null ? '-' : percentText(percent))
  return [
    row('Answers', total.answers, groupedText),
    row('Tokens', total.tokens, compactText),
    {
      name: 'Input from cache',
      now: cached(now),
      before: cached(before),
      difference:
        now === null || before === null
          ? '-'
          : `${signOf(Math.floor(now) - Math.floor(before))}${String(Math.abs(Math.floor(now) - Math.floor(before)))} points`,
    },
    row('API value (not a charge)', total.usd, dollarsText),
    row('Account switches', total.switches, groupedText),
    row('Interruptions avoided', total.interruptionsAvoided, groupedText),
    row('Tokens read again after a switch', total.tokensReadAgain, compactText),
  ]
}

function rowsTable(title: string, caption: string, rows: readonly ComparedRow[]): Markup {
  if (rows.length === 0) return html``
  return html`${dataTable(
    caption,
    [
      { title, value: ({ name }) => html`<bdi>${name}</bdi>` },
      { title: 'Answers', value: ({ answers }) => groupedText(answers.now), numeric: true },
      { title: 'before', value: ({ answers }) => groupedText(answers.before), numeric: true },
      { title: 'Tokens', value: ({ tokens }) => compactText(tokens.now), numeric: true },
      { title: 'before', value: ({ tokens }) => compactText(tokens.before), numeric: true },
      {
        title: 'Difference',
        value: ({ tokens }) => differenceText(tokens, compactText),
        numeric: true,
      },
    ],
    rows.slice(0, ROWS),
  )}${leftOut(rows.length)}`
}

/** `+1.2M (+34%)`; the share only where there was something before. */
export function differenceText({ before, difference }: Compared, text: Written): string {
  if (difference === 0) return '='
  const share =
    before > 0 ? ` (${signOf(difference)}${percentText(Math.abs(difference / before) * 100)})` : ''
  return `${signOf(difference)}${text(Math.abs(difference))}${share}`
}

function signOf(difference: number): string {
  if (difference === 0) return ''
  return difference > 0 ? '+' : '−'
}
