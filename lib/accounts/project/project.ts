import * as fs from 'node:fs'
import path from 'node:path'

import { readBoundedFileSync } from '../../kernel/files/bounded-file.js'
import { ACCOUNTS_FILE, type Paths } from '../../kernel/files/paths.js'
import { canonicalPath, isSamePath } from '../../kernel/files/real-path.js'
import { sha256Hex } from '../../kernel/hash.js'

/** What marks the root of a project (docs/development/facts/other-plugins.md#files). */
const MARKERS = ['.git', 'package.json', 'Cargo.toml', 'go.mod', 'pyproject.toml', '.opencode']
const MAX_NAME = 40
/** Files in which git writes one path, bytes. */
const MAX_LINK_BYTES = 8 * 1024

/**
 * The nearest folder at or above `directory` that holds a project marker; undefined when there is none. The home folder
 * never counts: our own `~/.opencode` would make a project of it.
 */
export function findProjectRoot(directory: string, home: string): string | undefined {
  const written = nearest(path.resolve(directory), home, MARKERS)
  const real = nearest(canonicalPath(directory), home, MARKERS)
  // The path as the user writes it, as long as it leads to the same place: it is shown.
  return real === undefined || (written !== undefined && isSamePath(written, real)) ? written : real
}

/**
 * Key of a project: readable name and hash of its path, as the earlier plugin builds it
 * (docs/development/facts/other-plugins.md#files).
 */
export function projectKeyOf(root: string, platform: NodeJS.Platform = process.platform): string {
  const slashes = path.resolve(root).replaceAll('\\', '/')
  const normalised = platform === 'win32' ? slashes.toLowerCase() : slashes
  const name = path.posix
    .basename(normalised)
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, MAX_NAME)
  const hash = sha256Hex(normalised).slice(0, 12)
  return `${name === '' ? 'project' : name}-${hash}`
}

/** Path of a project's own account file. */
export function projectAccountsFile(paths: Paths, projectKey: string): string {
  return path.join(paths.projectsDir, projectKey, ACCOUNTS_FILE)
}

/** How the rules of a project are found. */
export interface ProjectKeys {
  /** The key new rules are kept under: that of the real folder, or of the main repository where the folder is a worktree of it. */
  readonly key: string
  /** Other keys of the same project: by the path as it was written, and by the worktree's own. Rules kept there still count. */
  readonly aliases: readonly string[]
  /** Keys of the repository around a project that is a part of it, whose fence counts inside too. */
  readonly above: readonly string[]
}

/**
 * The keys of the project that a folder belongs to; undefined when it belongs to none. Paths are compared as the file
 * system does, so that a fence holds by whatever link, case or worktree the folder is entered.
 */
export function projectKeysOf(directory: string, home: string): ProjectKeys | undefined {
  const written = nearest(path.resolve(directory), home, MARKERS)
  const real =
    nearest(canonicalPath(directory), home, MARKERS) ??
    (written === undefined ? undefined : canonicalPath(written))
  if (real === undefined) return undefined
  const repository = nearest(real, home, ['.git']) ?? real
  const main = mainRepositoryOf(repository) ?? repository
  const key = projectKeyOf(path.join(main, path.relative(repository, real)))
  const others = (paths: readonly string[], known: readonly string[]): string[] =>
    [...new Set(paths.map((one) => projectKeyOf(one)))].filter((one) => !known.includes(one))
  const aliases = others([real, ...(written === undefined ? [] : [written])], [key])
  return { key, aliases, above: others([main, repository], [key, ...aliases]) }
}

/** Which account file serves a folder. */
export interface PoolScope {
  readonly kind: 'global' | 'project'
  readonly file: string
  /** The project's keys, also when the global pool serves it. */
  readonly project?: ProjectKeys
}

/**
 * The project's own pool where one exists, else the global one. A project pool is never made by looking at it: copying
 * accounts would put one refresh token into two files. A pool kept under an older key of the folder itself goes first.
 */
export function resolvePoolScope(
  paths: Paths,
  directory: string,
  perProjectAccounts: boolean,
): PoolScope {
  const project = projectKeysOf(directory, paths.home)
  if (project === undefined) return { kind: 'global', file: paths.accountsFile }
  const files = [...[...project.aliases].reverse(), project.key].map((key) =>
    projectAccountsFile(paths, key),
  )
  const file = perProjectAccounts ? files.find((one) => fs.existsSync(one)) : undefined
  return file === undefined
    ? { kind: 'global', file: paths.accountsFile, project }
    : { kind: 'project', file, project }
}

/** The nearest folder at or above `start` that holds one of these; the home folder never counts. */
function nearest(start: string, home: string, names: readonly string[]): string | undefined {
  for (let current = start; ; current = path.dirname(current)) {
    const isMarked = names.some((name) => fs.existsSync(path.join(current, name)))
    if (isMarked && !isSamePath(current, home)) return current
    if (path.dirname(current) === current) return undefined
  }
}

/**
 * The main repository of a linked worktree, by git's own files; undefined for everything else, such as a submodule. Only a
 * worktree that the repository itself lists counts: any folder can claim to be one.
 */
function mainRepositoryOf(worktree: string): string | undefined {
  const link = path.join(worktree, '.git')
  const gitDir = pathIn(link, worktree, 'gitdir:')
  const common =
    gitDir === undefined ? undefined : pathIn(path.join(gitDir, 'commondir'), gitDir, '')
  const back = gitDir === undefined ? undefined : pathIn(path.join(gitDir, 'gitdir'), gitDir, '')
  if (gitDir === undefined || common === undefined || back === undefined) return undefined
  const repository = canonicalPath(common)
  if (
    path.dirname(canonicalPath(gitDir)) !== path.join(repository, 'worktrees') ||
    !isSamePath(back, link)
  )
    return undefined
  return path.basename(repository) === '.git' ? path.dirname(repository) : repository
}

/** The path that a small file of git's holds behind `head`, from `folder`. */
function pathIn(file: string, folder: string, head: string): string | undefined {
  try {
    const line = readBoundedFileSync(fs, file, MAX_LINK_BYTES)?.split(/\r?\n/, 1)[0]?.trim()
    if (line === undefined || !line.startsWith(head)) return undefined
    const target = line.slice(head.length).trim()
    return target === '' ? undefined : path.resolve(folder, target)
  } catch {
    // A folder: the main repository keeps its own data there.
    return undefined
  }
}
