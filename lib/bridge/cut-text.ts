/** Nobody reads more of a message, and what cleans texts must not be given megabytes, characters. */
const MAX_CHARS = 1000

/** What a token is made of. A half one is no longer known as one, so it goes as a whole. */
const TOKEN_CHAR = /[\w.~+/=-]/

/** The start of a text that somebody else wrote, to be cleaned afterwards. A word that was cut is left out. */
export function cutText(text: string): string {
  if (text.length <= MAX_CHARS) return text
  let end = MAX_CHARS
  while (end > 0 && TOKEN_CHAR.test(text.charAt(end - 1))) end -= 1
  return `${text.slice(0, end).replace(/[\uD800-\uDBFF]$/, '')}…`
}
