import { readdir } from 'node:fs/promises'
import path from 'node:path'

import type { AccountPool, StoredAccount } from '../accounts/account.js'
import { withoutAccounts } from '../accounts/edits.js'
import { indexOf } from '../accounts/identity.js'
import { ownName } from '../accounts/labels.js'
import { mergerInto } from '../accounts/merge.js'
import { findProjectRoot } from '../accounts/project/project.js'
import { CodexError, isCodexError } from '../kernel/errors.js'
import { readTextFile } from '../kernel/files/json-file.js'
import { redactText } from '../kernel/text/redact.js'
import { parseBaseUrl } from '../oauth/base-url.js'
import type { Runtime } from '../runtime.js'
import { PASSPHRASE_ENV, readExport } from './export.js'
import { accountFromFound, objectIn, refused } from './found.js'
import {
  candidatePaths,
  FOREIGN_SOURCES,
  type ForeignSource,
  type Place,
  readForeign,
  type SearchContext,
  sourceAt,
  titleOf,
} from './sources.js'

/** One found account as it is shown. */
export interface ImportRow {
  readonly source: FoundAccount['source']
  readonly path: string
  /** Name or masked address. */
  readonly account: string
  /** `fresh`: its access token is still good; `stale`: it has to be renewed first, or is over. */
  readonly login: 'fresh' | 'stale' | 'api key'
  /** What an import does with it: `same` when the pool holds the very same login. */
  readonly here: 'new' | 'newer' | 'known' | 'same'
  /** True when the import would leave one refresh token in use by two programs. */
  readonly shared: boolean
}

/** A pool with what was found, and how it differs from the one before. */
export type ImportPlan = ReturnType<typeof planImport>

/** The pool after an import. Pure. */
export function planImport(
  before: AccountPool,
  found: readonly FoundAccount[],
  /** `replace`: accounts that were not found go. */
  options: { mode: 'merge' | 'replace'; maskEmail: boolean; nowMs: number },
) {
  const merger = mergerInto(before)
  const rows: ImportRow[] = []
  const counts = { added: 0, updated: 0, unchanged: 0 }
  for (const one of found) {
    const { outcome, known } = merger.merge(one.account)
    counts[outcome] += 1
    const { refreshToken } = one.account
    const isSame = refreshToken !== undefined && known?.refreshToken === refreshToken
    const here =
      outcome === 'added' ? 'new' : isSame ? 'same' : outcome === 'updated' ? 'newer' : 'known'
    rows.push({
      source: one.source,
      path: one.path,
      account: shownName(one.account, options.maskEmail),
      login: loginState(one.account, options.nowMs),
      here,
      shared: one.foreign && refreshToken !== undefined && refreshToken !== '' && here !== 'known',
    })
  }
  const pool = merger.pool()
  if (options.mode === 'merge') return { ...counts, pool, rows, removed: 0 }
  const named = indexOf(found.map(({ account }) => account))
  const gone = new Set(
    pool.accounts.filter((account) => named.find(account) === undefined).map(({ uid }) => uid),
  )
  return { ...counts, rows, pool: withoutAccounts(pool, gone), removed: gone.size }
}

/** A label from a foreign file may be an address, too. */
function shownName(account: StoredAccount, maskEmail: boolean): string {
  const name =
    ownName(account, { maskEmail }) ?? (account.kind === 'api-key' ? 'API key' : 'no name')
  return maskEmail ? redactText(name) : name
}

function loginState(account: StoredAccount, nowMs: number): ImportRow['login'] {
  if (account.kind === 'api-key') return 'api key'
  return (account.expiresAt ?? 0) > nowMs ? 'fresh' : 'stale'
}

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
export type ImportRequest =
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
  request: ImportRequest,
  directory: string,
): Promise<ImportSearch> {
  const context: SearchContext = {
    env: runtime.env,
    paths: runtime.paths,
    projectRoot: findProjectRoot(directory, runtime.paths.home),
  }
  if (request.source === 'file')
    return { found: await readNamed(runtime, request.file, context), problems: [] }
  if (request.source === 'all') {
    // A file in a project may have come with the project: it is read when the user names it, and not along with the others.
    const ownPlaces = { ...context, projectRoot: undefined }
    const parts = await Promise.all(
      FOREIGN_SOURCES.map((source) =>
        searchPlaces(runtime, source, candidatePaths(source, ownPlaces)),
      ),
    )
    return {
      found: parts.flatMap(({ found }) => found),
      problems: parts.flatMap(({ errors }) => errors.map(({ message }) => message)),
    }
  }
  const places =
    request.file === undefined ? candidatePaths(request.source, context) : [{ path: request.file }]
  const { found, errors } = await searchPlaces(runtime, request.source, places)
  const [first] = errors
  if (found.length === 0 && first !== undefined) throw first
  if (found.length === 0)
    throw new CodexError(
      'invalid_input',
      `No login of ${titleOf(request.source)} found at ${places.map((place) => place.path).join(' or ')}.`,
      { hint: 'If it is elsewhere, name the file with path. Nothing was changed.' },
    )
  return { found, problems: errors.map(({ message }) => message) }
}

async function readNamed(
  runtime: Reads,
  file: string,
  context: SearchContext,
): Promise<FoundAccount[]> {
  const read = await readTextFile(file)
  if (read === undefined)
    throw new CodexError('invalid_input', `There is no file ${file}.`, {
      hint: 'Nothing was changed.',
    })
  const source = sourceAt(file, context)
  // Exports, plain or encrypted, and backups all name the version of their format.
  if (source !== undefined || !('version' in objectIn(read.text, file))) {
    const found = accountsIn(runtime, source, read.text, file)
    // The mark that this plugin leaves in OpenCode's login file is all there is: not a pool to replace ours with.
    if (found.length === 0) throw refused(file, 'there is no login in it')
    return found
  }
  const pool = await readExport(read.text, runtime.env[PASSPHRASE_ENV], runtime.vault, file)
  return pool.accounts.map((account) => ({ source: 'file', path: file, account, foreign: false }))
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
