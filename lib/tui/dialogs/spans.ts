import { type Tone as Mark, type TonedText, tonedParts } from '../../kernel/text/tones.js'
import { brokenInto } from '../../kernel/text/wrap.js'

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
