import { CodexError } from '../../kernel/errors.js'
import type { AccountPool, StoredAccount } from '../account.js'

/** A key that seals the secrets of one account file, its journal entries and its backups. */
export interface DataKey {
  /** Short and public; stands in the file and names the item in the keychain. */
  readonly id: string
  readonly bytes: Buffer
  /**
   * True for a key of the earlier way, which bound a record to its `uid` alone: it still opens such records. Once a file was
   * written with it the key opens bound ones only (see `Vault.bind`), so that nobody can put an older record back.
   */
  readonly opensUnbound?: true
}

/** Top-level field that names the key of a sealed file; without it the file is plain. */
export const KEY_FIELD = 'sealedWith'
const KEY_BYTES = 32

/** A new random key. */
export function newDataKey(): DataKey {
  return { id: random(4).toString('hex'), bytes: random(KEY_BYTES) }
}

/** The secret as the keychain holds it. */
export function textOfKey(key: DataKey): string {
  return key.bytes.toString('base64url')
}

/** The key from what the keychain holds; undefined when that is not a key. Pure. */
export function keyFromText(id: string, text: string): DataKey | undefined {
  const bytes = Buffer.from(text.trim(), 'base64url')
  return bytes.length === KEY_BYTES ? { id, bytes } : undefined
}

function random(bytes: number): Buffer {
  return crypto.getRandomValues(Buffer.alloc(bytes))
}

/** The key that a pool, as parsed from its file, is sealed with; undefined for a plain one. Pure. */
export function keyIdOf(pool: AccountPool): string | undefined {
  const id = pool[KEY_FIELD]
  return typeof id === 'string' && /^[\w-]{1,40}$/.test(id) ? id : undefined
}

/** True for a record whose secrets are still sealed. */
export function isSealed(account: StoredAccount): boolean {
  return account.sealed !== undefined
}

/** A sealed file that no longer says so must not pass for a plain one without logins. */
export function missingKeyName(where: string): CodexError {
  return new CodexError(
    'store_unreadable',
    `The logins in ${where} are sealed, but its line "${KEY_FIELD}", which names their key in the OS keychain, is missing or invalid.`,
    {
      hint: 'Nothing was changed. Put the line back: {doctor --fix} looks for it in the sealed copies in the backups folder',
    },
  )
}
