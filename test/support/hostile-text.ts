import fc from 'fast-check'

/** What no terminal, reader or model may get out of somebody else's text: controls, direction, nothing-to-see, halves. */
export const UNSAFE =
  /[\x00-\x09\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e0fff}]|\p{Cs}/u

const PIECES = [
  '\u001b',
  '\u001b[31m',
  '\u001b[2J',
  '\u001b]0;title\u0007',
  '\u001b]52;c;ZXZpbA==\u0007',
  '\u001b]8;;https://evil.example\u001b\\',
  '\u001bP$q\u001b\\',
  '\u009b',
  '\u009b31m',
  '\u009d0;t\u009c',
  '\u0090',
  '\u009c',
  '\u0085',
  '\u0000',
  '\u0007',
  '\b',
  '\t',
  '\r',
  '\n',
  '\u007f',
  '\u202e',
  '\u202a',
  '\u202c',
  '\u2066',
  '\u2069',
  '\u200e',
  '\u200f',
  '\u061c',
  '\u200b',
  '\u200c',
  '\u200d',
  '\u2060',
  '\ufeff',
  '\u2028',
  '\u2029',
  '\ud800',
  '\udfff',
  '\u{e0001}',
  '\u{e0041}',
  '\u{e007f}',
  '\ufe0f',
  '\u{e0100}',
  '\u00ad',
  '\u180e',
  '\ufff9',
  '\u3164',
]

/** Texts made of what terminals obey, what readers do not see, and ordinary words. */
export const hostileText = fc
  .array(
    fc.oneof(
      fc.constantFrom(...PIECES),
      fc.constantFrom('a', 'Work', ' ', '👩', 'ש', '日', ']0;', '[31m', ';c;'),
      fc.string({ maxLength: 4 }),
    ),
    { maxLength: 14 },
  )
  .map((parts) => parts.join(''))
