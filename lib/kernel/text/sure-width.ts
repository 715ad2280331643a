/**
 * How wide a text is on a screen. Terminals, multiplexers and the host each have a table of widths, and disagree on what is
 * made of several characters, on newer emoji and on signs that are letters to one and pictures to another. A row with one
 * of them would shift, so what is drawn in columns holds none (`sureText`), and the width of a text is that of what is drawn.
 * Measured in tmux 3.3a and both tables of the host (docs/development/facts/opencode-host.md#tui-plugins).
 */

/** Most texts are this: one column for each character everywhere. */
const EASY = /^[\x20-\x7e·–—‘’“”•…‹›→↑↓░█▏▶▼]*$/

/** What has a plain form of a sure width: halfwidth kana with a voice mark, Thai and Lao AM, doubled signs, numbers in squares. */
const COMPATIBLE = /[\uff66-\uff9d][\uff9e\uff9f]|[\u0e33\u0eb3\u203c\u2049\u3248-\u324f]/gu
/** Alone these are a column of their own to some and part of the letter before to others. */
const VOICE_MARK = /[\uff9e\uff9f]/gu
const KEYCAP = /([0-9#*])\u20e3+/gu
const FLAG_LETTER = /[\u{1f1e6}-\u{1f1ff}]/gu
const FIRST_FLAG_LETTER = 0x1f1e6
const HEART = /\u2764/gu
/** A picture with its colour of skin, and the pictures that are joined to it. */
const PICTURES =
  /(\p{Extended_Pictographic})(?:\u200d*\p{Emoji_Modifier}|\u200d+\p{Extended_Pictographic})+/gu
const JOINER = /\u200d/gu
/** All else that is drawn as nothing, but what parts letters of Arabic. */
const NOTHING =
  /(?<![\p{Script=Arabic}\p{Script=Syriac}])\u200c|(?![\u200c\u200d])[\p{Cf}\p{Default_Ignorable_Code_Point}]/gu
/** Marks that have a column of their own in some tables, and those that make one cluster of two letters in some. */
const SPACING =
  /[\p{Mc}\u094d\u09cd\u0a4d\u0acd\u0b4d\u0bcd\u0c4d\u0ccd\u0d3b\u0d3c\u0d4d\u0dca\u1039\u103a\u17d2\u1a60\u1b44\u1baa\u1bab\ua806\ua8c4\ua953\ua9c0\uaaf6\uabed]/gu
const LOOSE_MARKS = /^[\p{Mn}\p{Me}\u200c]+/u
/** More of them than any script has would run over the rows around. */
const TOO_MANY_MARKS = /([\p{Mn}\p{Me}]{3})[\p{Mn}\p{Me}]+/gu
/** One column here, two there: symbols that are no emoji, letters that stand for parts of a syllable, and the emoji since Unicode 15. */
const UNSURE =
  /[\u1100-\u11ff\u2622\u2623\u2630-\u2637\u268a-\u268f\u269b\u26d1\u2760-\u2767\u2ffc-\u2fff\u31e4\u31e5\u31ef\ua960-\ua97c\ud7b0-\ud7fb\u{1d300}-\u{1d376}\u{1f000}-\u{1f003}\u{1f005}-\u{1f0ce}\u{1f0d0}-\u{1f0ff}\u{1f53e}-\u{1f54a}\u{1f54f}\u{1f568}-\u{1f579}\u{1f57b}-\u{1f594}\u{1f597}-\u{1f5a3}\u{1f5a5}-\u{1f5fa}\u{1f650}-\u{1f67f}\u{1f6d8}-\u{1f6dc}\u{1f700}-\u{1f7df}\u{1f800}-\u{1f8ff}\u{1fa00}-\u{1fa6f}\u{1fa75}-\u{1fa77}\u{1fa87}-\u{1fa8f}\u{1faad}-\u{1faaf}\u{1fabb}-\u{1fabf}\u{1fac6}-\u{1facf}\u{1fada}-\u{1fadf}\u{1fae8}-\u{1faef}\u{1faf7}-\u{1faff}]/gu
const STAND_IN = '□'

const NO_COLUMN = /[\p{Mn}\p{Me}\p{Cf}]/gu
const TWO_COLUMNS =
  /[\u2329\u232a\u2e80-\u3029\u3030-\u303e\u3041-\u3096\u309b-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18dff}\u{1aff0}-\u{1b2ff}\u{1f200}-\u{1f265}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/gu
const PAIR = /[\u{10000}-\u{10ffff}]/gu

/**
 * A text of which every terminal draws each character as wide as the next one: a joined picture is its first one, a flag the
 * letters of its country, and what has no such form a square. For what is drawn in columns, wherever that is read or copied to;
 * what is stored, exported or printed as JSON stays whole. Pure; applied twice it changes nothing more.
 */
export function sureText(text: string): string {
  if (EASY.test(text)) return text
  return text
    .normalize('NFC')
    .replace(NOTHING, '')
    .replace(SPACING, '')
    .replace(PICTURES, '$1')
    .replace(JOINER, '')
    .replace(COMPATIBLE, (found) => found.normalize('NFKC'))
    .replace(VOICE_MARK, (mark) => (mark === '\uff9e' ? '\u309b' : '\u309c'))
    .replace(FLAG_LETTER, countryLetter)
    .replace(HEART, '♥')
    .replace(KEYCAP, '$1')
    .replace(LOOSE_MARKS, '')
    .replace(UNSURE, STAND_IN)
    .normalize('NFC')
    .replace(TOO_MANY_MARKS, '$1')
}

/** The same of a text that may name a file, and then stays whole: another form of it is another file. Pure. */
export function sureUnlessPath(text: string): string {
  return /[\\/]/.test(text) ? text : sureText(text)
}

/** Columns that a text takes once it is drawn. */
export function displayWidth(text: string): number {
  if (EASY.test(text)) return text.length
  const sure = sureText(text)
  return sure.length - count(sure, PAIR) - count(sure, NO_COLUMN) + count(sure, TWO_COLUMNS)
}

function countryLetter(sign: string): string {
  return String.fromCharCode(65 + (sign.codePointAt(0) ?? 0) - FIRST_FLAG_LETTER)
}

function count(text: string, what: RegExp): number {
  return text.match(what)?.length ?? 0
}
