import { readTextFile } from '../kernel/json-file.js'
import { parsePool } from './pool-format.js'
import { keyIdOf } from './seal.js'

/** How an account file lies on the disk. */
export interface SealState {
  readonly kind: 'empty' | 'plain' | 'sealed'
  readonly accounts: number
  /** Key of a sealed file. */
  readonly keyId?: string
  /** Records are sealed and nothing says with which key. */
  readonly isNameless?: true
}

/**
 * Looks at an account file without opening it: no keychain is asked. What is no account file counts as empty.
 * @throws CodexError `store_unreadable`
 */
export async function sealStateOf(file: string): Promise<SealState> {
  const parsed = parsePool((await readTextFile(file))?.text ?? '')
  if (parsed.kind !== 'pool') return { kind: 'empty', accounts: 0 }
  const keyId = keyIdOf(parsed.pool)
  const accounts = parsed.pool.accounts.length
  if (keyId !== undefined) return { kind: 'sealed', accounts, keyId }
  const isNameless = parsed.pool.accounts.some(({ sealed }) => sealed !== undefined)
  return {
    kind: accounts === 0 ? 'empty' : 'plain',
    accounts,
    ...(isNameless ? { isNameless } : {}),
  }
}
