import { displayWidth } from './sure-width.js'
import { cut } from './table.js'

/** A text broken between words into lines of at most `width` columns; a longer word has a line of its own. Pure. */
export function wrapped(text: string, width: number): string {
  return text
    .split('\n')
    .map((line) => (displayWidth(line) <= width ? line : brokenLine(line, width)))
    .join('\n')
}

function brokenLine(line: string, width: number): string {
  const lines: string[] = []
  let current = ''
  for (const word of line.split(' ')) {
    if (current !== '' && displayWidth(current) + 1 + displayWidth(word) > width) {
      lines.push(current)
      current = word
    } else current = current === '' ? word : `${current} ${word}`
  }
  return [...lines, current].join('\n')
}

/** A part of a line that has a line of its own, and how far that is set in. */
interface Piece {
  readonly from: number
  readonly to: number
  readonly indent: number
}

/** A line in parts of at most so many columns; what follows the first part is set in under its last cell. Pure. */
export function brokenInto(line: string, columns: number): readonly Piece[] {
  if (displayWidth(line) <= columns) return [{ from: 0, to: line.length, indent: 0 }]
  const begin = Math.min(/^ */.exec(line)?.[0].length ?? 0, Math.max(0, columns - 1))
  const cells = /^ *(?:\S(?: ?\S)* {2,})* */.exec(line)?.[0] ?? ''
  const column = displayWidth(cells)
  const under = column <= columns / 2 ? column : begin
  const pieces: Piece[] = []
  let [from, to, indent] = [0, 0, 0]
  const end = (): void => {
    if (line.slice(from, to).trim() === '') indent = begin
    else {
      pieces.push({ from, to, indent })
      indent = under
    }
  }
  for (const { 0: word, index } of line.matchAll(/\s*\S+/g)) {
    const wordEnd = index + word.length
    if (indent + displayWidth(line.slice(from, wordEnd)) > columns) {
      end()
      from = wordEnd - word.trimStart().length
      while (from < wordEnd && indent + displayWidth(line.slice(from, wordEnd)) > columns) {
        // Without the mark that says that something was cut.
        const kept = cut(line.slice(from, wordEnd), columns - indent).length - 1
        to = from + Math.max(1, kept)
        end()
        from = to
      }
    }
    to = wordEnd
  }
  end()
  return pieces
}

/** A text of two columns, such as a list of commands, in lines that fit: its second column is broken below itself. Pure. */
export function hanging(text: string, columns: number): string {
  return text
    .split('\n')
    .flatMap((line) =>
      brokenInto(line, columns).map(
        ({ from, to, indent }) => ' '.repeat(indent) + line.slice(from, to),
      ),
    )
    .join('\n')
}
