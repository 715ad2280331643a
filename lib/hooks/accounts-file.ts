import type NodeFs from 'node:fs'
import { createRequire } from 'node:module'

import {
  MAX_FOREIGN_BYTES,
  readBoundedFile,
  readBoundedFileSync,
} from '../kernel/files/bounded-file.js'

/** Whether the account file holds anybody; a file that cannot be read counts, so that the core can say what is wrong. */
export async function hasAccounts(file: string): Promise<boolean> {
  try {
    const text = await readBoundedFile(file, MAX_FOREIGN_BYTES)
    return text !== undefined && holdsAnybody(text)
  } catch {
    return true
  }
}

/** The same at once, for a list that is asked for synchronously; a file that cannot be read holds nothing to manage. */
export function hasAccountsNow(file: string): boolean {
  try {
    // Loading it costs Bun 5 ms, which no start needs to pay.
    const text = readBoundedFileSync(
      createRequire(import.meta.url)('node:fs') as typeof NodeFs,
      file,
      MAX_FOREIGN_BYTES,
    )
    return text !== undefined && holdsAnybody(text)
  } catch {
    return false
  }
}

/** @throws SyntaxError when the text is not JSON */
function holdsAnybody(text: string): boolean {
  const pool: unknown = JSON.parse(text)
  return hasKey(pool, 'accounts') && Array.isArray(pool.accounts) && pool.accounts.length > 0
}

/** Whether a parsed value is an object with this member. */
export function hasKey<Key extends string>(
  value: unknown,
  key: Key,
): value is Record<Key, unknown> {
  return typeof value === 'object' && value !== null && key in value
}
