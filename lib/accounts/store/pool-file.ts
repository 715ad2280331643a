import { CodexError } from '../../kernel/errors.js'
import { type FileStamp, readTextFile } from '../../kernel/files/json-file.js'
import { type AccountPool, EMPTY_POOL } from '../account.js'
import { formatPool, parsePool } from './pool-format.js'
import { type DataKey, keyIdOf, sealPool } from '../keychain/seal.js'
import type { Vault } from '../keychain/vault.js'

/** What was found on the disk. */
export interface PoolOnDisk {
  /** Opened where there is a vault; else as it lies there. */
  readonly pool: AccountPool
  /** Absent when there is no file of the present name. */
  readonly stamp: FileStamp | undefined
  /** Text of the file, sealed where it is; absent when there is none. */
  readonly text: string | undefined
  readonly fromVersion: number
  /** Key the file is sealed with. */
  readonly keyId: string | undefined
}

/**
 * Reads an account file, or the one of the older name in its place.
 * @param vault opens sealed files; without it their secrets stay sealed and the metadata can be read and changed
 * @throws CodexError `store_unreadable`, `store_newer`, `keychain_unreachable`; NotAnAccountFile when it is something else
 */
export async function readPoolFile(
  file: string,
  legacyPath: string | undefined,
  vault: Vault | undefined,
): Promise<PoolOnDisk> {
  const own = await readTextFile(file)
  const text = (own ?? (legacyPath === undefined ? undefined : await readTextFile(legacyPath)))
    ?.text
  const stamp = own?.stamp
  if (text === undefined) return { pool: EMPTY_POOL, stamp, text, fromVersion: 3, keyId: undefined }
  const parsed = parsePool(text)
  switch (parsed.kind) {
    case 'pool': {
      const { fromVersion, pool: sealed } = parsed
      const pool = vault === undefined ? sealed : await vault.open(sealed, file)
      return { pool, stamp, text, fromVersion, keyId: keyIdOf(sealed) }
    }
    case 'newer':
      throw new CodexError(
        'store_newer',
        `${file} was written by a newer version of this plugin (format ${parsed.version}).`,
      )
    case 'foreign':
      throw new NotAnAccountFile(parsed.why)
  }
}

/** The text of a pool for its file: sealed with the key, plain without one. */
export function poolText(pool: AccountPool, key: DataKey | undefined): string {
  return formatPool(key === undefined ? pool : sealPool(pool, key))
}

/** A file that could not be used was moved aside; the next look finds none in its place. */
export class MovedAside extends CodexError {
  constructor(file: string, aside: string, why: string) {
    super(
      'store_unreadable',
      `${file} could not be used because ${why}. It was moved to ${aside}.`,
      {
        hint: 'Restore a backup with codex-import, or sign in again: opencode auth login',
      },
    )
  }
}

/** A file in our place that is not ours to read. */
export class NotAnAccountFile extends Error {
  override readonly name = 'NotAnAccountFile'
  readonly why: string

  constructor(why: string) {
    super(why)
    this.why = why
  }
}
