import { html, type Markup, type Part } from './markup.js'

/** A column of a table; numbers stand to the right. */
export interface DataColumn<Row> {
  readonly title: string
  readonly value: (row: Row) => Part
  readonly numeric?: true
}

/** A table with a caption. The first column names the row. It scrolls by itself where the screen is too narrow. */
export function dataTable<Row>(
  caption: string,
  columns: readonly DataColumn<Row>[],
  rows: readonly Row[],
): Markup {
  const cell = (row: Row, { value, numeric }: DataColumn<Row>, index: number): Markup => {
    if (index === 0) return html`<th scope="row">${value(row)}</th>`
    return numeric === true
      ? html`<td class="number">${value(row)}</td>`
      : html`<td>${value(row)}</td>`
  }
  return html`<div class="scroll" role="region" aria-label="${caption}" tabindex="0"><table>
<caption>${caption}</caption>
<thead><tr>${columns.map(({ title, numeric }) => (numeric === true ? html`<th scope="col" class="number">${title}</th>` : html`<th scope="col">${title}</th>`))}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${columns.map((column, index) => cell(row, column, index))}</tr>`)}</tbody>
</table></div>`
}

/** The numbers behind a chart, folded away. */
export function numbersBehind<Row>(
  caption: string,
  columns: readonly DataColumn<Row>[],
  rows: readonly Row[],
): Markup {
  return html`<details><summary>The numbers as a table</summary>${dataTable(caption, columns, rows)}</details>`
}
