import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto'
import * as z from 'zod'

import { CodexError } from '../kernel/errors.js'
import type { AccountPool } from '../accounts/account.js'
import { formatPool, parsePool } from '../accounts/store/pool-format.js'
import { refused } from './found.js'
import { isSealed, keyIdOf } from '../accounts/keychain/data-key.js'
import type { Vault } from '../accounts/keychain/vault.js'
import { parsedJson } from '../kernel/text/json.js'

/** scrypt parameters of RFC 7914 §2 for interactive use, doubled; about 0.1 s and 32 MB. */
const SCRYPT = { N: 32_768, r: 8, p: 1, maxmem: 128 * 1024 * 1024 }
const KEY_BYTES = 32
/** Shorter passphrases are guessed too quickly. */
const MIN_PASSPHRASE = 8
/** A passphrase comes from the environment: arguments show in process lists, in histories and in the model's context. */
export const PASSPHRASE_ENV = 'OC_CODEX_PASSPHRASE'
/** What every encrypted export says of itself, whatever its version. */
const FORMAT = 'oc-codex-multi-auth-export'

const markSchema = z.looseObject({ format: z.literal(FORMAT) })

const envelopeSchema = z.object({
  format: z.literal(FORMAT),
  version: z.literal(1),
  cipher: z.literal('aes-256-gcm'),
  kdf: z.object({
    name: z.literal('scrypt'),
    N: z.number().int().min(2).max(1_048_576),
    r: z.number().int().min(1).max(32),
    p: z.number().int().min(1).max(16),
    salt: z.string(),
  }),
  iv: z.string(),
  tag: z.string(),
  data: z.string(),
})

/** A pool as an encrypted text. @throws CodexError `invalid_input` for a short passphrase */
export async function encryptPool(pool: AccountPool, passphrase: string): Promise<string> {
  if (passphrase.length < MIN_PASSPHRASE)
    throw new CodexError(
      'invalid_input',
      `The passphrase needs at least ${MIN_PASSPHRASE} characters.`,
      { hint: '' },
    )
  const salt = randomBytes(16)
  const iv = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', await keyOf(passphrase, salt, SCRYPT), iv)
  const data = Buffer.concat([cipher.update(formatPool(pool), 'utf8'), cipher.final()])
  const { N, r, p } = SCRYPT
  const base64 = (bytes: Buffer): string => bytes.toString('base64')
  return `${JSON.stringify(
    {
      format: FORMAT,
      version: 1,
      cipher: 'aes-256-gcm',
      kdf: { name: 'scrypt', N, r, p, salt: base64(salt) },
      iv: base64(iv),
      tag: base64(cipher.getAuthTag()),
      data: base64(data),
    },
    undefined,
    2,
  )}\n`
}

/**
 * The pool in an export or a backup: plain, encrypted with a passphrase, or sealed with a key of the keychain.
 * @param where for the message
 * @throws CodexError `invalid_input`: not an export, one without accounts, a newer one, or a wrong passphrase; `keychain_unreachable`
 */
export async function readExport(
  text: string,
  passphrase: string | undefined,
  vault: Vault,
  where: string,
): Promise<AccountPool> {
  const content = parsedJson(text)
  const envelope = envelopeSchema.safeParse(content)
  // Its version would pass for that of an account file, and one without accounts.
  if (!envelope.success && markSchema.safeParse(content).success)
    throw refused(
      where,
      'it is an encrypted export that is damaged or was written by a newer version',
    )
  const plain = envelope.success ? await decrypted(envelope.data, passphrase, where) : text
  const result = parsePool(plain)
  if (result.kind === 'newer')
    throw refused(where, `it was written by a newer version (format ${result.version})`)
  if (result.kind === 'foreign') throw refused(where, result.why)
  if (keyIdOf(result.pool) === undefined && result.pool.accounts.some(isSealed))
    throw refused(where, 'its tokens are sealed and it does not name the key')
  const opened = await vault.open(result.pool, where)
  const pool = { ...opened, accounts: opened.accounts.filter((account) => !isSealed(account)) }
  if (opened.accounts.length > 0 && pool.accounts.length === 0)
    throw refused(where, 'its sealed logins do not open with their key')
  if (pool.accounts.length === 0) throw refused(where, 'no account in it has a login')
  return pool
}

async function decrypted(
  envelope: z.infer<typeof envelopeSchema>,
  passphrase: string | undefined,
  where: string,
): Promise<string> {
  if (passphrase === undefined || passphrase === '')
    throw new CodexError('invalid_input', `${where} is encrypted and needs its passphrase.`, {
      hint: `Nothing was changed. Set it in the environment variable ${PASSPHRASE_ENV}`,
    })
  const bytes = (text: string): Buffer => Buffer.from(text, 'base64')
  try {
    const { N, r, p, salt } = envelope.kdf
    const key = await keyOf(passphrase, bytes(salt), { N, r, p, maxmem: SCRYPT.maxmem })
    const decipher = createDecipheriv('aes-256-gcm', key, bytes(envelope.iv))
    decipher.setAuthTag(bytes(envelope.tag))
    return Buffer.concat([decipher.update(bytes(envelope.data)), decipher.final()]).toString('utf8')
  } catch (cause) {
    throw new CodexError(
      'invalid_input',
      `${where} cannot be decrypted: the passphrase is wrong or the file is damaged.`,
      { cause, hint: 'Nothing was changed.' },
    )
  }
}

function keyOf(passphrase: string, salt: Buffer, options: typeof SCRYPT): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(passphrase.normalize('NFKC'), salt, KEY_BYTES, options, (error, key) =>
      error === null ? resolve(key) : reject(error),
    )
  })
}
