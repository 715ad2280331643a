import path from 'node:path'

import type { Paths } from '../../kernel/paths.js'
import { isSamePath } from '../../kernel/same-path.js'

/** Programs whose logins can be taken over. */
export const FOREIGN_SOURCES = [
  'codex',
  'opencode',
  'codex-auth',
  'codex-multi-auth',
  'oc-chatgpt-multi-auth',
  'opencode-codex-auth',
] as const

/** A program whose logins can be taken over. */
export type ForeignSource = (typeof FOREIGN_SOURCES)[number]

/** How the programs are called in texts. */
export const SOURCE_TITLES: Readonly<Record<ForeignSource, string>> = {
  codex: 'Codex CLI',
  opencode: 'OpenCode',
  'codex-auth': 'codex-auth',
  'codex-multi-auth': 'codex-multi-auth',
  'oc-chatgpt-multi-auth': 'oc-chatgpt-multi-auth',
  'opencode-codex-auth': 'opencode-codex-auth',
}

/** A file, or the files of a folder whose names end in `ending`. */
export interface Place {
  readonly path: string
  readonly ending?: string
}

export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly paths: Pick<Paths, 'home' | 'root' | 'hostAuthFile' | 'hostConfigDir'>
  /** Root of the project, where one is open. */
  readonly projectRoot?: string | undefined
}

/** Account file of the forerunners of this plugin and of their relatives. */
const FORERUNNER_FILE = 'openai-codex-accounts.json'

/**
 * Where a program keeps its logins, in the order of its own search; reads no disk. Codex CLI and what is built on it
 * follow `CODEX_HOME`, OpenCode the XDG folders.
 */
export function placesOf(
  source: ForeignSource,
  { env, paths, projectRoot }: Surroundings,
): readonly Place[] {
  const codexHome = set(env.CODEX_HOME) ?? path.join(paths.home, '.codex')
  switch (source) {
    case 'codex':
      return [{ path: path.join(codexHome, 'auth.json') }]
    case 'opencode':
      return [{ path: paths.hostAuthFile }]
    case 'codex-auth':
      return [
        { path: path.join(codexHome, 'accounts'), ending: '.auth.json' },
        { path: path.join(codexHome, 'accounts.json') },
      ]
    case 'codex-multi-auth':
      return [
        {
          path: path.join(
            set(env.CODEX_MULTI_AUTH_DIR) ?? path.join(codexHome, 'multi-auth'),
            FORERUNNER_FILE,
          ),
        },
      ]
    case 'oc-chatgpt-multi-auth':
      return [
        { path: path.join(paths.root, FORERUNNER_FILE) },
        ...(projectRoot === undefined
          ? []
          : [{ path: path.join(projectRoot, '.opencode', FORERUNNER_FILE) }]),
      ]
    case 'opencode-codex-auth':
      return [
        { path: path.join(paths.hostConfigDir, 'codex-accounts.json') },
        { path: path.join(paths.hostConfigDir, FORERUNNER_FILE) },
      ]
  }
}

/** The program a file belongs to, told by where it lies; undefined for any other place. */
export function sourceAt(file: string, surroundings: Surroundings): ForeignSource | undefined {
  return FOREIGN_SOURCES.find((source) =>
    placesOf(source, surroundings).some((place) =>
      place.ending === undefined
        ? isSamePath(place.path, file)
        : isSamePath(place.path, path.dirname(file)) && file.endsWith(place.ending),
    ),
  )
}

function set(value: string | undefined): string | undefined {
  return value === undefined || value.trim() === '' ? undefined : value.trim()
}
