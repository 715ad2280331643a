import { formatMoment } from '../../kernel/text/moments.js'
import { renderTable } from '../../kernel/text/table.js'
import { type ComparedRow, type Comparison, PERIOD_TITLES } from '../../report/comparison.js'
import { compactText, groupedText } from '../../report/formats.js'
import { differenceText, totalRows } from '../../report/sections/comparison-tables.js'

/** Rows of a kind; the report holds them all. */
const ROWS = 10

/** A period and the one before it as tables for a terminal. */
export function comparisonText(
  comparison: Comparison,
  { width, nowMs }: { readonly width: number; readonly nowMs: number },
): string {
  const { period, beginsMs, accounts, projects, models } = comparison
  const part = beginsMs === null ? '' : ` (the history begins ${formatMoment(beginsMs, nowMs)})`
  const rows = (title: string, list: readonly ComparedRow[]): string[] =>
    list.length === 0 ? [] : ['', rowsTable(title, list.slice(0, ROWS), width)]
  return [
    `${PERIOD_TITLES[period]}${part}:`,
    renderTable(
      totalRows(comparison),
      [
        { title: 'In all', value: ({ name }) => name },
        { title: 'Now', value: ({ now }) => now, align: 'right' },
        { title: 'Before', value: ({ before }) => before, align: 'right' },
        { title: 'Difference', value: ({ difference }) => difference, align: 'right' },
      ],
      width,
    ),
    ...rows('Account', accounts),
    ...rows('Project', projects),
    ...rows('Model', models),
  ].join('\n')
}

function rowsTable(title: string, rows: readonly ComparedRow[], width: number): string {
  return renderTable(
    rows,
    [
      { title, value: ({ name }) => name },
      {
        title: 'Answers',
        value: ({ answers }) => groupedText(answers.now),
        align: 'right',
        priority: 2,
      },
      {
        title: 'Before',
        value: ({ answers }) => groupedText(answers.before),
        align: 'right',
        priority: 1,
      },
      { title: 'Tokens', value: ({ tokens }) => compactText(tokens.now), align: 'right' },
      { title: 'Before', value: ({ tokens }) => compactText(tokens.before), align: 'right' },
      {
        title: 'Difference',
        value: ({ tokens }) => differenceText(tokens, compactText),
        align: 'right',
      },
    ],
    width,
  )
}
