import { displayWidth } from '../../kernel/text/sure-width.js'
import { cut } from '../../kernel/text/table.js'
import { type Tone as Mark, type TonedText, tonedParts } from '../../kernel/text/tones.js'

/** What a piece of text is to the reader; the theme turns it into a colour. */
export type Tone = 'text' | 'muted' | 'accent' | 'success' | 'warning' | 'error'

/** A piece of a line in one colour. */
export interface Span {
  readonly text: string
  readonly tone: Tone
}

const TONES: Readonly<Record<Mark, Tone>> = {
  good: 'success',
  low: 'warning',
  bad: 'error',
  faint: 'muted',
}

/** The tone of a marked text in a dialog. */
export function spanTone(mark: Mark | undefined, plain: Tone = 'text'): Tone {
  return mark === undefined ? plain : TONES[mark]
}

/**
 * An output with its marks in lines that fit; what follows the first part of a line is set in under its last column. Pure.
 */
export function outputLines(
  output: string,
  columns: number,
  plain: Tone = 'text',
): readonly { readonly spans: readonly Span[] }[] {
  return markedLines(output).flatMap((parts) => {
    const text = parts.map((part) => part.text).join('')
    return brokenInto(text, columns).map(({ from, to, indent }) => {
      const spans = sliceOf(parts, from, to).map(({ text: piece, tone }) => ({
        text: piece,
        tone: spanTone(tone, plain),
      }))
      const set: readonly Span[] =
        indent === 0 && spans.length > 0 ? [] : [{ text: ' '.repeat(indent), tone: plain }]
      return { spans: [...set, ...spans] }
    })
  })
}

function markedLines(output: string): readonly (readonly TonedText[])[] {
  const lines: TonedText[][] = [[]]
  for (const part of tonedParts(output))
    part.text.split('\n').forEach((text, place) => {
      if (place > 0) lines.push([])
      if (text !== '') lines.at(-1)?.push({ ...part, text })
    })
  return lines
}

function sliceOf(parts: readonly TonedText[], from: number, to: number): readonly TonedText[] {
  let at = 0
  return parts.flatMap((part) => {
    const start = at
    at += part.text.length
    const text = part.text.slice(Math.max(0, from - start), Math.max(0, to - start))
    return text === '' ? [] : [{ ...part, text }]
  })
}

/** A part of a line that has a line of its own, and how far that is set in. */
interface Piece {
  readonly from: number
  readonly to: number
  readonly indent: number
}

function brokenInto(line: string, columns: number): readonly Piece[] {
  if (displayWidth(line) <= columns) return [{ from: 0, to: line.length, indent: 0 }]
  const begin = /^ */.exec(line)?.[0].length ?? 0
  const cells = /^(?:\S(?: ?\S)* {2,})* */.exec(line)?.[0] ?? ''
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
      while (indent + displayWidth(line.slice(from, wordEnd)) > columns) {
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
