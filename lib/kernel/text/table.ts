import { plainText } from './plain-text.js'
import { displayWidth, sureText } from './sure-width.js'
import { toned, type TonedText } from './tones.js'

/** One column of a table. */
export interface Column<Row> {
  readonly title: string
  /** The cell, in parts where they differ in tone. */
  readonly value: (row: Row) => string | readonly TonedText[]
  readonly align?: 'left' | 'right'
  /** Columns with the lowest number are dropped first when the table is too wide. Absent: never dropped. */
  readonly priority?: number
  /** Cut to this width before a column is dropped, where the table is too wide: for names, which are known by their start. */
  readonly cutTo?: number
}

const GAP = '  '
const MIN_CUT = 8

/**
 * A plain-text table that fits `width` columns: drops the least important columns, then cuts
 * names, then the widest cells.
 * A cell is one line of plain text of a sure width, whatever it was made of. A column in which nothing stands is left out.
 */
export function renderTable<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  width: number,
): string {
  const kept = measured(rows, columns)
  while (kept.length > 1 && leastWidth(kept) > width) {
    const least = kept
      .filter(({ priority }) => priority !== undefined)
      .sort((left, right) => (left.priority ?? 0) - (right.priority ?? 0))[0]
    if (!least) break
    kept.splice(kept.indexOf(least), 1)
  }
  cutNames(kept, width)
  shrink(kept, width)
  return [undefined, ...rows]
    .map((_row, line) =>
      kept
        .map((column) => cellOf(column, line))
        .join(GAP)
        .trimEnd(),
    )
    .join('\n')
}

/** The first form of a table that fits with all its columns; where none does, what can be shown of the last one. */
export function renderFitting<Row>(
  rows: readonly Row[],
  forms: readonly (readonly Column<Row>[])[],
  width: number,
): string {
  return renderTable(
    rows,
    formThatFits(forms, (columns) => fits(rows, columns, width)),
    width,
  )
}

/** The first form for which there is room, else the last one. Pure. */
export function formThatFits<Form extends readonly unknown[]>(
  forms: readonly Form[],
  hasRoom: (form: Form) => boolean,
): Form | readonly [] {
  return forms.find(hasRoom) ?? forms.at(-1) ?? []
}

/** True when a table fits with all its columns, its names cut as far as they may be. */
export function fits<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  width: number,
): boolean {
  return leastWidth(measured(rows, columns)) <= width
}

/** One line of plain text and what it is made of. */
interface Cell {
  readonly text: string
  readonly parts: readonly TonedText[]
}

function cellFrom(value: string | readonly TonedText[]): Cell {
  const given = typeof value === 'string' ? [{ text: value }] : value
  const parts = given.map((part) => ({ ...part, text: sureText(plainText(part.text)) }))
  return { text: parts.map(({ text }) => text).join(''), parts }
}

interface Measured {
  readonly cells: readonly Cell[]
  readonly align: Column<never>['align']
  readonly cutTo: number
  width: number
}

interface Kept extends Measured {
  readonly priority: number | undefined
}

function measured<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): Kept[] {
  const all = columns.map(({ title, value, align, priority, cutTo = Infinity }) => {
    const cells = [title, ...rows.map((row) => value(row))].map(cellFrom)
    return {
      cells,
      align,
      priority,
      cutTo,
      width: Math.max(...cells.map(({ text }) => displayWidth(text))),
    }
  })
  const used = all.filter(({ cells }) => cells.slice(1).some(({ text }) => text !== ''))
  return used.length === 0 ? all : used
}

function totalWidth(columns: readonly Measured[]): number {
  return columns.reduce((sum, { width }) => sum + width, GAP.length * (columns.length - 1))
}

/** The width with all names cut as far as they may be. */
function leastWidth(columns: readonly Measured[]): number {
  const cuttable = columns.reduce((sum, { width, cutTo }) => sum + Math.max(0, width - cutTo), 0)
  return totalWidth(columns) - cuttable
}

function cutNames(columns: readonly Measured[], width: number): void {
  for (const column of columns) {
    const excess = Math.max(0, totalWidth(columns) - width)
    column.width -= Math.min(excess, Math.max(0, column.width - column.cutTo))
  }
}

function shrink(columns: readonly Measured[], width: number): void {
  for (let excess = totalWidth(columns) - width; excess > 0;) {
    const widest = columns.reduce((most, one) => (one.width > most.width ? one : most))
    const step = Math.min(excess, widest.width - MIN_CUT)
    if (step <= 0) return
    widest.width -= step
    excess -= step
  }
}

function cellOf({ cells, align, width }: Measured, line: number): string {
  const { text: whole, parts } = cells[line] ?? cellFrom('')
  const text = cut(whole, width)
  const fill = ' '.repeat(Math.max(0, width - displayWidth(text)))
  const shown = text === whole ? parts.map(toned).join('') : tonedStart(parts, text)
  return align === 'right' ? fill + shown : shown + fill
}

/** What is left of the parts when their text was cut to `text`; the sign of the cut belongs to the part that it cuts. */
function tonedStart(parts: readonly TonedText[], text: string): string {
  let at = 0
  return parts
    .map((part) => {
      const start = at
      at += part.text.length
      return toned({ ...part, text: text.slice(start, at) })
    })
    .join('')
}

/** Shortens a text to `width` columns, ending in `…` when something was cut. */
export function cut(text: string, width: number): string {
  if (displayWidth(text) <= width) return text
  let kept = ''
  let used = 0
  for (const { segment } of SEGMENTER.segment(text)) {
    const size = displayWidth(segment)
    if (used + size > width - 1) break
    kept += segment
    used += size
  }
  return `${kept}…`
}

const SEGMENTER = new Intl.Segmenter(undefined, { granularity: 'grapheme' })
