import path from 'node:path'

import { CodexError } from '../../kernel/errors.js'
import { type FileStamp, readTextFile, readTextFileNow } from '../../kernel/files/json-file.js'
import { type AccountPool, EMPTY_POOL } from '../account.js'
import { NotAnAccountFile } from './moved-aside.js'
import { parsePool } from './pool-format.js'
import { keyIdOf } from '../keychain/data-key.js'
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
 * @param options.vault opens sealed files; without it their secrets stay sealed and the metadata can be read and changed
 * @param options.atOnce read without waiting, for a start
 * @throws CodexError `store_unreadable`, `store_newer`, `keychain_unreachable`; NotAnAccountFile when it is something else
 */
export async function readPoolFile(
  file: string,
  legacyPath: string | undefined,
  { vault, atOnce = false }: { readonly vault?: Vault | undefined; readonly atOnce?: boolean },
): Promise<PoolOnDisk> {
  const read = atOnce ? readTextFileNow : readTextFile
  const own = await read(file)
  const text = (own ?? (legacyPath === undefined ? undefined : await read(legacyPath)))?.text
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

/** The folder of the copies of an account file. */
export function backupsDirOf(accountFile: string): string {
  return path.join(path.dirname(accountFile), 'backups')
}
