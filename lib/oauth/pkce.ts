import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

/** Proof Key for Code Exchange, method S256 (RFC 7636). */
interface Pkce {
  readonly verifier: string
  readonly challenge: string
}

/** A new verifier (86 characters, as the Codex CLI makes them) and its challenge. */
export function createPkce(): Pkce {
  const verifier = randomBytes(64).toString('base64url')
  return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') }
}

/** A new value for `state`: 32 random bytes (RFC 6749 §10.12). */
export function createState(): string {
  return randomBytes(32).toString('base64url')
}

/** Compares without telling by its duration where two texts differ. */
export function isSameSecret(left: string, right: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(left), digest(right))
}
