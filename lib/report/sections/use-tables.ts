import { apiValueOf } from '../../forecast/api-value.js'
import type { TurnEntry } from '../../history/entries.js'
import { compactText, dollarsText, groupedText } from '../formats.js'
import { type DataColumn, dataTable, html, type Markup } from '../markup.js'
import { projectNames } from '../projects.js'
import type { ModelValues } from '../report-data.js'
import { cacheShare, grouped, sumsByUse, tokenSum, type TokenSum } from '../token-sums.js'
import { percentText } from '../../account-view/words.js'

/** Rows shown of a list that grows with use; a sentence says what is left out. */
export const ROWS = 60

const TOKEN_COLUMNS: readonly DataColumn<TokenSum>[] = [
  { title: 'Answers', value: (sum) => groupedText(sum.turns), numeric: true },
  { title: 'Input', value: (sum) => compactText(sum.inputTokens), numeric: true },
  {
    title: 'of it cached',
    value: (sum) => {
      const share = cacheShare(sum)
      return share === undefined ? '-' : percentText(share * 100)
    },
    numeric: true,
  },
  { title: 'Output', value: (sum) => compactText(sum.outputTokens), numeric: true },
  { title: 'of it reasoning', value: (sum) => compactText(sum.reasoningTokens), numeric: true },
]

/** What some answers that share a name used. */
interface NamedSum extends TokenSum {
  readonly name: string
  /** Value at the public API, USD; undefined where no price of theirs is known. */
  readonly usd: number | undefined
}

/** Tokens by project, by model, and by both account and model. */
export function useTables(
  turns: readonly TurnEntry[],
  nameOf: (uid: string) => string,
  isBilled: (uid: string) => boolean,
): Markup {
  if (turns.length === 0) return html`<p>No answer is recorded yet.</p>`
  const projectOf = projectNames(turns.map(({ project }) => project))
  const projects = namedSums(turns, ({ project }) => projectOf(project), isBilled)
  const models = namedSums(turns, ({ model }) => model, isBilled)
  const uses = sumsByUse(turns, nameOf)
  const isUnknown = turns.some(({ project }) => project === undefined)
  return html`${namedTable('Project', 'Tokens by project, most input first', projects)}
${isUnknown ? html`<p class="soft">"${projectOf(undefined)}" are answers outside of a project, and those from before projects were kept.</p>` : undefined}
${namedTable('Model', 'Tokens by model, most input first', models)}
${dataTable(
  'Tokens by account and model, most input first',
  [
    { title: 'Account', value: ({ account }) => html`<bdi>${account}</bdi>` },
    { title: 'Model', value: ({ model }) => html`<bdi>${model}</bdi>` },
    ...TOKEN_COLUMNS,
  ],
  uses.slice(0, ROWS),
)}${leftOut(uses.length)}`
}

function namedSums(
  turns: readonly TurnEntry[],
  keyOf: (turn: TurnEntry) => string,
  isBilled: (uid: string) => boolean,
): NamedSum[] {
  return [...grouped(turns, keyOf)]
    .map(([name, list]) => {
      const values = list
        .filter(({ uid }) => !isBilled(uid))
        .flatMap((turn) => apiValueOf(turn) ?? [])
      const usd = values.length === 0 ? undefined : values.reduce((sum, one) => sum + one, 0)
      return { name, ...tokenSum(list), usd }
    })
    .sort((left, right) => right.inputTokens - left.inputTokens)
}

function namedTable(title: string, caption: string, sums: readonly NamedSum[]): Markup {
  return html`${dataTable(
    caption,
    [
      { title, value: ({ name }) => html`<bdi>${name}</bdi>` },
      ...TOKEN_COLUMNS,
      {
        title: 'API value',
        value: ({ usd }) => (usd === undefined ? '-' : dollarsText(usd)),
        numeric: true,
      },
    ],
    sums.slice(0, ROWS),
  )}${leftOut(sums.length)}`
}

/** What the API would ask for the same tokens, and what is not in that. */
export function valueText({ pricesOf, byModel, unpriced }: ModelValues): Markup {
  const total = byModel.reduce((sum, { dollars }) => sum + dollars, 0)
  return html`<p class="soft"><b>Not a charge.</b> The API-equivalent value is what the same tokens would cost at the public API, by the price list of ${pricesOf}: ${dollarsText(total)}.${unpriced.length === 0 ? undefined : html` Not in it, since their price is not known: answers of <bdi>${unpriced.slice(0, ROWS).join(', ')}</bdi>.`}</p>`
}

/** What is said under a list that was cut; nothing under a whole one. */
export function leftOut(count: number): Markup | undefined {
  return count > ROWS
    ? html`<p class="soft">${groupedText(count - ROWS)} more are left out.</p>`
    : undefined
}
