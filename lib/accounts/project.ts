import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import path from 'node:path'

import { ACCOUNTS_FILE, type Paths } from '../kernel/paths.js'

/** What marks the root of a project (peer facts §2.1). */
const MARKERS = ['.git', 'package.json', 'Cargo.toml', 'go.mod', 'pyproject.toml', '.opencode']
const MAX_NAME = 40

/**
 * The nearest folder at or above `directory` that holds a project marker; undefined when there is none. The home folder
 * never counts: our own `~/.opencode` would make a project of it.
 */
export function findProjectRoot(directory: string, home: string): string | undefined {
  let current = path.resolve(directory)
  for (;;) {
    if (current !== path.resolve(home) && MARKERS.some((marker) => existsSync(path.join(current, marker)))) return current
    const parent = path.dirname(current)
    if (parent === current) return undefined
    current = parent
  }
}

/** Key of a project: readable name and hash of its path, as the earlier plugin builds it (peer facts §2.1). */
export function projectKeyOf(root: string, platform: NodeJS.Platform = process.platform): string {
  const slashes = path.resolve(root).replaceAll('\\', '/')
  const normalised = platform === 'win32' ? slashes.toLowerCase() : slashes
  const name = path.posix.basename(normalised).replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^-+|-+$/g, '').slice(0, MAX_NAME)
  const hash = createHash('sha256').update(normalised).digest('hex').slice(0, 12)
  return `${name === '' ? 'project' : name}-${hash}`
}

/** Path of a project's own account file. */
export function projectAccountsFile(paths: Paths, projectKey: string): string {
  return path.join(paths.projectsDir, projectKey, ACCOUNTS_FILE)
}

/** Which account file serves a folder. */
export interface PoolScope {
  readonly kind: 'global' | 'project'
  readonly file: string
  /** Key of the project, also when the global pool serves it. */
  readonly projectKey?: string
}

/**
 * The project's own pool where one exists, else the global one. A project pool is never made by looking at it: copying
 * accounts would put one refresh token into two files.
 */
export function resolvePoolScope(paths: Paths, directory: string, perProjectAccounts: boolean): PoolScope {
  const root = findProjectRoot(directory, paths.home)
  if (root === undefined) return { kind: 'global', file: paths.accountsFile }
  const projectKey = projectKeyOf(root)
  const file = projectAccountsFile(paths, projectKey)
  if (perProjectAccounts && existsSync(file)) return { kind: 'project', file, projectKey }
  return { kind: 'global', file: paths.accountsFile, projectKey }
}
