import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import * as s from '../../kernel/shape.js'

import { isRecord, parsedJson } from '../../kernel/text/json.js'
import {
  type Account,
  type AccountPool,
  type StoredAccount,
  storedAccountSchema,
} from '../account.js'
import { formatPool } from '../store/pool-format.js'
import { UNREADABLE_KEY } from '../store/unreadable.js'
import { type DataKey, isSealed, KEY_FIELD } from './data-key.js'

const IV_BYTES = 12
const TAG_BYTES = 16
const FORMAT = /^v1\.([\w-]{16})\.([\w-]{22,})$/

/** Fields of a record that whoever has them can use the account with, and the values that nobody could read. */
const secretsSchema = s.object({
  refreshToken: s.string().optional(),
  accessToken: s.string().optional(),
  apiKey: s.string().optional(),
  unreadFields: s.unknown().optional(),
})
type Secrets = s.Infer<typeof secretsSchema>
/** What a secret is bound to beside its record: where it may be sent. Changed, it opens no more. */
type Binding = Pick<StoredAccount, 'uid' | 'kind' | 'baseUrl'>
const sealedRecordSchema = s.looseObject({ uid: s.string(), sealed: s.string() })
/** Values of another form are as if they were not there. */
const bindingSchema = s.object({
  uid: storedAccountSchema.fields.uid,
  kind: storedAccountSchema.fields.kind,
  baseUrl: s.string().optional().catch(undefined),
})

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
    const decipher = createDecipheriv('aes-256-gcm', key.bytes, Buffer.from(iv, 'base64url'), {
      authTagLength: TAG_BYTES,
    })
    decipher.setAAD(Buffer.from(placeOf(key, place)))
    decipher.setAuthTag(bytes.subarray(0, TAG_BYTES))
    return decipher.update(bytes.subarray(TAG_BYTES), undefined, 'utf8') + decipher.final('utf8')
  } catch {
    return undefined
  }
}

/** The pool as a sealed file holds it: metadata readable, secrets not. Records that are sealed already stay. Pure but for the nonces. */
export function sealPool(pool: AccountPool, key: DataKey): AccountPool {
  const accounts = pool.accounts.map((account) => sealRecord(account, key))
  const sealed = withUnreadable(pool, (record) =>
    isSealedText(record) ? record : sealText(key, UNREADABLE_KEY, JSON.stringify(record)),
  )
  return { ...sealed, accounts, [KEY_FIELD]: key.id }
}

function withUnreadable(pool: AccountPool, change: (record: unknown) => unknown): AccountPool {
  const records = pool[UNREADABLE_KEY]
  return Array.isArray(records) ? { ...pool, [UNREADABLE_KEY]: records.map(change) } : pool
}

function isSealedText(record: unknown): record is string {
  return typeof record === 'string' && FORMAT.test(record)
}

/** Reason of an account whose sealed secrets do not open. It is never stored: a record that is mended opens again. */
const DOES_NOT_OPEN =
  'its sealed login does not open: the record was changed by something else. Import a backup with {import}, or sign in again'

/**
 * The pool with its secrets in the clear, as the program uses it. A record that was changed, or moved from another one, stays
 * sealed and cannot serve; it never takes the others along. Pure.
 */
export function unsealPool(pool: AccountPool, key: DataKey): AccountPool {
  const { [KEY_FIELD]: _key, ...rest } = withUnreadable(pool, (record) =>
    unsealUnreadable(record, key),
  )
  const accounts = pool.accounts.map((account) => unsealRecord(account, key))
  return { ...rest, version: pool.version, activeIndex: pool.activeIndex, accounts }
}

/** The file as it lies on the disk, with the name of its key put back. Pure. */
export function withKeyName(pool: AccountPool, id: string): AccountPool {
  return { ...pool, [KEY_FIELD]: id }
}

function sealRecord(account: Account, key: DataKey): Account {
  const isSecret = (field: string): boolean => Object.hasOwn(secretsSchema.fields, field)
  const { needsLogin, ...unmarked } = account
  const mark = needsLogin === undefined || needsLogin.reason === DOES_NOT_OPEN ? {} : { needsLogin }
  const fields = Object.entries(unmarked).filter(([, value]) => value !== undefined)
  const secrets = Object.fromEntries(fields.filter(([field]) => isSecret(field)))
  if (!Object.values(secrets).some((secret) => typeof secret === 'string'))
    return isSealed(account) ? { ...unmarked, ...mark } : account
  const metadata = Object.fromEntries(fields.filter(([field]) => !isSecret(field)))
  return {
    ...(metadata as Account),
    ...mark,
    sealed: sealText(key, boundPlaceOf(account), JSON.stringify(secrets)),
  }
}

function unsealRecord(account: Account, key: DataKey): Account {
  const { sealed, ...metadata } = account
  if (sealed === undefined) return account
  const secrets = secretsIn(sealed, account, key)
  if (secrets === undefined) return { ...account, needsLogin: { since: 0, reason: DOES_NOT_OPEN } }
  const unreadFields = [metadata.unreadFields, secrets.unreadFields].filter(isRecord)
  return {
    ...(metadata as Account),
    ...secrets,
    ...(unreadFields.length === 0 ? {} : { unreadFields: Object.assign({}, ...unreadFields) }),
  }
}

function boundPlaceOf({ uid, kind, baseUrl }: Binding): string {
  return JSON.stringify(['record', uid, kind ?? 'oauth', baseUrl ?? null])
}

function secretsIn(sealed: string, record: Binding, key: DataKey): Secrets | undefined {
  const bound = secretsFrom(openText(key, boundPlaceOf(record), sealed))
  if (bound !== undefined) return bound
  const unbound = secretsFrom(openText(key, record.uid ?? '', sealed))
  if (unbound === undefined || key.opensUnbound === true) return unbound
  // Tokens of ChatGPT go to one place, whatever the record says; a key of the earlier way could be sent elsewhere by it.
  const { apiKey: _key, ...tokens } = unbound
  const isSafe =
    record.kind !== 'api-key' &&
    (tokens.refreshToken !== undefined || tokens.accessToken !== undefined)
  return isSafe ? tokens : undefined
}

function secretsFrom(text: string | undefined): Secrets | undefined {
  return text === undefined ? undefined : secretsSchema.safeParse(parsedJson(text)).data
}

/** A record of another form: sealed whole, or one whose metadata somebody damaged by hand. What does not open stays as it is. */
function unsealUnreadable(record: unknown, key: DataKey): unknown {
  if (isSealedText(record)) {
    const text = openText(key, UNREADABLE_KEY, record)
    return text === undefined ? record : parsedJson(text)
  }
  const known = sealedRecordSchema.safeParse(record)
  if (!known.success) return record
  const { sealed, ...metadata } = known.data
  const secrets = secretsIn(sealed, bindingSchema.parse(metadata), key)
  return secrets === undefined ? record : { ...metadata, ...secrets }
}

function placeOf(key: DataKey, place: string): string {
  return JSON.stringify([place, key.id])
}

/** The text of a pool for its file: sealed with the key, plain without one. */
export function poolText(pool: AccountPool, key: DataKey | undefined): string {
  return formatPool(key === undefined ? pool : sealPool(pool, key))
}
