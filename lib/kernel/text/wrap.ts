import { displayWidth } from './sure-width.js'

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
