import { escapeHtml } from '../kernel/text/html.js'

const MARKUP = Symbol('markup')

/** HTML that is safe to put into a page: every part of it came through `html`. */
export interface Markup {
  readonly [MARKUP]: string
}

/** What may stand in a template: texts and numbers are escaped, markup is not, nothing leaves nothing behind. */
export type Part = string | number | Markup | readonly Markup[] | undefined

/**
 * Template tag for HTML: whatever is put in is escaped, so that a forgotten call cannot open a hole. Attributes must stand
 * in double quotes.
 */
export function html(texts: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  return {
    [MARKUP]: texts
      .map((text, index) => text + (index < parts.length ? written(parts[index]) : ''))
      .join(''),
  }
}

/** The HTML as text. */
export function textOf(markup: Markup): string {
  return markup[MARKUP]
}

/** Takes a text that is markup already: our own style sheet, and nothing from outside. */
export function ownText(text: string): Markup {
  return { [MARKUP]: text }
}

function written(part: Part): string {
  if (part === undefined) return ''
  if (typeof part === 'string') return escapeHtml(part)
  if (typeof part === 'number') return String(part)
  return MARKUP in part ? part[MARKUP] : part.map(textOf).join('\n')
}

const NUMBER_CLASS = ownText(' class="number"')

/** A column of a table; numbers stand to the right. */
export interface DataColumn<Row> {
  readonly title: string
  readonly value: (row: Row) => Part
  readonly numeric?: true
}

/** With fewer columns a table fits the narrowest screen as it is. */
const STACKED_FROM = 4

/**
 * A table with a caption. The first column names the row. Where the screen is too narrow for many columns, each row
 * becomes a few lines; roles keep it a table for who listens to it.
 */
export function dataTable<Row>(
  caption: string,
  columns: readonly DataColumn<Row>[],
  rows: readonly Row[],
): Markup {
  const cell = (row: Row, { title, value, numeric }: DataColumn<Row>, index: number): Markup => {
    if (index === 0) return html`<th scope="row" role="rowheader">${value(row)}</th>`
    return html`<td role="cell" data-title="${title}"${numeric && NUMBER_CLASS}>${value(row)}</td>`
  }
  const kind = columns.length < STACKED_FROM ? 'scroll' : 'scroll stack'
  return html`<div class="${kind}" role="region" aria-label="${caption}" tabindex="0"><table role="table">
<caption>${caption}</caption>
<thead role="rowgroup"><tr role="row">${columns.map(({ title, numeric }) => html`<th scope="col" role="columnheader"${numeric && NUMBER_CLASS}>${title}</th>`)}</tr></thead>
<tbody role="rowgroup">${rows.map((row) => html`<tr role="row">${columns.map((column, index) => cell(row, column, index))}</tr>`)}</tbody>
</table></div>`
}

/** A table of many numbers in one row each: it scrolls by itself where the screen is too narrow. */
function numbersTable<Row>(
  caption: string,
  columns: readonly DataColumn<Row>[],
  rows: readonly Row[],
): Markup {
  const cell = (row: Row, { value, numeric }: DataColumn<Row>, index: number): Markup => {
    if (index === 0) return html`<th scope="row">${value(row)}</th>`
    return html`<td${numeric && NUMBER_CLASS}>${value(row)}</td>`
  }
  return html`<div class="scroll" role="region" aria-label="${caption}" tabindex="0"><table>
<caption>${caption}</caption>
<thead><tr>${columns.map(({ title, numeric }) => html`<th scope="col"${numeric && NUMBER_CLASS}>${title}</th>`)}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${columns.map((column, index) => cell(row, column, index))}</tr>`)}</tbody>
</table></div>`
}

/** The numbers behind a chart, folded away. */
export function numbersBehind<Row>(
  caption: string,
  columns: readonly DataColumn<Row>[],
  rows: readonly Row[],
): Markup {
  return html`<details><summary>The numbers as a table</summary>${numbersTable(caption, columns, rows)}</details>`
}
