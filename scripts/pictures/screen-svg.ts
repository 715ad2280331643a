import { type Cell, PLAIN, rowsOf, type Style } from './ansi-cells.js'

/** A terminal's screen as a picture. */
interface ScreenPicture {
  /** What the picture shows, for who does not see it. */
  readonly title: string
  readonly columns: number
  /** Colours of what has none of its own. */
  readonly foreground: string
  readonly background: string
}

/** Size of a cell and of what is around the screen, in units of the picture. */
const CELL = { width: 8, height: 17 }
const FONT_SIZE = 13.3
const BASELINE = 12.5
const PADDING = 14
/** Blanks beyond these end a text, so that the next one starts at its own cell. */
const MOST_BLANKS = 2

interface Box {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** Characters that fill their cell are drawn: a font leaves gaps between rows. Parts of a cell: x, y, width, height, opacity. */
const DRAWN: Readonly<Record<string, readonly [number, number, number, number, number?]>> = {
  '█': [0, 0, 1, 1],
  '▀': [0, 0, 1, 0.5],
  '▄': [0, 0.5, 1, 0.5],
  '▌': [0, 0, 0.5, 1],
  '▐': [0.5, 0, 0.5, 1],
  '░': [0, 0, 1, 1, 0.25],
  '▒': [0, 0, 1, 1, 0.5],
  '▓': [0, 0, 1, 1, 0.75],
  '│': [0.44, 0, 0.12, 1],
  '┃': [0.38, 0, 0.24, 1],
  '╹': [0.38, 0, 0.24, 0.5],
  '╻': [0.38, 0.5, 0.24, 0.5],
  '─': [0, 0.47, 1, 0.06],
  '━': [0, 0.44, 1, 0.12],
}

/**
 * What `tmux capture-pane -e` gives as an SVG: every cell at its place, whatever the font. Pure.
 * @param painted lines with SGR sequences; colours last across lines
 */
export function screenSvg(painted: string, picture: ScreenPicture): string {
  const rows = rowsOf(painted)
  const width = picture.columns * CELL.width + 2 * PADDING
  const height = rows.length * CELL.height + 2 * PADDING
  // A dialog darkens the whole screen, and so what is around it.
  const frame = backgroundOf(rows[0]?.[0]?.style ?? PLAIN, picture)
  const classes = new Map<string, string>()
  const classOf = (rule: string): string => {
    const known = classes.get(rule) ?? `c${classes.size.toString(36)}`
    classes.set(rule, known)
    return known
  }
  const shapes = rows.flatMap((cells, row) => [
    ...backgrounds(cells, row, picture, frame, classOf),
    ...drawnCells(cells, row, picture, classOf),
    ...texts(cells, row, picture, classOf),
  ])
  const rules = [...classes].map(([rule, name]) => `.${name}{${rule}}`).join('')
  return `<svg xmlns="http://www.w3.org/2000/svg" xml:space="preserve" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(picture.title)}"><title>${escaped(picture.title)}</title><style>text{font:${FONT_SIZE}px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;white-space:pre}${rules}</style><rect width="${width}" height="${height}" rx="8" fill="${frame}"/><g transform="translate(${PADDING} ${PADDING})">${shapes.join('')}</g></svg>\n`
}

function backgrounds(
  cells: readonly Cell[],
  row: number,
  picture: ScreenPicture,
  frame: string,
  classOf: (rule: string) => string,
): string[] {
  return runs(cells, ({ style }) => backgroundOf(style, picture)).flatMap(({ key, from, to }) =>
    key === frame ? [] : [rect(boxOf(from, to, row), classOf(`fill:${key}`))],
  )
}

function drawnCells(
  cells: readonly Cell[],
  row: number,
  picture: ScreenPicture,
  classOf: (rule: string) => string,
): string[] {
  const drawn = cells.filter(({ text }) => Object.hasOwn(DRAWN, text))
  return runs(drawn, ({ text, style }) => `${text}${foregroundOf(style, picture)}`).flatMap(
    ({ key, from, to }) => {
      const [x = 0, y = 0, width = 1, height = 1, opacity] = DRAWN[key.slice(0, 1)] ?? []
      const place = boxOf(from, to, row)
      const box = {
        x: place.x + x * CELL.width,
        y: place.y + y * CELL.height,
        width: width === 1 ? place.width : width * CELL.width,
        height: height * CELL.height,
      }
      const fill = `fill:${key.slice(1)}${opacity === undefined ? '' : `;opacity:${opacity}`}`
      const name = classOf(fill)
      // A part of the width is drawn once for each cell.
      if (width === 1) return [rect(box, name)]
      return Array.from({ length: to - from }, (_, index) =>
        rect({ ...box, x: box.x + index * CELL.width }, name),
      )
    },
  )
}

function texts(
  cells: readonly Cell[],
  row: number,
  picture: ScreenPicture,
  classOf: (rule: string) => string,
): string[] {
  const shown = cells.filter(({ text }) => !Object.hasOwn(DRAWN, text))
  return runs(shown, ({ style }) => ruleOf(style, picture)).flatMap(({ key, cells: list }) =>
    pieces(list).map(({ text, from, to }) => {
      const { x, y, width } = boxOf(from, to, row)
      return `<text class="${classOf(key)}" x="${x}" y="${round(y + BASELINE)}" textLength="${width}">${escaped(text)}</text>`
    }),
  )
}

/** Parts of a run between stretches of blanks; a wide character stands alone, since fonts disagree on its width. */
function pieces(
  cells: readonly Cell[],
): { readonly text: string; readonly from: number; readonly to: number }[] {
  const found: { text: string; from: number; to: number; blanks: number }[] = []
  let open = false
  for (const { text, width, column } of cells) {
    const isBlank = text === ' '
    const last = found.at(-1)
    const isWide = width > 1
    if (open && !isWide && last?.to === column) {
      last.text += text
      last.to = column + width
      last.blanks = isBlank ? last.blanks + 1 : 0
      open = last.blanks <= MOST_BLANKS
    } else if (!isBlank) {
      found.push({ text, from: column, to: column + width, blanks: 0 })
      open = !isWide
    }
  }
  return found.map(({ text, from, to, blanks }) => ({
    text: text.slice(0, text.length - blanks),
    from,
    to: to - blanks,
  }))
}

interface Run {
  readonly key: string
  from: number
  to: number
  readonly cells: Cell[]
}

/** Neighbouring cells that share a key. */
function runs(cells: readonly Cell[], keyOf: (cell: Cell) => string): Run[] {
  const found: Run[] = []
  for (const cell of cells) {
    const key = keyOf(cell)
    const last = found.at(-1)
    if (last?.key === key && last.to === cell.column) {
      last.to += cell.width
      last.cells.push(cell)
    } else {
      found.push({ key, from: cell.column, to: cell.column + cell.width, cells: [cell] })
    }
  }
  return found
}

function boxOf(from: number, to: number, row: number): Box {
  return {
    x: from * CELL.width,
    y: row * CELL.height,
    width: (to - from) * CELL.width,
    height: CELL.height,
  }
}

/** A little over its edge below, where two rows would show a hair between them. */
function rect({ x, y, width, height }: Box, name: string): string {
  const more = height === CELL.height ? 0.3 : 0
  return `<rect class="${name}" x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height + more)}"/>`
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}

function foregroundOf(style: Style, { foreground, background }: ScreenPicture): string {
  return style.reverse ? (style.bg ?? background) : (style.fg ?? foreground)
}

function backgroundOf(style: Style, { foreground, background }: ScreenPicture): string {
  return style.reverse ? (style.fg ?? foreground) : (style.bg ?? background)
}

function ruleOf(style: Style, picture: ScreenPicture): string {
  return [
    `fill:${foregroundOf(style, picture)}`,
    ...(style.bold ? ['font-weight:700'] : []),
    ...(style.italic ? ['font-style:italic'] : []),
    ...(style.underline ? ['text-decoration:underline'] : []),
    ...(style.dim ? ['opacity:.6'] : []),
  ].join(';')
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${String(character.charCodeAt(0))};`)
}
