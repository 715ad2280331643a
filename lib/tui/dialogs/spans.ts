import { cut, displayWidth } from '../../kernel/text/table.js'
import { levelOf } from '../status-line.js'

/** What a piece of text is to the reader; the theme turns it into a colour. */
export type Tone = 'text' | 'muted' | 'accent' | 'success' | 'warning' | 'error'

/** A piece of a line in one colour. */
export interface Span {
  readonly text: string
  readonly tone: Tone
}

/** Where a word stands alone in its cell or begins a fact; anywhere else it is a word of a sentence. */
const STATES: readonly (readonly [tone: Tone, words: string])[] = [
  ['error', 'login needed|blocked(?: until [^,;]*?)?|failed|error'],
  ['warning', 'limited(?: until [^,;]*?)?|resting(?: until [^,;]*?)?|warning|would start'],
  ['success', 'active|ok|done|started|refreshed'],
  ['muted', 'disabled|skipped|not allowed in this project|another account is pinned|-'],
]
const STATE = new RegExp(
  `(?<=^|\\s{2}|: |^\\S )(?:${STATES.map(([, words]) => `(${words})`).join('|')})(?=$|[,;:]|\\s{2})`,
  'g',
)
/** What is left of a window, wherever one is named beside it. */
const LEFT = /\b(?:5h|7d|30d|quota)(?: [\w-]+)? +(?:[█░]+ +)?(<?\d+)%|(<?\d+)% left\b/g

/** A line of an output with its states and low windows in their colours; its text stays as it is. Pure. */
export function spansOf(line: string, plain: Tone = 'text'): readonly Span[] {
  const marks: { readonly from: number; readonly to: number; readonly tone: Tone }[] = []
  for (const match of line.matchAll(STATE)) {
    const place = match.slice(1).findIndex((group) => (group as string | undefined) !== undefined)
    const tone = STATES[place]?.[0] ?? plain
    marks.push({ from: match.index, to: match.index + match[0].length, tone })
  }
  for (const match of line.matchAll(LEFT)) {
    const level = levelOf(Number((match[1] ?? match[2] ?? '').replace('<', '')))
    if (level === 'muted') continue
    marks.push({ from: match.index, to: match.index + match[0].length, tone: level })
  }
  const spans: Span[] = []
  let at = 0
  for (const { from, to, tone } of marks.sort((left, right) => left.from - right.from)) {
    if (from < at) continue
    if (from > at) spans.push({ text: line.slice(at, from), tone: plain })
    spans.push({ text: line.slice(from, to), tone })
    at = to
  }
  if (at < line.length || spans.length === 0) spans.push({ text: line.slice(at), tone: plain })
  return spans
}

/** A line in as many as it takes to show all of it; what follows the first is set in under its last column. Pure. */
export function wrapped(line: string, columns: number): readonly string[] {
  if (displayWidth(line) <= columns) return [line]
  const cells = /^(?:\S(?: ?\S)* {2,})* *(?:[\w-]+: )?/.exec(line)?.[0] ?? ''
  const column = displayWidth(cells)
  const indent = ' '.repeat(column <= columns / 2 ? column : (/^ */.exec(line)?.[0].length ?? 0))
  const lines: string[] = []
  let current = /^ */.exec(line)?.[0] ?? ''
  for (const word of line.trim().split(/(?<=\S)(?=\s)/)) {
    if (displayWidth(current + word) <= columns) {
      current += word
      continue
    }
    if (current.trim() !== '') lines.push(current.trimEnd())
    current = indent + word.trimStart()
    while (displayWidth(current) > columns) {
      // Without the mark that says that something was cut.
      const piece = cut(current, columns).slice(0, -1)
      const kept = piece.length > indent.length ? piece : current.slice(0, indent.length + 1)
      lines.push(kept)
      current = indent + current.slice(kept.length)
    }
  }
  if (current.trim() !== '') lines.push(current)
  return lines
}
