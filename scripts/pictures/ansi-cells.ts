import { displayWidth } from '../../lib/kernel/text/sure-width.js'

/** How a character looks; colours as `#rrggbb`, absent for the terminal's own. */
export interface Style {
  readonly fg: string | undefined
  readonly bg: string | undefined
  readonly bold: boolean
  readonly dim: boolean
  readonly italic: boolean
  readonly underline: boolean
  readonly reverse: boolean
}

export const PLAIN: Style = {
  fg: undefined,
  bg: undefined,
  bold: false,
  dim: false,
  italic: false,
  underline: false,
  reverse: false,
}

/** One character of a screen. */
export interface Cell {
  readonly text: string
  /** Columns it takes. */
  readonly width: number
  readonly column: number
  readonly style: Style
}

const SEGMENTER = new Intl.Segmenter(undefined, { granularity: 'grapheme' })
const SEQUENCE =
  /\u001b\[([\d;:]*)m|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)|\u001b[@-_][0-?]*[ -/]*[@-~]?/g

/** The rows of what a terminal would paint; colours last across lines. Pure. */
export function rowsOf(painted: string): Cell[][] {
  let style = PLAIN
  return painted
    .replace(/\n$/, '')
    .split('\n')
    .map((line) => {
      const cells: Cell[] = []
      let column = 0
      let at = 0
      const put = (text: string): void => {
        for (const { segment } of SEGMENTER.segment(text)) {
          const width = displayWidth(segment)
          cells.push({ text: segment, width, column, style })
          column += width
        }
      }
      for (const match of line.matchAll(SEQUENCE)) {
        put(line.slice(at, match.index))
        at = match.index + match[0].length
        if (match[1] !== undefined) style = styled(style, match[1])
      }
      put(line.slice(at))
      return cells
    })
}

/** The style after an SGR sequence. */
function styled(before: Style, parameters: string): Style {
  const numbers = parameters.split(/[;:]/).map(Number)
  let style = before
  for (let index = 0; index < numbers.length; index += 1) {
    const code = numbers[index] ?? 0
    if (code === 38 || code === 48) {
      const isDirect = numbers[index + 1] === 2
      const colour = isDirect
        ? rgb(numbers.slice(index + 2, index + 5))
        : indexed(numbers[index + 2] ?? 0)
      style = { ...style, [code === 38 ? 'fg' : 'bg']: colour }
      index += isDirect ? 4 : 2
    } else {
      style = { ...style, ...changeOf(code) }
    }
  }
  return style
}

function changeOf(code: number): Partial<Style> {
  if (code >= 30 && code <= 37) return { fg: indexed(code - 30) }
  if (code >= 90 && code <= 97) return { fg: indexed(code - 82) }
  if (code >= 40 && code <= 47) return { bg: indexed(code - 40) }
  if (code >= 100 && code <= 107) return { bg: indexed(code - 92) }
  return CHANGES[code] ?? {}
}

const CHANGES: Readonly<Record<number, Partial<Style>>> = {
  0: PLAIN,
  1: { bold: true },
  2: { dim: true },
  3: { italic: true },
  4: { underline: true },
  7: { reverse: true },
  22: { bold: false, dim: false },
  23: { italic: false },
  24: { underline: false },
  27: { reverse: false },
  39: { fg: undefined },
  49: { bg: undefined },
}

const NAMED = [
  '#000000',
  '#cd3131',
  '#0dbc79',
  '#b58900',
  '#2472c8',
  '#bc3fbc',
  '#11a8cd',
  '#cccccc',
  '#666666',
  '#f14c4c',
  '#23d18b',
  '#d7ba00',
  '#3b8eea',
  '#d670d6',
  '#29b8db',
  '#f2f2f2',
]

/** A colour of the 256. */
function indexed(index: number): string {
  if (index < 16) return NAMED[index] ?? '#000000'
  if (index > 231) return rgb(Array.from({ length: 3 }, () => 8 + (index - 232) * 10))
  const cube = index - 16
  return rgb(
    [Math.floor(cube / 36), Math.floor(cube / 6) % 6, cube % 6].map((step) =>
      step === 0 ? 0 : 55 + step * 40,
    ),
  )
}

function rgb(parts: readonly number[]): string {
  return `#${parts.map((part) => part.toString(16).padStart(2, '0')).join('')}`
}
