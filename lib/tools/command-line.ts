/**
 * The words of a line that a person typed behind a slash command. They are data: nothing is expanded, and `;`, `>`, `&`,
 * `$(…)` and backticks are letters like any other. Single or double quotes hold blanks together; one without its other half
 * is a letter, too. A
 * backslash before a blank, as it comes with a file that is dropped into a terminal, holds a word together where it parts no
 * folders. Pure.
 * @param takeRest number of words after which the rest of the line, as it stands, is one word; flags in front do not count
 */
export function wordsOf(
  line: string,
  takeRest = Number.POSITIVE_INFINITY,
  platform: string = process.platform,
): string[] {
  const words: string[] = []
  let plain = 0
  let at = skipBlanks(line, 0)
  while (at < line.length) {
    const isValue = takesValue(words.at(-1))
    if (plain === takeRest && !isValue && !line.startsWith('--', at))
      return [...words, '--', unquoted(line.slice(at).trimEnd())]
    const end = wordEnd(line, at, platform !== 'win32')
    const word = line.slice(at, end)
    words.push(unquoted(word))
    if (!isValue && !word.startsWith('-')) plain += 1
    at = skipBlanks(line, end)
  }
  return words
}

/** A flag whose value is the next word. */
function takesValue(word: string | undefined): boolean {
  return (
    word !== undefined &&
    /^--[\w-]+$/.test(word) &&
    !/^--(?:json|help|include-sensitive)$/.test(word)
  )
}

function skipBlanks(line: string, from: number): number {
  let at = from
  while (at < line.length && /\s/.test(line.charAt(at))) at += 1
  return at
}

/** A quote counts at the start of a word or behind `--flag=`, where people put it. */
function wordEnd(line: string, from: number, canEscape: boolean): number {
  let at = from
  for (; at < line.length && !/\s/.test(line.charAt(at)); at += 1) {
    const quote = line.charAt(at)
    if (canEscape && quote === '\\' && line.charAt(at + 1) === ' ') at += 1
    const opens = (quote === '"' || quote === "'") && (at === from || line.charAt(at - 1) === '=')
    const close = opens ? line.indexOf(quote, at + 1) : -1
    if (close > 0 && (close + 1 === line.length || /\s/.test(line.charAt(close + 1)))) at = close
  }
  return at
}

function unquoted(word: string): string {
  return word.replace(/^(--[\w-]+=)?(["'])((?:(?!\2)[^])*)\2$/, '$1$3')
}
