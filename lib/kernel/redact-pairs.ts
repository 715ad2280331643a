import { isSecretKey } from './secret-keys.js'

/** In place of a secret. */
export const HIDDEN = '[hidden]'

/** A name, maybe quoted, and what parts it from its value; every part has a bound, so that no text makes it look twice. */
const NAME = /(?<![\w.-])[\w.-]{1,64}(\\?["'])?[ \t]{0,8}(=>|[:=])[ \t]{0,8}/g
/** Parameters that are secrets in an address or a form and words like others anywhere else. */
const PARAMETER = /^(?:code|state|code_challenge)$/i
/** The scheme in front of a credential. */
const SCHEME = /(?:Bearer|Basic|Digest|Negotiate|Token|ApiKey)[ \t]{1,8}/iy
const HEADER = /^(?:proxy-)?authorization$|cookie$/i
/** A text in quotes; in quotes that are escaped themselves where JSON holds JSON. */
const QUOTED = /\\"[^"\\]*(?:\\"|$)?|"(?:[^"\\]|\\[^])*(?:"|$)?|'[^'\n]*(?:'|$)?/y
const WORD = /[^\s"',;&#<>(){}]+/y
const FIELD = /[^\s"'&#<>]+/y
const LINE = /[^\r\n"]+/y

/**
 * Hides the values of keys that name a secret: in JSON, in forms and addresses, in settings and headers. In a sentence,
 * where a colon is just a colon ("invalid token: expired"), only what looks made up by a machine.
 */
export function hidePairs(text: string): string {
  let clean = ''
  let from = 0
  NAME.lastIndex = 0
  for (let found = NAME.exec(text); found !== null; found = NAME.exec(text)) {
    const start = NAME.lastIndex
    const end = endOfSecret(text, found, start)
    if (end === undefined) continue
    clean += `${text.slice(from, start)}${shellOf(text, start, end)}`
    from = end
    NAME.lastIndex = end
  }
  NAME.lastIndex = 0
  return from === 0 ? text : clean + text.slice(from)
}

/** Where the value ends that stands at `start`, when it has to be hidden. */
function endOfSecret(text: string, found: RegExpExecArray, start: number): number | undefined {
  const [whole, quote, sign] = found
  const key = /^[\w.-]+/.exec(whole)?.[0] ?? ''
  const name = key.slice(key.lastIndexOf('.') + 1)
  const isSecret = isSecretKey(name, 'text') || (sign === '=' && PARAMETER.test(name))
  if (!isSecret || text.startsWith(HIDDEN, start)) return undefined
  const quoted = matchAt(QUOTED, text, start)
  if (quoted !== undefined)
    return text.slice(start, quoted).replace(/[\\"']/g, '') === '' ? undefined : quoted
  const scheme = matchAt(SCHEME, text, start)
  const value = scheme ?? start
  if (text.startsWith(HIDDEN, value)) return undefined
  if (HEADER.test(name) && (scheme !== undefined || text.slice(start, start + 64).includes('=')))
    return matchAt(LINE, text, value)
  const end = matchAt(sign === ':' ? WORD : FIELD, text, value)
  if (end === undefined || scheme !== undefined || sign !== ':' || quote !== undefined) return end
  const word = text.slice(value, end)
  return looksMade(word) || (/pass|pwd|secret/i.test(name) && standsAlone(text, found.index, end))
    ? end
    : undefined
}

/** The value without what it says: its quotes and its scheme stay. */
function shellOf(text: string, start: number, end: number): string {
  const opening =
    /^(?:\\?["'])?(?:(?:Bearer|Basic|Digest|Negotiate|Token|ApiKey)[ \t]{1,8})?/i.exec(
      text.slice(start, Math.min(end, start + 24)),
    )?.[0] ?? ''
  const mark = /^\\?["']/.exec(opening)?.[0] ?? ''
  const isClosed =
    mark !== '' && end - start > mark.length && text.startsWith(mark, end - mark.length)
  return `${opening}${HIDDEN}${isClosed ? mark : ''}`
}

/** Digits between letters, capitals inside, or far longer than a word. */
function looksMade(word: string): boolean {
  return word.length >= 32 || (word.length >= 6 && (/\d/.test(word) || /[a-z][A-Z]/.test(word)))
}

/** A line that holds a key and a value of one word and nothing else is no sentence but a setting. */
function standsAlone(text: string, keyStart: number, valueEnd: number): boolean {
  const before = text.slice(Math.max(0, keyStart - 16), keyStart)
  const line = before.slice(before.lastIndexOf('\n') + 1)
  const isFirst =
    line.trim().replace(/^[-"']/, '') === '' && (before.includes('\n') || keyStart < 16)
  return isFirst && /^[ \t]{0,8}(?:\r?\n|$)/.test(text.slice(valueEnd, valueEnd + 12))
}

function matchAt(expression: RegExp, text: string, at: number): number | undefined {
  expression.lastIndex = at
  return expression.test(text) ? expression.lastIndex : undefined
}
