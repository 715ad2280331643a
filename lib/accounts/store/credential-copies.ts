import { rm } from 'node:fs/promises'
import path from 'node:path'

import { isRecord, parsedJson } from '../../kernel/text/json.js'
import { readTextFile } from '../../kernel/files/json-file.js'
import { writeFileAtomic } from '../../kernel/files/replace-file.js'
import { ACCOUNTS_FILE, type Paths } from '../../kernel/files/paths.js'
import { patiently } from '../../kernel/files/patience.js'
import { realPathOrSame } from '../../kernel/files/real-path.js'
import { isSamePath } from '../../kernel/files/same-path.js'
import { parseTemporaryName } from '../../kernel/files/temporaries.js'
import { type Account, type AccountPool, readAccount, type StoredAccount } from '../account.js'
import { indexOf, uidFor } from '../identity.js'
import { filesIn, projectHomes } from '../project/own-folders.js'
import { UNREADABLE_KEY } from './unreadable.js'

/** Logins whose traces are looked for. */
export interface Wanted {
  readonly accounts: readonly Account[]
  /** Names of their entries in the journal of renewals, without the ending. */
  readonly journalNames: ReadonlySet<string>
  /** Folder in which every copy is meant, whoever it is of. */
  readonly wholeFolder?: string | undefined
}

/** A file that holds a login beside the account file itself. */
export interface CredentialCopy {
  readonly path: string
  /** `left`: nobody but its owner can look into it. `pool`: the account file of another project, which others use. */
  readonly fate: 'delete' | 'rewrite' | 'left' | 'pool'
  /** What it holds without the login. */
  readonly text?: string
}

const ENCRYPTED_MARK = 'oc-codex-multi-auth-export'
/** Files of this plugin and its forerunners beside account files. */
const OUR_FILE = /^\.?(?:oc-codex-multi-auth|openai-codex)-.*accounts.*$/
const SETTINGS = 'openai-codex-auth-config.json'

/**
 * Looks for copies of logins in every folder of ours: backups, files that were moved aside or taken over, flagged accounts,
 * journals, temporary files, and the pools of projects. Opens no seal: records are known by their metadata. Never throws.
 * @param poolFile the account file that the caller changes itself
 */
export async function findCredentialCopies(
  paths: Paths,
  poolFile: string,
  wanted: Wanted,
): Promise<readonly CredentialCopy[]> {
  const projects = await homesBeside(paths)
  const isWanted = matcherOf(wanted.accounts)
  const found: CredentialCopy[] = []
  const homes = [paths.root, ...projects]
  for (const home of homes) {
    const isWhole = home === wanted.wholeFolder
    for (const file of await filesIn(home, isOurs)) {
      if (isSamePath(file, poolFile)) continue
      const isPool = path.basename(file) === path.basename(paths.accountsFile)
      found.push(...(await copyAt(file, isWanted, isWhole && !isPool, isPool)))
    }
    for (const file of await filesIn(path.join(home, 'backups'), () => true))
      found.push(...(await copyAt(file, isWanted, isWhole, false)))
  }
  const journals = [...homes.map((home) => path.join(home, 'refresh')), ...paths.spareRefreshDirs]
  for (const folder of journals)
    for (const file of await filesIn(folder, (name) => /\.(?:json|tmp)$/.test(name))) {
      const isWhole =
        wanted.journalNames.has(path.basename(file, '.json')) ||
        (await isEntryOf(file, wanted, poolFile))
      if (isWhole) found.push({ path: file, fate: 'delete' })
      else found.push(...(await copyAt(file, isWanted, false, false)))
    }
  return found
}

/** Files beside account files, by their names. */
function isOurs(name: string): boolean {
  return OUR_FILE.test(name) && name !== SETTINGS
}

/** Deletes and rewrites what was found; pools of projects are for their stores to change. @returns what could not be cleared */
export async function clearCredentialCopies(
  copies: readonly CredentialCopy[],
): Promise<readonly string[]> {
  const failed: string[] = []
  for (const { path: file, fate, text } of copies) {
    try {
      if (fate === 'delete') await patiently('change', () => rm(file, { force: true }))
      else if (fate === 'rewrite' && text !== undefined) await writeFileAtomic(file, text)
    } catch {
      failed.push(file)
    }
  }
  return failed
}

/** Files in any folder of ours, account files too, that name a key of the keychain. Never throws. */
export async function filesNaming(paths: Paths, keyId: string): Promise<readonly string[]> {
  const homes = [paths.root, ...(await homesBeside(paths))]
  const folders = homes.flatMap((home) =>
    ['', 'backups', 'refresh'].map((name) => path.join(home, name)),
  )
  const all = [...folders, ...paths.spareRefreshDirs].map((folder) => filesIn(folder, () => true))
  const files = (await Promise.all(all)).flat()
  // A file that cannot be read may name it.
  const texts = await Promise.all(
    files.map((file) => readTextFile(file).catch(() => ({ text: keyId }))),
  )
  return files.filter((_, index) => texts[index]?.text.includes(keyId) === true)
}

/** Accounts in any copy that go by a name: their id, label or address. Never throws. */
export async function accountsInCopies(paths: Paths, name: string): Promise<readonly Account[]> {
  const needle = name.trim().toLowerCase()
  const homes = [paths.root, ...(await projectHomes(paths))]
  const lists = homes.flatMap((home) => [
    filesIn(home, isOurs),
    filesIn(path.join(home, 'backups'), () => true),
  ])
  const files = (await Promise.all(lists)).flat()
  const contents = await Promise.all(files.map((file) => readTextFile(file).catch(() => undefined)))
  const accounts = contents.flatMap((read) =>
    recordsOf(parsedJson(read?.text ?? '')).flatMap((record) => readAccount(record) ?? []),
  )
  return accounts.flatMap((account) => {
    const { uid = uidFor(account), accountLabel, email } = account
    return [uid, accountLabel, email].some((one) => one?.toLowerCase() === needle)
      ? [{ ...account, uid }]
      : []
  })
}

/**
 * The pool without the records that cannot be read and are of these logins. Pure.
 * @param accounts undefined for all of them
 */
export function withoutUnreadableOf(
  pool: AccountPool,
  accounts: readonly Account[] | undefined,
): AccountPool {
  const { [UNREADABLE_KEY]: list, ...rest } = pool
  if (list === undefined) return pool
  const isWanted = accounts === undefined ? () => true : matcherOf(accounts)
  const kept = Array.isArray(list) ? (list as unknown[]).filter((record) => !isWanted(record)) : []
  return {
    ...rest,
    version: 3,
    accounts: pool.accounts,
    activeIndex: pool.activeIndex,
    ...(kept.length === 0 ? {} : { [UNREADABLE_KEY]: kept }),
  }
}

type Matcher = (record: unknown) => boolean

/** By name, by identity, by what is in it: any of them makes a record one of the logins. */
function matcherOf(accounts: readonly Account[]): Matcher & { readonly marks: readonly string[] } {
  const index = indexOf(accounts)
  const uids = new Set(accounts.map(({ uid }) => uid))
  const secrets = secretsOf(accounts)
  const named = accounts.flatMap(({ uid, accountUserId, email }) => [uid, accountUserId, email])
  const marks = [
    ...secrets,
    ...named.filter((mark): mark is string => mark !== undefined && mark.length > 5),
  ]
  const matches = (record: unknown): boolean => {
    const account = readAccount(record)
    if (account === undefined) return mentions(JSON.stringify(record), marks)
    return (
      (account.uid !== undefined && uids.has(account.uid)) ||
      index.find(account) !== undefined ||
      secretsOf([account]).some((secret) => secrets.includes(secret))
    )
  }
  return Object.assign(matches, { marks })
}

function secretsOf(accounts: readonly StoredAccount[]): string[] {
  return accounts
    .flatMap(({ refreshToken, accessToken, apiKey, sealed }) => [
      refreshToken,
      accessToken,
      apiKey,
      sealed,
    ])
    .filter((secret): secret is string => secret !== undefined && secret !== '')
}

function mentions(text: string, marks: readonly string[]): boolean {
  return marks.some((mark) => text.includes(JSON.stringify(mark).slice(1, -1)))
}

/** @param isWhole the file is meant whatever is in it */
async function copyAt(
  file: string,
  isWanted: ReturnType<typeof matcherOf>,
  isWhole: boolean,
  isPool: boolean,
): Promise<readonly CredentialCopy[]> {
  const text = (await readTextFile(file).catch(() => undefined))?.text
  if (text === undefined) return []
  const content = parsedJson(text)
  if (isRecord(content) && content.format === ENCRYPTED_MARK) return [{ path: file, fate: 'left' }]
  if (isWhole) return [{ path: file, fate: 'delete' }]
  if (!isRecord(content) || parseTemporaryName(path.basename(file)) !== undefined)
    return mentions(text, isWanted.marks) ? [{ path: file, fate: 'delete' }] : []
  if (!recordsOf(content).some(isWanted)) return []
  if (isPool) return [{ path: file, fate: 'pool' }]
  const rest = withoutRecords(content, isWanted)
  return [
    recordsOf(rest).length === 0
      ? { path: file, fate: 'delete' }
      : { path: file, fate: 'rewrite', text: `${JSON.stringify(rest, undefined, 2)}\n` },
  ]
}

/** The lists of records in a file, by their fields. */
function listsOf(content: Readonly<Record<string, unknown>>): readonly [string, unknown[]][] {
  return ['accounts', UNREADABLE_KEY].flatMap((field): [string, unknown[]][] => {
    const list = content[field]
    return Array.isArray(list) ? [[field, list]] : []
  })
}

function recordsOf(content: unknown): readonly unknown[] {
  return isRecord(content) ? listsOf(content).flatMap(([, list]) => list) : []
}

function withoutRecords(
  content: Readonly<Record<string, unknown>>,
  isWanted: Matcher,
): Record<string, unknown> {
  const kept = listsOf(content).map(([field, list]) => [
    field,
    list.filter((record) => !isWanted(record)),
  ])
  // Positions of the earlier list name others now; the first account is as good as any in a copy.
  return {
    ...content,
    ...(Object.fromEntries(kept) as Record<string, unknown>),
    ...('activeIndex' in content ? { activeIndex: 0 } : {}),
    ...('activeIndexByFamily' in content ? { activeIndexByFamily: {} } : {}),
  }
}

async function isEntryOf(file: string, wanted: Wanted, poolFile: string): Promise<boolean> {
  const entry = parsedJson((await readTextFile(file).catch(() => undefined))?.text ?? '')
  if (!isRecord(entry)) return false
  const isOfPool = typeof entry.pool === 'string' && isSamePath(entry.pool, poolFile)
  if (wanted.wholeFolder !== undefined && isOfPool) return true
  return wanted.accounts.some(({ uid }) => entry.uid === uid)
}

/** Folders like the root: those of projects, and those in which linked account files really lie, with journals beside them. */
async function homesBeside(paths: Paths): Promise<readonly string[]> {
  const projects = await projectHomes(paths)
  const known = [paths.root, ...projects]
  const real = known.map((home) => path.dirname(realPathOrSame(path.join(home, ACCOUNTS_FILE))))
  const knownReal = new Set(known.map((home) => realPathOrSame(home)))
  return [...projects, ...new Set(real.filter((home) => !knownReal.has(home)))]
}
