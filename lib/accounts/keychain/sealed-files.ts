import { readdir } from 'node:fs/promises'
import path from 'node:path'

import { readTextFile } from '../../kernel/files/json-file.js'
import { writeFileAtomic } from '../../kernel/files/replace-file.js'
import { filesIn } from '../project/own-folders.js'
import { poolText } from './seal.js'
import { parsePool } from '../store/pool-format.js'
import { type DataKey, isSealed, keyIdOf } from './data-key.js'
import type { Vault } from './vault.js'

/** Copies that the program makes by itself; an export was made by the user and stays as it is. */
const OWN_COPY = /^(?:accounts|accounts-v2|before-import|before-repair|keychain)-\d.*\.json$/
/** A token in the clear, in a file of ours or of the earlier plugin. */
const PLAIN_SECRET = /"(?:refreshToken|accessToken|apiKey)"\s*:\s*"[^"]/

/**
 * Looks for copies with tokens in the clear in the folder of the account file and in its backups. Never throws.
 * @returns `own`: made by the program, sealing the pool seals them too; `other`: exports, and what other versions and repairs
 * left, of which only their owner knows whether they are needed
 */
export async function findPlainCopies(
  file: string,
  backupsDir: string,
): Promise<{ readonly own: readonly string[]; readonly other: readonly string[] }> {
  const isPlain = ({ text }: { text: string }): boolean => PLAIN_SECRET.test(text)
  const beside = await filesIn(
    path.dirname(file),
    (name) => name.includes('accounts') && name !== path.basename(file),
  )
  const plain = async (files: readonly string[]): Promise<string[]> =>
    (await textsOf(files)).filter(isPlain).map((one) => one.file)
  const backups = await plain(await filesIn(backupsDir, () => true))
  const isOwn = (copy: string): boolean => OWN_COPY.test(path.basename(copy))
  return {
    own: backups.filter(isOwn),
    other: [...(await plain(beside)), ...backups.filter((copy) => !isOwn(copy))],
  }
}

/** Links count: what a copy leads to may be sealed with a key, and is lost without it. */
async function ownCopies(backupsDir: string): Promise<string[]> {
  const names = (await readdir(backupsDir).catch(() => [])).filter((name) => OWN_COPY.test(name))
  return names.map((name) => path.join(backupsDir, name))
}

/** Files that can be read, with their texts. */
async function textsOf(files: readonly string[]): Promise<{ file: string; text: string }[]> {
  const read = files.map(async (file) => {
    const found = await readTextFile(file).catch(() => undefined)
    return found === undefined ? [] : [{ file, text: found.text }]
  })
  return (await Promise.all(read)).flat()
}

/** What became of the copies. */
export interface Rewritten {
  readonly done: number
  /** Copies that could not be rewritten. */
  readonly left: readonly string[]
  /** Keys that copies are or were sealed with. */
  readonly keyIds: ReadonlySet<string>
}

/**
 * Rewrites the program's own copies: sealed with `key`, or plain without one. Each is replaced in one step. A copy that
 * is no pool, or is in the wanted state already, stays. Never throws.
 * @param when `again` seals those anew that are sealed with this key already
 */
export async function rewriteCopies(
  backupsDir: string,
  vault: Vault,
  key: DataKey | undefined,
  when?: 'again',
): Promise<Rewritten> {
  const left: string[] = []
  const keyIds = new Set<string>()
  let done = 0
  for (const copy of await ownCopies(backupsDir)) {
    try {
      const parsed = parsePool((await readTextFile(copy))?.text ?? '')
      if (parsed.kind !== 'pool') continue
      const keyId = keyIdOf(parsed.pool)
      if (keyId !== undefined) keyIds.add(keyId)
      const isDone = (keyId === undefined) === (key === undefined)
      if (isDone && (when === undefined || keyId !== key?.id)) continue
      const pool = await vault.open(parsed.pool, copy)
      if (key === undefined && pool.accounts.some(isSealed))
        throw new Error('a login in it does not open')
      await writeFileAtomic(copy, poolText(pool, key))
      done += 1
    } catch {
      left.push(copy)
    }
  }
  return { done, left, keyIds }
}

/** Keys that the copies in a folder are sealed with. Never throws. */
export async function keyIdsIn(backupsDir: string): Promise<readonly string[]> {
  const texts = await textsOf(await ownCopies(backupsDir))
  const ids = texts.flatMap(({ text }) => {
    const parsed = parsePool(text)
    return parsed.kind === 'pool' ? (keyIdOf(parsed.pool) ?? []) : []
  })
  return [...new Set(ids)]
}

/** How an account file lies on the disk. */
export interface SealState {
  readonly kind: 'empty' | 'plain' | 'sealed'
  readonly accounts: number
  /** Key of a sealed file. */
  readonly keyId?: string
  /** Records are sealed and nothing says with which key. */
  readonly isKeyNameMissing?: true
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
  const isKeyNameMissing = parsed.pool.accounts.some(isSealed)
  const kind = accounts === 0 ? 'empty' : 'plain'
  return { kind, accounts, ...(isKeyNameMissing ? { isKeyNameMissing } : {}) }
}
