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
export function isSecretKey(key: string, where: 'member' | 'text'): boolean {
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
export function isPlural(key: string): boolean {
  return /s$/i.test(key) && !/pass$/i.test(key)
}
