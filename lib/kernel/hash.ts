import { createHash } from 'node:crypto'

/** SHA-256 in hex digits: names things in files and logs without saying anything about them. */
export function sha256Hex(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** A UUID that is always the same for a text: the backend takes it for one made of the time (version 7). */
export function uuidFrom(text: string): string {
  const hex = sha256Hex(text)
  const variant = ((Number.parseInt(hex.charAt(15), 16) % 4) + 8).toString(16)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7${hex.slice(12, 15)}-${variant}${hex.slice(16, 19)}-${hex.slice(19, 31)}`
}
