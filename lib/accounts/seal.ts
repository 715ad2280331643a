import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import * as z from 'zod'

import { CodexError } from '../kernel/errors.js'
import type { Account, AccountPool } from './account.js'
import { UNREADABLE_KEY } from './pool-format.js'

/** A key that seals the secrets of one account file, its journal entries and its backups. */
export interface DataKey {
  /** Short and public; stands in the file and names the item in the keychain. */
  readonly id: string
  readonly bytes: Buffer
}

/** Top-level field that names the key of a sealed file; without it the file is plain. */
const KEY_FIELD = 'sealedWith'
/** Fields of a record that whoever has them can use the account with. */
const SECRET_FIELDS = ['refreshToken', 'accessToken', 'apiKey'] as const
const KEY_BYTES = 32
const IV_BYTES = 12
const TAG_BYTES = 16
const FORMAT = /^v1\.([\w-]{16})\.([\w-]{22,})$/

const secretsSchema = z.object({ refreshToken: z.string().optional(), accessToken: z.string().optional(), apiKey: z.string().optional() })
const sealedRecordSchema = z.looseObject({ uid: z.string(), sealed: z.string() })

/** A new random key. */
export function newDataKey(): DataKey {
  return { id: randomBytes(4).toString('hex'), bytes: randomBytes(KEY_BYTES) }
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

/**
 * Seals a text: AES-256-GCM with a fresh nonce, as `v1.<nonce>.<tag and ciphertext>` in base64url.
 * @param place what the text belongs to; it opens nowhere else
 */
export function sealText(key: DataKey, place: string, text: string): string {
  const iv = randomBytes(IV_BYTES)
  const cipher = createCipheriv('aes-256-gcm', key.bytes, iv, { authTagLength: TAG_BYTES })
  cipher.setAAD(Buffer.from(placeOf(key, place)))
  const data = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
  return `v1.${iv.toString('base64url')}.${Buffer.concat([cipher.getAuthTag(), data]).toString('base64url')}`
}

/** Opens a sealed text; undefined when it was changed, belongs elsewhere, or has another key. Pure. */
export function openText(key: DataKey, place: string, sealed: string): string | undefined {
  const [, iv, body] = FORMAT.exec(sealed) ?? []
  if (iv === undefined || body === undefined) return undefined
  const bytes = Buffer.from(body, 'base64url')
  // Base64 has spare bits at its end; a text that was changed there is refused too.
  if (bytes.length < TAG_BYTES || bytes.toString('base64url') !== body) return undefined
  try {
    const decipher = createDecipheriv('aes-256-gcm', key.bytes, Buffer.from(iv, 'base64url'), { authTagLength: TAG_BYTES })
    decipher.setAAD(Buffer.from(placeOf(key, place)))
    decipher.setAuthTag(bytes.subarray(0, TAG_BYTES))
    return decipher.update(bytes.subarray(TAG_BYTES), undefined, 'utf8') + decipher.final('utf8')
  } catch {
    return undefined
  }
}

/** The key that a pool, as parsed from its file, is sealed with; undefined for a plain one. Pure. */
export function keyIdOf(pool: AccountPool): string | undefined {
  const id = pool[KEY_FIELD]
  return typeof id === 'string' && /^[\w-]{1,40}$/.test(id) ? id : undefined
}

/** The pool as a sealed file holds it: metadata readable, secrets not. Records that are sealed already stay. Pure but for the nonces. */
export function sealedPool(pool: AccountPool, key: DataKey): AccountPool {
  const accounts = pool.accounts.map((account) => sealedRecord(account, key))
  const unreadable = pool[UNREADABLE_KEY]
  const others = Array.isArray(unreadable) ? { [UNREADABLE_KEY]: unreadable.map((record: unknown) => sealText(key, UNREADABLE_KEY, JSON.stringify(record))) } : {}
  return { ...pool, ...others, accounts, [KEY_FIELD]: key.id }
}

/**
 * The pool with its secrets in the clear, as the program uses it. Pure.
 * @throws CodexError `store_unreadable` when a record does not open: it was changed, or moved from another record
 */
export function openedPool(pool: AccountPool, key: DataKey, where: string): AccountPool {
  const { [KEY_FIELD]: _key, ...rest } = pool
  const accounts = pool.accounts.map((account) => openedRecord(account, key, where))
  const unreadable = pool[UNREADABLE_KEY]
  const others = Array.isArray(unreadable) ? { [UNREADABLE_KEY]: unreadable.map((record: unknown) => openedOther(record, key, where)) } : {}
  return { ...rest, ...others, version: pool.version, activeIndex: pool.activeIndex, accounts }
}

function sealedRecord(account: Account, key: DataKey): Account {
  const secrets = Object.fromEntries(SECRET_FIELDS.filter((field) => account[field] !== undefined).map((field) => [field, account[field]]))
  if (Object.keys(secrets).length === 0) return account
  const { refreshToken: _refresh, accessToken: _access, apiKey: _key, ...metadata } = account
  return { ...metadata, sealed: sealText(key, account.uid, JSON.stringify(secrets)) }
}

function openedRecord(account: Account, key: DataKey, where: string): Account {
  const { sealed, ...metadata } = account
  return sealed === undefined ? account : { ...(metadata as Account), ...secretsIn(sealed, account.uid, key, where) }
}

function secretsIn(sealed: string, uid: string, key: DataKey, where: string): z.infer<typeof secretsSchema> {
  const text = openText(key, uid, sealed)
  if (text === undefined) throw damaged(where)
  return secretsSchema.parse(JSON.parse(text))
}

/** A record of another form: sealed whole, or one whose metadata somebody damaged by hand. */
function openedOther(record: unknown, key: DataKey, where: string): unknown {
  if (typeof record === 'string' && FORMAT.test(record)) {
    const text = openText(key, UNREADABLE_KEY, record)
    if (text === undefined) throw damaged(where)
    return JSON.parse(text)
  }
  const known = sealedRecordSchema.safeParse(record)
  if (!known.success) return record
  const { sealed, ...metadata } = known.data
  return { ...metadata, ...secretsIn(sealed, metadata.uid, key, where) }
}

function placeOf(key: DataKey, place: string): string {
  return JSON.stringify([place, key.id])
}

function damaged(where: string): CodexError {
  return new CodexError('store_unreadable', `A sealed record in ${where} cannot be opened with its key: the file was changed by something else.`, { hint: 'Nothing was changed. Restore a backup with codex-import, or sign in again: opencode auth login' })
}
