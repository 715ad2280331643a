import { readdir } from 'node:fs/promises'
import path from 'node:path'

import type { StoredAccount } from '../accounts/account.js'
import { PASSPHRASE_ENV, readExport } from '../accounts/export.js'
import { findProjectRoot } from '../accounts/project.js'
import { objectIn, refused } from '../accounts/sources/found.js'
import {
  FOREIGN_SOURCES,
  type ForeignSource,
  type Place,
  placesOf,
  SOURCE_TITLES,
  sourceAt,
  type Surroundings,
} from '../accounts/sources/places.js'
import { readForeign } from '../accounts/sources/read.js'
import { accountFromFound } from '../auth/account-from-found.js'
import { parseBaseUrl } from '../auth/base-url.js'
import { CodexError, isCodexError } from '../kernel/errors.js'
import { readTextFile } from '../kernel/json-file.js'
import type { Runtime } from '../runtime.js'

/** One account found in a file. */
export interface FoundAccount {
  /** `file` for an export or backup of our own. */
  readonly source: 'file' | ForeignSource
  readonly path: string
  readonly account: StoredAccount
  /** True when another program goes on using the same login. */
  readonly foreign: boolean
}

/** What a search came back with. */
export interface ImportSearch {
  readonly found: readonly FoundAccount[]
  /** Files that are there and could not be taken; one sentence each. */
  readonly problems: readonly string[]
}

/** What is asked for: one file, the usual places of one program, or those of all. */
export type ImportWish =
  | { readonly source: 'file'; readonly file: string }
  | { readonly source: ForeignSource; readonly file?: string | undefined }
  | { readonly source: 'all' }

type Reads = Pick<Runtime, 'env' | 'paths' | 'clock' | 'vault'>

/**
 * Reads what is asked for; never writes, renews or signs in.
 * @param directory where a search for the project starts
 * @throws CodexError `invalid_input`, `store_unreadable`: nothing could be taken; with `all` such files become problems
 */
export async function searchAccounts(
  runtime: Reads,
  wish: ImportWish,
  directory: string,
): Promise<ImportSearch> {
  const surroundings: Surroundings = {
    env: runtime.env,
    paths: runtime.paths,
    projectRoot: findProjectRoot(directory, runtime.paths.home),
  }
  if (wish.source === 'file')
    return { found: await readNamed(runtime, wish.file, surroundings), problems: [] }
  if (wish.source === 'all') {
    // A file in a project may have come with the project: it is read when somebody names it, and not along with the others.
    const ownPlaces = { ...surroundings, projectRoot: undefined }
    const parts = await Promise.all(
      FOREIGN_SOURCES.map((source) => searchPlaces(runtime, source, placesOf(source, ownPlaces))),
    )
    return {
      found: parts.flatMap(({ found }) => found),
      problems: parts.flatMap(({ errors }) => errors.map(({ message }) => message)),
    }
  }
  const places =
    wish.file === undefined ? placesOf(wish.source, surroundings) : [{ path: wish.file }]
  const { found, errors } = await searchPlaces(runtime, wish.source, places)
  const [first] = errors
  if (found.length === 0 && first !== undefined) throw first
  if (found.length === 0)
    throw new CodexError(
      'invalid_input',
      `There is no login of ${SOURCE_TITLES[wish.source]} at ${places.map((place) => place.path).join(' or ')}.`,
      { hint: 'If it lies elsewhere, name the file with path. Nothing was changed.' },
    )
  return { found, problems: errors.map(({ message }) => message) }
}

async function readNamed(
  runtime: Reads,
  file: string,
  surroundings: Surroundings,
): Promise<FoundAccount[]> {
  const read = await readTextFile(file)
  if (read === undefined)
    throw new CodexError('invalid_input', `There is no file ${file}.`, {
      hint: 'Nothing was changed.',
    })
  const source = sourceAt(file, surroundings)
  if (source !== undefined || !isOwnFormat(read.text, file)) {
    const found = accountsIn(runtime, source, read.text, file)
    // The mark that this plugin leaves in OpenCode's login file is all there is: not a pool to replace ours with.
    if (found.length === 0) throw refused(file, 'there is no login in it')
    return found
  }
  const pool = await readExport(read.text, runtime.env[PASSPHRASE_ENV], runtime.vault, file)
  return pool.accounts.map((account) => ({ source: 'file', path: file, account, foreign: false }))
}

/** Exports, plain or encrypted, and backups all name the version of their format. */
function isOwnFormat(text: string, file: string): boolean {
  return 'version' in objectIn(text, file)
}

async function searchPlaces(
  runtime: Reads,
  source: ForeignSource,
  places: readonly Place[],
): Promise<{ found: FoundAccount[]; errors: CodexError[] }> {
  const found: FoundAccount[] = []
  const errors: CodexError[] = []
  for (const file of (await Promise.all(places.map(filesAt))).flat()) {
    try {
      const read = await readTextFile(file)
      if (read !== undefined) found.push(...accountsIn(runtime, source, read.text, file))
    } catch (error) {
      if (!isCodexError(error)) throw error
      errors.push(error)
    }
  }
  return { found, errors }
}

async function filesAt({ path: place, ending }: Place): Promise<readonly string[]> {
  if (ending === undefined) return [place]
  const names = await readdir(place).catch(() => [])
  return names
    .filter((name) => name.endsWith(ending))
    .sort()
    .map((name) => path.join(place, name))
}

function accountsIn(
  runtime: Reads,
  source: ForeignSource | undefined,
  text: string,
  file: string,
): FoundAccount[] {
  return readForeign(source, text, file).flatMap((one) => {
    const account = accountFromFound(one, runtime.clock.now())
    if (account === undefined) return []
    if (account.kind === 'api-key' && account.baseUrl !== undefined)
      parseBaseUrl(account.baseUrl, file)
    return [{ source: source ?? 'file', path: file, account, foreign: true }]
  })
}
