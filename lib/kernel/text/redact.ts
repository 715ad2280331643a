/**
 * Redaction by key and by shape: what a log, a tool or an error may show. Lists of paths miss new fields, so every
 * string is looked at, and every key that names a secret hides its value whatever it looks like.
 *
 * Texts come from outside and may be made to hurt: every expression here starts at the beginning of a run only and cannot
 * look at a character more than a few times.
 */

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
const TOKEN_WORD = /[\w+/=-]+/g
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
    .replace(TOKEN_WORD, (word) => (isOpaque(word) ? HIDDEN : word))
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

/** In place of a secret. */
const HIDDEN = '[hidden]'

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
function hidePairs(text: string): string {
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

/** Ends of names that hold a secret, in any writing: `refreshToken`, `X-Api-Key`, `db_password`. */
const SECRET_ENDS = [
  'token',
  'secret',
  'password',
  'passwd',
  'passphrase',
  'authorization',
  'cookie',
  'credential',
  'apikey',
  'privatekey',
  'accesskey',
  'secretkey',
  'signingkey',
  'encryptionkey',
  'codeverifier',
  'bearer',
  'jwt',
]
/** Names that are a secret only when they are the whole name. */
const SECRET_NAMES = new Set(['auth', 'pwd', 'pass', 'pat', 'authtoken'])
/** The same in an object of ours or of the host, where no prose is in the way. */
const SECRET_MEMBERS = new Set(['key', 'access', 'refresh', 'code', 'state'])

/** Names that end like a secret but hold none. */
const HARMLESS_KEY =
  /^(?:(?:has(?!h)|max|input|output|cached|reasoning|total|used|reserved|prompt|completion).{0,40}token|expires.*|prompt_?cache_?key)$/i

/** Longest name that is looked at. */
const MAX_NAME = 200

/**
 * True for the name of a secret, singular or plural.
 * @param where `member` of an object, or a name in front of a value in a `text`
 */
function isSecretKey(key: string, where: 'member' | 'text'): boolean {
  if (key.length > MAX_NAME) return false
  const plain = key.toLowerCase().replace(/[-_.]/g, '')
  const name = plain.endsWith('s') && !plain.endsWith('pass') ? plain.slice(0, -1) : plain
  if (HARMLESS_KEY.test(name) || HARMLESS_KEY.test(key)) return false
  return (
    SECRET_NAMES.has(plain) ||
    (where === 'member' && SECRET_MEMBERS.has(plain)) ||
    SECRET_ENDS.some((end) => name.endsWith(end))
  )
}

/** True for a name that may also stand for a number of things: `tokens`, `cookies`. */
function isPlural(key: string): boolean {
  return /s$/i.test(key) && !/pass$/i.test(key)
}
