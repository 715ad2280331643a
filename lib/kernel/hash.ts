import type * as NodeCrypto from 'node:crypto'
import { createRequire } from 'node:module'

/** The part of Bun's own hash that is used. */
interface BunHash {
  readonly CryptoHasher: new (name: 'sha256') => {
    update(text: string): { digest(form: 'hex' | 'base64url'): string }
  }
}

/** SHA-256 of a text in UTF-8. */
export function sha256(text: string, form: 'hex' | 'base64url'): string {
  const { Bun } = globalThis as { readonly Bun?: Partial<BunHash> }
  if (Bun?.CryptoHasher !== undefined)
    return new Bun.CryptoHasher('sha256').update(text).digest(form)
  // At the first use: an import would load it in Bun as well, which costs 5 ms and 4 MB before the first request.
  const { createHash } = createRequire(import.meta.url)('node:crypto') as typeof NodeCrypto
  return createHash('sha256').update(text).digest(form)
}

/** SHA-256 in hex digits: names things in files and logs without saying anything about them. */
export function sha256Hex(text: string): string {
  return sha256(text, 'hex')
}

/** A UUID that is always the same for a text: the backend takes it for one made of the time (version 7). */
export function uuidFrom(text: string): string {
  const hex = sha256Hex(text)
  const variant = ((Number.parseInt(hex.charAt(15), 16) % 4) + 8).toString(16)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7${hex.slice(12, 15)}-${variant}${hex.slice(16, 19)}-${hex.slice(19, 31)}`
}
