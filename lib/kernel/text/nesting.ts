/** No text that we read has a reason to nest deeper. Parsers that call themselves overflow the stack some thousands further down. */
export const MAX_NESTING = 200

const QUOTE = 0x22
const BACKSLASH = 0x5c
const SLASH = 0x2f
const STAR = 0x2a
const LINE_FEED = 0x0a
const CARRIAGE_RETURN = 0x0d

/**
 * True when lists and objects of a JSON or JSONC text lie more than `max` deep in each other. To be asked before a parser
 * is: a text of 20,000 opening brackets ends some of them with a full stack and others with gigabytes. Linear, pure.
 */
export function isNestedTooDeep(text: string, max = MAX_NESTING): boolean {
  let depth = 0
  for (let at = 0; at < text.length; at += 1) {
    switch (text.charCodeAt(at)) {
      case QUOTE:
        at = endOfString(text, at)
        break
      case SLASH:
        at = endOfComment(text, at)
        break
      case 0x5b:
      case 0x7b:
        depth += 1
        if (depth > max) return true
        break
      case 0x5d:
      case 0x7d:
        depth -= 1
        break
      default:
    }
  }
  return false
}

/** Position of the closing quote; a line end closes a broken string as it does for a parser of JSONC. */
function endOfString(text: string, open: number): number {
  let at = open + 1
  for (; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code === BACKSLASH) at += 1
    else if (code === QUOTE || code === LINE_FEED || code === CARRIAGE_RETURN) return at
  }
  return at
}

function endOfComment(text: string, slash: number): number {
  const next = text.charCodeAt(slash + 1)
  if (next === SLASH) {
    for (let at = slash + 2; at < text.length; at += 1)
      if (text.charCodeAt(at) === LINE_FEED || text.charCodeAt(at) === CARRIAGE_RETURN) return at
    return text.length
  }
  if (next !== STAR) return slash
  const end = text.indexOf('*/', slash + 2)
  return end < 0 ? text.length : end + 1
}
