/**
 * Redaction by key and by shape: what a log, a tool or an error may show. Lists of paths miss new fields, so every
 * string is looked at, and every key that names a secret hides its value whatever it looks like.
 */

const SECRET_KEY = /^(?:.*(?:token|secret|password|passphrase|authorization|cookie|credential|api[-_]?key|private[-_]?key|code[-_]?verifier)|key|access|refresh|code|state|bearer)$/i

/** Keys that end like a secret but hold none. */
const HARMLESS_KEY = /^(?:(?:has|max|input|output|cached|reasoning|total|used|reserved).*tokens?|tokens?(?:rotatedat|available|count|type)?|expires.*|prompt_?cache_?key)$/i

/** Shapes of secrets inside text, most specific first. */
const SECRET_SHAPES: readonly RegExp[] = [
  // JSON Web Tokens, also unsigned ones.
  /\beyJ[\w-]{4,}\.[\w-]{4,}\.[\w-]*/g,
  // API keys and refresh tokens of OpenAI.
  /\b(?:sk|rt|sess|at|ak|oaistb)[-_][\w.-]{8,}/g,
  /\bBearer\s+[\w.~+/=-]{4,}/gi,
  // User name and password in a URL.
  /(?<=:\/\/)[^\s/?#"']+(?=@)/g,
  // OAuth parameters in URLs and form bodies.
  /\b(?:code|state|access_token|refresh_token|id_token|code_verifier|code_challenge|subject_token|client_secret|api_key)=[^&\s"'#]+/gi,
]

const EMAIL = /\b[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}\b/gi

const HIDDEN = '[hidden]'
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
    Object.entries(value).map(([key, inner]) => [key, isSecretKey(key) && !isEmpty(inner) ? HIDDEN : walk(inner, depth + 1)]),
  )
}

/** Hides every secret-shaped part of a text and masks e-mail addresses. */
export function redactText(text: string): string {
  let clean = text
  for (const shape of SECRET_SHAPES) {
    clean = clean.replace(shape, (match) => {
      const equals = /^[\w]+=/.exec(match)
      return equals ? `${equals[0]}${HIDDEN}` : HIDDEN
    })
  }
  return clean.replace(EMAIL, (match) => maskEmail(match))
}

/** A word with a long run of letters and digits, or a UUID: what an opaque token looks like. */
const OPAQUE = /(?<![\w+/=-])[\w+/=-]*?(?:(?=[A-Za-z]*\d)(?=\d*[A-Za-z])[A-Za-z0-9]{16,}|[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12})[\w+/=-]*/gi
/** Names that the backend gives to things, not secrets. */
const BACKEND_ID = /^(?:req|resp|call|msg|rs|fc|org|proj|user)_/

/**
 * A text that somebody else wrote, for the user's eyes: beside known shapes, every word that could be a token is hidden.
 * For a backend that repeats the credential it was sent.
 */
export function redactForeign(text: string): string {
  return redactText(text).replace(OPAQUE, (word) => (BACKEND_ID.test(word) ? word : HIDDEN))
}

function isSecretKey(key: string): boolean {
  return SECRET_KEY.test(key) && !HARMLESS_KEY.test(key)
}

function isEmpty(value: unknown): boolean {
  return value === null || value === undefined || value === '' || typeof value === 'boolean' || typeof value === 'number'
}

/** Replaces the middle of an e-mail address: `jane.doe@example.com` → `ja…@e….com`. Anything else is cut to `…`. */
export function maskEmail(email: string): string {
  const at = email.lastIndexOf('@')
  if (at < 1) return '…'
  const domain = email.slice(at + 1)
  const dot = domain.lastIndexOf('.')
  return `${email.slice(0, Math.min(2, at))}…@${domain.slice(0, 1)}…${dot > 0 ? domain.slice(dot) : ''}`
}
