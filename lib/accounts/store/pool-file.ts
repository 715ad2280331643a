import { CodexError } from '../../kernel/errors.js'
import { type FileStamp, readTextFile } from '../../kernel/files/json-file.js'
import { type AccountPool, EMPTY_POOL } from '../account.js'
import { formatPool, parsePool } from './pool-format.js'
import { type DataKey, keyIdOf, sealedPool } from '../keychain/seal.js'
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
  const found = (await readTextFile(file)) ?? (await readLegacy(legacyPath))
  if (found === undefined)
    return { pool: EMPTY_POOL, stamp: undefined, text: undefined, fromVersion: 3, keyId: undefined }
  const parsed = parsePool(found.text)
  switch (parsed.kind) {
    case 'pool': {
      const pool = vault === undefined ? parsed.pool : await vault.open(parsed.pool, file)
      return {
        pool,
        stamp: found.stamp,
        text: found.text,
        fromVersion: parsed.fromVersion,
        keyId: keyIdOf(parsed.pool),
      }
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
  return formatPool(key === undefined ? pool : sealedPool(pool, key))
}

async function readLegacy(
  legacyPath: string | undefined,
): Promise<{ text: string; stamp: undefined } | undefined> {
  const found = legacyPath === undefined ? undefined : await readTextFile(legacyPath)
  return found === undefined ? undefined : { text: found.text, stamp: undefined }
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
