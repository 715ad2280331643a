/**
 * Redaction by key and by shape: what a log, a tool or an error may show. Lists of paths miss new fields, so every
 * string is looked at, and every key that names a secret hides its value whatever it looks like.
 *
 * Texts come from outside and may be made to hurt: every expression here starts at the beginning of a run only and cannot
 * look at a character more than a few times.
 */
import { HIDDEN, hidePairs } from './redact-pairs.js'
import { isPlural, isSecretKey } from './secret-keys.js'

/** Shapes of secrets inside text, most specific first. */
const SECRET_SHAPES: readonly RegExp[] = [
  // JSON Web Tokens, also unsigned ones.
  /(?<![\w-])eyJ[\w-]{4,}\.[\w-]{4,}\.[\w-]*/g,
  // API keys and refresh tokens of OpenAI.
  /\b(?:sk|rt|sess|at|ak|oaistb)[-_][\w.-]{8,}/g,
  // GitHub, GitLab, npm, Slack, AWS, Google, Hugging Face.
  /\b(?:gh[opusr]_[A-Za-z0-9]{16,}|github_pat_\w{16,}|glpat-[\w-]{16,}|npm_[A-Za-z0-9]{30,}|xox[a-z]-[\w-]{8,}|(?:AKIA|ASIA)[A-Z0-9]{16}|AIza[\w-]{30,}|hf_[A-Za-z0-9]{24,})/g,
  /\bBearer\s+[\w.~+/=-]{4,}/gi,
  // User name and password in a URL.
  /(?<=:\/\/)[^\s/?#"']+(?=@)/g,
]

const EMAIL = /(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}\b/gi

const MAX_DEPTH = 12

/**
 * A copy of `value` without secrets: strings are cleaned by shape, values under secret keys are hidden, e-mail
 * addresses are masked. Cycles and deep nesting end in `…`.
 */
export function redact<T>(value: T): T
export function redact(value: unknown): unknown {
  return walk(value, 0)
}

function walk(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return redactText(value)
  if (typeof value !== 'object' || value === null) return value
  if (depth >= MAX_DEPTH) return '…'
  if (Array.isArray(value)) return value.map((item) => walk(item, depth + 1))
  if (value instanceof Error) return { name: value.name, message: redactText(value.message) }
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      isSecretKey(key, 'member') ? hidden(inner, isPlural(key), depth + 1) : walk(inner, depth + 1),
    ]),
  )
}

/** What stands under the name of a secret. Numbers and flags about secrets are none; a plural may be a count by kinds. */
function hidden(value: unknown, isMany: boolean, depth: number): unknown {
  if (
    value === null ||
    value === undefined ||
    value === '' ||
    typeof value === 'boolean' ||
    typeof value === 'number'
  )
    return value
  if (!isMany || typeof value === 'string') return HIDDEN
  return Array.isArray(value)
    ? value.map((item) => (typeof item === 'string' ? HIDDEN : walk(item, depth)))
    : walk(value, depth)
}

/** Hides every secret-shaped part of a text and masks e-mail addresses. Takes a time that grows with the text alone. */
export function redactText(text: string): string {
  let clean = hidePairs(withoutKeyBlocks(text))
  for (const shape of SECRET_SHAPES) clean = clean.replace(shape, HIDDEN)
  return clean.replace(EMAIL, (match) => maskEmail(match))
}

const BLOCK_START = '-----BEGIN '
const BLOCK_END = '-----END '

/** A block of PEM goes as a whole; one without an end goes with all that follows. Certificates are public and stay. */
function withoutKeyBlocks(text: string): string {
  let clean = ''
  let from = 0
  for (let start = text.indexOf(BLOCK_START); start >= 0; start = text.indexOf(BLOCK_START, from)) {
    const end = text.indexOf(BLOCK_END, start)
    const close = end < 0 ? -1 : text.indexOf('-----', end + BLOCK_END.length)
    const through = close < 0 ? text.length : close + 5
    const isPublic = /^-----BEGIN (?:CERTIFICATE|PUBLIC KEY)/.test(text.slice(start, start + 32))
    clean += text.slice(from, start) + (isPublic ? text.slice(start, through) : HIDDEN)
    from = through
  }
  return from === 0 ? text : clean + text.slice(from)
}

/** Runs of what tokens are made of. */
const WORD = /[\w+/=-]+/g
const RUN = /[A-Za-z0-9]{16,}/g
const UUID = /[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}/i
/** Names that the backend gives to things, not secrets. */
const BACKEND_ID = /^(?:req|resp|call|msg|rs|fc|org|proj|user)_/

/** A word with a long run of letters and digits, or a UUID: what an opaque token looks like. */
function isOpaque(word: string): boolean {
  if (word.length < 16 || BACKEND_ID.test(word)) return false
  return (
    UUID.test(word) || (word.match(RUN) ?? []).some((run) => /\d/.test(run) && /[A-Za-z]/.test(run))
  )
}

/** Much more than is ever shown of somebody else's sentence; the rest is not even looked at. */
const MAX_FOREIGN = 8 * 1024

/**
 * A text that somebody else wrote, for the user's eyes: beside known shapes, every word that could be a token is hidden.
 * For a backend that repeats the credential it was sent. The text is cut first, at the end of a word, so that half a token
 * is never left over.
 * @param maxChars longest result
 */
export function redactForeign(text: string, maxChars = MAX_FOREIGN): string {
  return redactText(wholeWords(text, MAX_FOREIGN))
    .replace(WORD, (word) => (isOpaque(word) ? HIDDEN : word))
    .slice(0, maxChars)
}

/** The start of a text up to where its last word before `max` begins; nothing of a single word that is longer. */
function wholeWords(text: string, max: number): string {
  if (text.length <= max) return text
  let end = max
  while (end > 0 && /[\w+/=.~@%-]/.test(text.charAt(end - 1))) end -= 1
  return `${text.slice(0, end)}…`
}

/** Replaces the middle of an e-mail address: `jane.doe@example.com` → `ja…@e….com`. Anything else is cut to `…`. */
export function maskEmail(email: string): string {
  const at = email.lastIndexOf('@')
  if (at < 1) return '…'
  const domain = email.slice(at + 1)
  const dot = domain.lastIndexOf('.')
  return `${email.slice(0, Math.min(2, at))}…@${domain.slice(0, 1)}…${dot > 0 ? domain.slice(dot) : ''}`
}
