/** Most texts are this and need no second look. */
const PLAIN = /^[\x20-\x7e]*$/

/**
 * Whole terminal sequences: colours and cursor (CSI), titles and clipboard (OSC) and the other strings, in their 7-bit and
 * their 8-bit form. Each part ends at the next control character, which keeps the search linear; what is not closed
 * loses its control characters below and stays visible.
 */
const SEQUENCE =
  /(?:\x1b\[|\x9b)[0-?]{0,64}[ -/]{0,8}[@-~]|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x00-\x1f\x7f-\x9f]*(?:\x07|\x1b\\|\x9c)/g

/** C0, DEL, C1, and the separators that a terminal, a log or a model takes for the end of a line. */
const BREAKING = /[\p{Cc}\p{Zl}\p{Zp}]+/gu
const BREAKING_BUT_LINES = /[^\P{Cc}\n]+|[\p{Zl}\p{Zp}]+/gu

/** What is drawn as nothing: marks of direction, zero-width characters, tags, selectors of variants, annotations. */
const INVISIBLE = /[\p{Default_Ignorable_Code_Point}\ufff9-\ufffb]/gu

/** Half a character: many programs refuse a text that holds one. */
const HALF = /\p{Cs}/gu

const ZERO_WIDTH_NON_JOINER = '\u200c'
const ZERO_WIDTH_JOINER = '\u200d'
const TEXT_STYLE = '\ufe0e'
const EMOJI_STYLE = '\ufe0f'

/** Scripts in which a joiner inside a word changes how it reads. */
const JOINED_LETTER =
  /[\p{Script=Arabic}\p{Script=Syriac}\p{Script=Mongolian}\p{Script=Devanagari}\p{Script=Bengali}\p{Script=Gurmukhi}\p{Script=Gujarati}\p{Script=Oriya}\p{Script=Tamil}\p{Script=Telugu}\p{Script=Kannada}\p{Script=Malayalam}\p{Script=Sinhala}\p{Script=Khmer}\p{Script=Myanmar}]/u
const PICTURE = /\p{Extended_Pictographic}/u
const PICTURE_END = /[\p{Extended_Pictographic}\p{Emoji_Modifier}\ufe0f]/u
const STYLED = /\p{Emoji}/u

/**
 * A name or another text of somebody else as one line that is safe to show: to a terminal, which would obey its control
 * sequences; to a reader, whom marks of direction deceive; and to a model, which reads what nobody sees. Letters of every
 * script and emoji stay. A joiner stays only where it does its work, inside a word of a script that has one or between
 * the parts of one picture, and a selector of style only behind what has styles: anywhere else they are a hiding place.
 * Linear and pure; applied twice it changes nothing more.
 */
export function plainText(text: string): string {
  return PLAIN.test(text) ? text : cleaned(text, BREAKING)
}

/** The same for a text of several lines, whose line feeds stay. */
export function plainLines(text: string): string {
  return cleaned(text.replaceAll('\r\n', '\n'), BREAKING_BUT_LINES)
}

/**
 * Data whose texts are plain, keys included: for JSON, which escapes only some of what is not. Pure.
 * @param plain `plainLines` where texts of several lines are wanted
 */
export function plainData(value: unknown, plain = plainText): unknown {
  if (typeof value === 'string') return plain(value)
  if (Array.isArray(value)) return value.map((inner) => plainData(inner, plain))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [plainText(key), plainData(inner, plain)]),
  )
}

function cleaned(text: string, breaking: RegExp): string {
  return text
    .replace(SEQUENCE, '')
    .replace(HALF, '\ufffd')
    .replace(INVISIBLE, keptInvisible)
    .replace(breaking, ' ')
}

function keptInvisible(found: string, at: number, whole: string): string {
  switch (found) {
    case ZERO_WIDTH_JOINER:
      return isJoined(whole, at) || isPicture(whole, at) ? found : ''
    case ZERO_WIDTH_NON_JOINER:
      return isJoined(whole, at) ? found : ''
    case TEXT_STYLE:
    case EMOJI_STYLE:
      return STYLED.test(before(whole, at)) ? found : ''
    default:
      return ''
  }
}

function isJoined(text: string, at: number): boolean {
  return JOINED_LETTER.test(before(text, at)) && JOINED_LETTER.test(after(text, at))
}

function isPicture(text: string, at: number): boolean {
  return PICTURE_END.test(before(text, at)) && PICTURE.test(after(text, at))
}

/** The character that ends at `at`. */
function before(text: string, at: number): string {
  const pair = text.slice(Math.max(0, at - 2), at)
  return pair.length === 2 && (pair.codePointAt(0) ?? 0) > 0xffff
    ? pair
    : text.slice(Math.max(0, at - 1), at)
}

/** The character behind the one at `at`. */
function after(text: string, at: number): string {
  return String.fromCodePoint(text.codePointAt(at + 1) ?? 0x20)
}
