import { spelledOut } from '../../account-view/words.js'
import { counted } from '../../kernel/text/plural.js'
import { failoverSum, type SwitchOutcome } from '../failover.js'
import { type Calendar, compactText, dollarsText, groupedText } from '../formats.js'
import { type DataColumn, dataTable, html, type Markup } from '../markup.js'
import { countsByReason } from '../token-sums.js'
import { leftOut, ROWS } from './use-tables.js'

/** Of a list of single events this many are seen at once; the others are folded away. */
const ROWS_AT_ONCE = 12

/** Requests that went on with another account: what that saved and cost, how often for which reason, and the newest. */
export function switchTables(
  outcomes: readonly SwitchOutcome[],
  nameOf: (uid: string) => string,
  calendar: Calendar,
): Markup {
  if (outcomes.length === 0) return html`<p>No request had to change its account.</p>`
  const newest = [...outcomes].reverse().slice(0, ROWS)
  const columns: readonly DataColumn<SwitchOutcome>[] = [
    { title: 'When', value: ({ entry }) => calendar.moment(entry.atMs) },
    { title: 'From', value: ({ entry }) => html`<bdi>${nameOf(entry.fromUid)}</bdi>` },
    { title: 'To', value: ({ entry }) => html`<bdi>${nameOf(entry.toUid)}</bdi>` },
    { title: 'Reason', value: ({ entry }) => spelledOut(entry.reason) },
    { title: 'Answered', value: ({ answer }) => (answer === undefined ? 'not known' : 'yes') },
    {
      title: 'Read again',
      value: ({ price }) => (price === undefined ? 'not known' : compactText(price.tokens)),
      numeric: true,
    },
  ]
  const older = newest.slice(ROWS_AT_ONCE)
  const reasons = countsByReason(outcomes.map(({ entry }) => entry))
  return html`${savedText(outcomes)}
${dataTable(
  'Account switches by reason',
  [
    { title: 'Reason', value: ({ reason }) => spelledOut(reason) },
    { title: 'Times', value: ({ count }) => groupedText(count), numeric: true },
  ],
  reasons.slice(0, ROWS),
)}
${dataTable('Account switches, newest first', columns, newest.slice(0, ROWS_AT_ONCE))}
${older.length === 0 ? undefined : html`<details><summary>Older switches</summary>${dataTable('Older account switches', columns, older)}</details>`}${leftOut(outcomes.length)}`
}

/** What failover saved and what it cost, in sentences. */
function savedText(outcomes: readonly SwitchOutcome[]): Markup {
  const { switches, avoided, unanswered, priced, tokensReadAgain, usd } = failoverSum(outcomes)
  const value = usd === 0 ? '' : ` (API value ${dollarsText(usd)}, not a charge)`
  const price =
    priced === 0
      ? 'What the switches cost is not known: the history does not hold the answers before and after them.'
      : `${priced === switches ? 'Their' : `The known`} price: ${compactText(tokensReadAgain)} tokens of input read again${value}, since the other account had no cache of the conversation.${priced === switches ? '' : ` Of ${counted(switches - priced, 'switch')} it is not known.`}`
  return html`<p><b>${counted(avoided, 'interruption')} avoided.</b> So many requests were answered by another account after theirs could not.${unanswered === 0 ? '' : ` After ${counted(unanswered, 'switch')} no answer is recorded.`}</p>
<p>${price}</p>`
}
