import { plainLines } from './plain-text.js'

/**
 * How a part of an output is to be looked at: `good` serves, `low` soon will not, `bad` needs somebody, `faint` is out of
 * the way. What that looks like is the affair of who shows it.
 */
export const TONES = ['good', 'low', 'bad', 'faint'] as const
export type Tone = (typeof TONES)[number]

/** A part of a text with its tone. */
export interface TonedText {
  readonly text: string
  readonly tone?: Tone | undefined
}

/**
 * Tags of Unicode, which nobody draws: `plainText` takes them out of every name, so those in an output are ours, and out
 * of the output itself wherever tones are not shown.
 */
const FIRST_MARK = 0xe0061
const END_MARK = '\u{e007f}'
const MARKED = /([\u{e0061}-\u{e0064}])([^\u{e0061}-\u{e0064}\u{e007f}]*)\u{e007f}/gu

/** A text that carries its tone with it. */
export function toned({ text, tone }: TonedText): string {
  if (tone === undefined || text === '') return text
  return `${String.fromCodePoint(FIRST_MARK + TONES.indexOf(tone))}${text}${END_MARK}`
}

/** The parts of an output, each plain text of one or more lines. Pure. */
export function tonedParts(output: string): readonly TonedText[] {
  const parts: TonedText[] = []
  let at = 0
  const add = (text: string, tone?: Tone): void => {
    const plain = plainLines(text)
    if (plain !== '') parts.push({ text: plain, tone })
  }
  for (const found of output.matchAll(MARKED)) {
    const [whole, mark = '', text = ''] = found
    add(output.slice(at, found.index))
    add(text, TONES[(mark.codePointAt(0) ?? 0) - FIRST_MARK])
    at = found.index + whole.length
  }
  add(output.slice(at))
  return parts
}

/** The same output, plain but for the tones. */
export function tonedLines(output: string): string {
  return tonedParts(output).map(toned).join('')
}

const COLOURS: Readonly<Record<Tone, string>> = { good: '32', low: '33', bad: '31', faint: '2' }

/** The output for a terminal that shows colours: its only sequences are those of the tones. */
export function painted(output: string): string {
  return tonedParts(output)
    .map(({ text, tone }) =>
      tone === undefined ? text : `\u001b[${COLOURS[tone]}m${text}\u001b[0m`,
    )
    .join('')
}
