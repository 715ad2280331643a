import { plainText } from './plain-text.js'

/** One column of a table. */
export interface Column<Row> {
  readonly title: string
  readonly value: (row: Row) => string
  readonly align?: 'left' | 'right'
  /** Columns with the lowest number are dropped first when the table is too wide. Absent: never dropped. */
  readonly priority?: number
}

const GAP = '  '
const MIN_CUT = 8

/**
 * A plain-text table that fits `width` columns: drops the least important columns, then cuts the widest cells.
 * Wide (East Asian) characters and emoji count as two. A cell is one line of plain text, whatever it was made of.
 */
export function renderTable<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  width: number,
): string {
  const kept = columns.map((column) => ({
    ...column,
    title: plainText(column.title),
    value: (row: Row) => plainText(column.value(row)),
  }))
  while (kept.length > 1 && widthOf(rows, kept) > width) {
    const least = kept
      .filter((column) => column.priority !== undefined)
      .sort((left, right) => (left.priority ?? 0) - (right.priority ?? 0))[0]
    if (!least) break
    kept.splice(kept.indexOf(least), 1)
  }
  const cells = rows.map((row) => kept.map((column) => column.value(row)))
  const widths = kept.map((column, index) =>
    Math.max(displayWidth(column.title), ...cells.map((line) => displayWidth(line[index] ?? ''))),
  )
  shrink(widths, width)
  const line = (values: readonly string[]): string =>
    values
      .map((value, index) =>
        pad(cut(value, widths[index] ?? 0), widths[index] ?? 0, kept[index]?.align ?? 'left'),
      )
      .join(GAP)
      .trimEnd()
  return [line(kept.map((column) => column.title)), ...cells.map(line)].join('\n')
}

function widthOf<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): number {
  const widths = columns.map((column) =>
    Math.max(displayWidth(column.title), ...rows.map((row) => displayWidth(column.value(row)))),
  )
  return widths.reduce((sum, one) => sum + one, GAP.length * (columns.length - 1))
}

function shrink(widths: number[], width: number): void {
  let excess = widths.reduce((sum, one) => sum + one, GAP.length * (widths.length - 1)) - width
  while (excess > 0) {
    const widest = widths.indexOf(Math.max(...widths))
    const current = widths[widest] ?? 0
    if (current <= MIN_CUT) return
    const step = Math.min(excess, current - MIN_CUT)
    widths[widest] = current - step
    excess -= step
  }
}

function pad(text: string, width: number, align: 'left' | 'right'): string {
  const fill = ' '.repeat(Math.max(0, width - displayWidth(text)))
  return align === 'right' ? fill + text : text + fill
}

/** Shortens a text to `width` columns, ending in `…` when something was cut. */
export function cut(text: string, width: number): string {
  if (displayWidth(text) <= width) return text
  let kept = ''
  let used = 0
  for (const { segment } of SEGMENTER.segment(text)) {
    const size = segmentWidth(segment)
    if (used + size > width - 1) break
    kept += segment
    used += size
  }
  return `${kept}…`
}

const SEGMENTER = new Intl.Segmenter(undefined, { granularity: 'grapheme' })
const WIDE =
  /[\u1100-\u115F\u2E80-\u303E\u3041-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6]|\p{Emoji_Presentation}/u

function segmentWidth(segment: string): number {
  return WIDE.test(segment) ? 2 : 1
}

/** Columns a text takes in a terminal. */
export function displayWidth(text: string): number {
  // Most texts are plain ASCII and need no segmentation.
  if (/^[\x20-\x7e]*$/.test(text)) return text.length
  let width = 0
  for (const { segment } of SEGMENTER.segment(text)) width += segmentWidth(segment)
  return width
}
