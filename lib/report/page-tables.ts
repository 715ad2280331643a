import type { SwitchEntry, TurnEntry } from '../history/entries.js'
import { spelledOut } from '../account-view/words.js'
import { type Calendar, compactText, dollarsText, groupedText } from './formats.js'
import { type DataColumn, dataTable, html, type Markup } from './markup.js'
import type { ModelValues } from './report-data.js'
import { countsByReason, sumsByUse, type UseSum } from './token-sums.js'

/** Rows shown of a list that grows with use; a sentence says what is left out. */
const ROWS = 60
/** Of a list of single events this many are seen at once; the others are folded away. */
const ROWS_AT_ONCE = 12

/** Tokens by account and model. */
export function useTable(turns: readonly TurnEntry[], nameOf: (uid: string) => string): Markup {
  if (turns.length === 0) return html`<p>No answer is recorded yet.</p>`
  const sums = sumsByUse(turns, nameOf)
  return html`${dataTable(
    'Tokens by account and model, most input first',
    [
      { title: 'Account', value: ({ account }: UseSum) => html`<bdi>${account}</bdi>` },
      { title: 'Model', value: ({ model }) => html`<bdi>${model}</bdi>` },
      { title: 'Answers', value: (sum) => groupedText(sum.turns), numeric: true },
      { title: 'Input', value: (sum) => compactText(sum.inputTokens), numeric: true },
      { title: 'of it cached', value: (sum) => compactText(sum.cachedTokens), numeric: true },
      { title: 'Output', value: (sum) => compactText(sum.outputTokens), numeric: true },
      { title: 'of it reasoning', value: (sum) => compactText(sum.reasoningTokens), numeric: true },
    ],
    sums.slice(0, ROWS),
  )}${leftOut(sums.length)}`
}

/** Requests that went on with another account: how often for which reason, and the newest ones. */
export function switchTables(
  switches: readonly SwitchEntry[],
  nameOf: (uid: string) => string,
  calendar: Calendar,
): Markup {
  if (switches.length === 0) return html`<p>No request had to change its account.</p>`
  const newest = [...switches].reverse().slice(0, ROWS)
  const columns: readonly DataColumn<SwitchEntry>[] = [
    { title: 'When', value: ({ atMs }) => calendar.moment(atMs) },
    { title: 'From', value: ({ fromUid }) => html`<bdi>${nameOf(fromUid)}</bdi>` },
    { title: 'To', value: ({ toUid }) => html`<bdi>${nameOf(toUid)}</bdi>` },
    { title: 'Reason', value: ({ reason }) => spelledOut(reason) },
  ]
  const older = newest.slice(ROWS_AT_ONCE)
  return html`${dataTable(
    'Changes by reason',
    [
      { title: 'Reason', value: ({ reason }) => spelledOut(reason) },
      { title: 'Times', value: ({ count }) => groupedText(count), numeric: true },
    ],
    countsByReason(switches).slice(0, ROWS),
  )}
${dataTable('Changes, newest first', columns, newest.slice(0, ROWS_AT_ONCE))}
${older.length === 0 ? undefined : html`<details><summary>Older changes</summary>${dataTable('Older changes', columns, older)}</details>`}${leftOut(switches.length)}`
}

/** What the API would ask for the same tokens. */
export function valueTable({ pricesOf, byModel, unpriced }: ModelValues): Markup {
  const total = byModel.reduce((sum, { dollars }) => sum + dollars, 0)
  return html`<p><b>Not a charge.</b> What the same tokens would cost at the API, by the price list of ${pricesOf}: ${dollarsText(total)}.${unpriced.length === 0 ? undefined : html` Not in it, since their price is not known: answers of <bdi>${unpriced.slice(0, ROWS).join(', ')}</bdi>.`}</p>
${dataTable(
  'API-equivalent value by model (not a charge)',
  [
    { title: 'Model', value: ({ model }) => html`<bdi>${model}</bdi>` },
    { title: 'Value', value: ({ dollars }) => dollarsText(dollars), numeric: true },
  ],
  byModel.slice(0, ROWS),
)}`
}

function leftOut(count: number): Markup | undefined {
  return count > ROWS
    ? html`<p class="soft">${groupedText(count - ROWS)} more are left out.</p>`
    : undefined
}
