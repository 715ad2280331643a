import path from 'node:path'

import { parsePool } from '../accounts/store/pool-format.js'
import type { Paths } from '../kernel/files/paths.js'
import { isSamePath } from '../kernel/files/same-path.js'
import { isAccountList, readAccountList } from './account-list.js'
import { isCodexAuth, readCodexAuth } from './codex.js'
import { type Found, objectIn, refused } from './found.js'
import { isOpencodeAuth, readOpencodeAuth } from './opencode.js'

export interface SearchContext {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly paths: Pick<Paths, 'home' | 'root' | 'hostAuthFile' | 'hostConfigDir'>
  /** Root of the project, where one is open. */
  readonly projectRoot?: string | undefined
}

/** A file, or the files of a folder whose names end in `ending`. */
export interface Place {
  readonly path: string
  readonly ending?: string
}

/** The content of a file, parsed; its path for messages; its text. */
type Reader = (content: Readonly<Record<string, unknown>>, where: string, text: string) => Found[]

/** A program whose logins can be taken over. */
interface ImportSource {
  /** How texts call it. */
  readonly title: string
  /** Where it keeps its logins, in the order of its own search; reads no disk. */
  readonly places: (context: SearchContext) => readonly Place[]
  /** @throws CodexError `invalid_input`, never with anything that stands in the file */
  readonly read: Reader
}

/** Account file of the forerunners of this plugin and of their relatives. */
const FORERUNNER_FILE = 'openai-codex-accounts.json'

/** Every program that logins are imported from. Codex CLI and what is built on it follow `CODEX_HOME`. */
const SOURCES = {
  codex: {
    title: 'Codex CLI',
    places: (context) => [{ path: inCodexHome(context, 'auth.json') }],
    read: readCodexAuth,
  },
  opencode: {
    title: 'OpenCode',
    places: ({ paths }) => [{ path: paths.hostAuthFile }],
    read: readOpencodeAuth,
  },
  'codex-auth': {
    title: 'codex-auth',
    places: (context) => [
      { path: inCodexHome(context, 'accounts'), ending: '.auth.json' },
      { path: inCodexHome(context, 'accounts.json') },
    ],
    read: (content, where) =>
      isCodexAuth(content) ? readCodexAuth(content, where) : readAccountList(content, where),
  },
  'codex-multi-auth': {
    title: 'codex-multi-auth',
    places: (context) => {
      const folder = valueOf(context, 'CODEX_MULTI_AUTH_DIR') ?? inCodexHome(context, 'multi-auth')
      return [{ path: path.join(folder, FORERUNNER_FILE) }]
    },
    read: readPoolOrList,
  },
  'oc-chatgpt-multi-auth': {
    title: 'oc-chatgpt-multi-auth',
    places: ({ paths, projectRoot }) => [
      { path: path.join(paths.root, FORERUNNER_FILE) },
      ...(projectRoot === undefined
        ? []
        : [{ path: path.join(projectRoot, '.opencode', FORERUNNER_FILE) }]),
    ],
    read: readPoolOrList,
  },
  'opencode-codex-auth': {
    title: 'opencode-codex-auth',
    places: ({ paths }) => [
      { path: path.join(paths.hostConfigDir, 'codex-accounts.json') },
      { path: path.join(paths.hostConfigDir, FORERUNNER_FILE) },
    ],
    read: readPoolOrList,
  },
} satisfies Readonly<Record<string, ImportSource>>

/** A program whose logins can be taken over. */
export type ForeignSource = keyof typeof SOURCES

export const FOREIGN_SOURCES = Object.keys(SOURCES) as readonly ForeignSource[]

/** How a program is called in texts. */
export function titleOf(source: ForeignSource): string {
  return SOURCES[source].title
}

/** Where a program keeps its logins, in the order of its own search; reads no disk. */
export function candidatePaths(source: ForeignSource, context: SearchContext): readonly Place[] {
  return SOURCES[source].places(context)
}

/** The program a file belongs to, told by where it lies; undefined for any other place. */
export function sourceAt(file: string, context: SearchContext): ForeignSource | undefined {
  return FOREIGN_SOURCES.find((source) =>
    candidatePaths(source, context).some((place) =>
      place.ending === undefined
        ? isSamePath(place.path, file)
        : isSamePath(place.path, path.dirname(file)) && file.toLowerCase().endsWith(place.ending),
    ),
  )
}

/**
 * The logins in a file of another program. Pure.
 * @param where path of the file, for the message
 * @param source the program that wrote it; without it the format is told by the content
 * @throws CodexError `invalid_input`, never with anything that stands in the file
 */
export function readForeign(
  source: ForeignSource | undefined,
  text: string,
  where: string,
): Found[] {
  const content = objectIn(text, where)
  const read: Reader = source === undefined ? readerFor(content) : SOURCES[source].read
  return read(content, where, text)
}

function readerFor(content: Readonly<Record<string, unknown>>): Reader {
  if ('version' in content && 'accounts' in content) return readPool
  if (isAccountList(content)) return readAccountList
  if (isCodexAuth(content)) return readCodexAuth
  if (isOpencodeAuth(content)) return readOpencodeAuth
  return (_content, where) => {
    throw refused(where, 'its format is unknown')
  }
}

function readPoolOrList(
  content: Readonly<Record<string, unknown>>,
  where: string,
  text: string,
): Found[] {
  return 'version' in content ? readPool(content, where, text) : readAccountList(content, where)
}

function readPool(_content: unknown, where: string, text: string): Found[] {
  const parsed = parsePool(text)
  if (parsed.kind === 'newer')
    throw refused(where, `it was written by a newer version (format ${parsed.version})`)
  if (parsed.kind === 'foreign') throw refused(where, parsed.why)
  if (parsed.pool.accounts.length === 0) throw refused(where, 'no account in it has a login')
  return parsed.pool.accounts.map((account) => ({ kind: 'record', account }))
}

function inCodexHome(context: SearchContext, name: string): string {
  return path.join(valueOf(context, 'CODEX_HOME') ?? path.join(context.paths.home, '.codex'), name)
}

function valueOf({ env }: SearchContext, name: string): string | undefined {
  const value = env[name]?.trim()
  return value === '' ? undefined : value
}
