import { plainText } from '../../kernel/text/plain-text.js'

/**
 * Texts for the host. OpenCode decides by words and digits in a message whether to send the turn again, whatever the
 * status says, and some words make it compact the session instead of showing the error. What we say
 * is therefore said in other words.
 */

/** What makes OpenCode 1.18 repeat a turn: tested on the message and on the raw body. Read from its bundle. */
export const HOST_RETRY_PATTERNS: readonly RegExp[] = [
  /429|500|502|503|504|524/i,
  /rate increased too quickly|rate limit|rate-limit|rate_limit|too many requests/i,
  /overloaded|service unavailable|service_unavailable|service-unavailable|internal error|internal_error|internal server error|server error|server_error|server-error|provider returned error|provider_returned_error|provider-returned-error/i,
  /terminated|fetch failed|failed to fetch|network[-_\s]error|upstream connect|connection error|connection refused|connection lost|socket connection was closed|socket hang up|reset before headers|getaddrinfo|enotfound|eai_again|econnrefused|econnreset|etimedout/i,
  /^timeout$|\b(?:request|response|connection|network|stream|read) (?:timeout|timed out|time out)\b/i,
  /try your request again|retry your request|resource exhausted|resource_exhausted/i,
  /\btry again (?:later|in\b)|\b(?:currently|temporarily) at capacity\b/i,
  // Thrown errors only, and case-insensitive there too.
  /too_many_requests|exhausted|unavailable/i,
]

/** What makes OpenCode 1.18 compact the session: tested on the message. Read from its bundle. */
const HOST_OVERFLOW_PATTERNS: readonly RegExp[] = [
  /prompt is too long|request_too_large|input is too long for requested model|exceeds the context window/i,
  /exceeds (?:the )?(?:model'?s )?maximum context length(?: of [\d,]+ tokens?|\s*\([\d,]+\))/i,
  /input token count.*exceeds the maximum|tokens in request more than max tokens allowed/i,
  /maximum prompt length is \d+|reduce the length of the messages|maximum context length is \d+ tokens/i,
  /exceeds (?:the )?maximum allowed input length of [\d,]+ tokens?/i,
  /input \(\d+ tokens\) is longer than the model'?s context length \(\d+ tokens\)/i,
  /exceeds the limit of \d+|exceeds the available context size|greater than the context length/i,
  /context window exceeds limit|exceeded model token limit|context[_ ]length[_ ]exceeded|request entity too large/i,
  /context length is only \d+ tokens|input length.*exceeds.*context length/i,
  /prompt too long; exceeded (?:max )?context length|too large for model with \d+ maximum context length/i,
  /prompt has [\d,]+ tokens?, but the configured context size is [\d,]+ tokens?/i,
  /model_context_window_exceeded|too many tokens|token limit exceeded/i,
  /^4(00|13)\s*(status code)?\s*\(no body\)/i,
]

/** Longest text shown to a user, in characters. */
const MAX_TEXT = 600
/** What lies behind this cannot be shown any more, whatever is left out before it, in characters. */
const MAX_RAW = 16 * 1024
/** More of a foreign text is not looked at: what cleans texts must not be given megabytes, in characters. */
const MAX_FOREIGN = 1000

/** What a token is made of. A half one is no longer known as one, so it goes as a whole. */
const TOKEN_CHAR = /[\w.~+/=-]/

/** The statuses the host looks for, in words. */
const STATUS_WORDS: Readonly<Record<string, string>> = {
  '429': '"slow down"',
  '500': '"internal fault"',
  '502': '"bad gateway"',
  '503': '"out of service"',
  '504': '"gateway too slow"',
  '524': '"gateway too slow"',
}

/** The same facts in words the host does not act on; the longer phrase first. */
const REWORDED: readonly (readonly [RegExp, string])[] = [
  [/rate increased too quickly/gi, 'requests came too fast'],
  [/\brate([-_ ])limit/gi, 'request$1limit'],
  [/rate([-_ ])limit/gi, 'request$1limit'],
  [/too_many_requests/gi, 'request_limit'],
  [/too many requests/gi, 'more requests than allowed'],
  [/overloaded/gi, 'over capacity'],
  [/service([-_ ])unavailable/gi, 'service$1out$1of$1reach'],
  [/unavailable/gi, 'out of reach'],
  [/internal server error/gi, 'internal fault'],
  [/(internal|server)([-_ ])error/gi, '$1$2fault'],
  [/provider([-_ ])returned([-_ ])error/gi, 'provider$1sent$2a$2fault'],
  [/terminated/gi, 'cut off'],
  [/fetch failed|failed to fetch/gi, 'request did not get through'],
  [/network([-_\s])error/gi, 'network$1fault'],
  [/upstream connect/gi, 'upstream link'],
  [/connection error/gi, 'connection fault'],
  [/connection refused/gi, 'connection not accepted'],
  [/connection lost/gi, 'connection broke'],
  [/socket connection was closed/gi, 'socket was closed'],
  [/socket hang up/gi, 'socket was closed early'],
  [/reset before headers/gi, 'reset ahead of the headers'],
  [/getaddrinfo/gi, 'name lookup'],
  [/enotfound/gi, 'name not found'],
  [/eai_again/gi, 'name lookup not answered'],
  [/econnrefused/gi, 'connection not accepted'],
  [/econnreset/gi, 'connection was reset'],
  [/etimedout/gi, 'no answer in time'],
  [/\btimed out\b/gi, 'took too long'],
  [/\btime-?\s?out\b/gi, 'time limit'],
  [/(?:try|retry) your request(?: again)?/gi, 'send the prompt again'],
  [/exhausted/gi, 'used up'],
  [/\btry again later/gi, 'repeat it after a while'],
  [/\btry again in\b/gi, 'repeat it after'],
  [/\b(currently|temporarily) at capacity\b/gi, 'full at the moment'],
]

/** The facts of an overflow in words the host does not act on. */
const REWORDED_OVERFLOW: readonly (readonly [RegExp, string])[] = [
  [/prompt is too long|prompt too long/gi, 'prompt has too much text'],
  [/input is too long/gi, 'input has too much text'],
  [/(context|model_context)([_ ])(length|window)([_ ])exceeded/gi, 'context$2too$2small'],
  [/too many tokens/gi, 'more tokens than allowed'],
  [/token limit exceeded|exceeded model token limit/gi, 'more tokens than allowed'],
  [/\bexceeds\b/gi, 'is over'],
  [/greater than the context length/gi, 'over the context length'],
  [/request_too_large|request entity too large/gi, 'request over the size limit'],
]

/**
 * The text in words that neither make the host repeat the turn nor compact the session, on one line and at most 600
 * characters long. Texts of our own pass unchanged.
 * @param options.overflow true lets words through that make the host compact: for errors that mean just that
 */
export function hostSafeText(text: string, options: { overflow?: boolean } = {}): string {
  const patterns =
    options.overflow === true
      ? HOST_RETRY_PATTERNS
      : [...HOST_RETRY_PATTERNS, ...HOST_OVERFLOW_PATTERNS]
  let safe = oneLine(text)
  if (!matchesAny(safe, patterns)) return safe
  safe = wordsForStatuses(safe)
  for (const [phrase, words] of REWORDED) safe = safe.replace(phrase, words)
  if (options.overflow !== true) {
    for (const [phrase, words] of REWORDED_OVERFLOW) safe = safe.replace(phrase, words)
  }
  safe = cut(spaceDigitGroups(safe))
  return breakUpMatches(safe, patterns)
}

/** True when the host would act on the text instead of showing it. */
export function isHostSafe(text: string): boolean {
  return !matchesAny(text, HOST_RETRY_PATTERNS) && !matchesAny(text, HOST_OVERFLOW_PATTERNS)
}

/**
 * A terminal shows it: commands to it, marks of direction and what nobody sees go. So do control characters and lone
 * surrogates, which escaped in JSON turn into digits (`\u0005` + `00`).
 */
function oneLine(text: string): string {
  return cut(plainText(text.slice(0, MAX_RAW)).replace(/ {2,}/g, ' ').trim())
}

/** The start of a foreign text, to be cleaned afterwards. A word that was cut is left out. */
export function cutText(text: string): string {
  let end = text.length <= MAX_FOREIGN ? 0 : MAX_FOREIGN
  while (end > 0 && TOKEN_CHAR.test(text.charAt(end - 1))) end -= 1
  return text.length <= MAX_FOREIGN ? text : endedAt(text, end)
}

function cut(text: string): string {
  return text.length <= MAX_TEXT ? text : endedAt(text, MAX_TEXT - 1)
}

/** Never between the halves of a character. */
function endedAt(text: string, end: number): string {
  return `${text.slice(0, end).replace(/[\uD800-\uDBFF]$/, '')}…`
}

function wordsForStatuses(text: string): string {
  return text
    .replace(
      /\b((?:HTTP|status)(?: code| error)?)[ :=]*(429|500|502|503|504|524)\b/gi,
      (_, name: string, status: string) => `${name} ${STATUS_WORDS[status] ?? ''}`,
    )
    .replace(
      /(?<![\w.,:-])(429|500|502|503|504|524)(?= [A-Z(])/g,
      (status) => STATUS_WORDS[status] ?? status,
    )
}

/** Digit groups inside numbers and ids are set apart by a thin space: still legible, no longer a status. */
function spaceDigitGroups(text: string): string {
  return text.replace(/4(?=29)|5(?=0[0234]|24)/g, '$&\u2009')
}

/**
 * The last resort for what no rule above foresees: a dot inside the word. Each pass separates two characters for good,
 * so it ends.
 */
function breakUpMatches(text: string, patterns: readonly RegExp[]): string {
  let safe = text
  while (matchesAny(safe, patterns)) {
    for (const pattern of patterns)
      safe = safe.replace(pattern, (match) => `${match.slice(0, 1)}·${match.slice(1)}`)
  }
  return safe
}

function matchesAny(text: string, patterns: readonly RegExp[]): boolean {
  return patterns.some((pattern) => pattern.test(text))
}
