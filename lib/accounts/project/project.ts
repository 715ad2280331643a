import * as fs from 'node:fs'
import path from 'node:path'

import { ACCOUNTS_FILE, type Paths } from '../../kernel/files/paths.js'
import {
  canonicalPath,
  type FileSystem,
  isSamePath,
  pathsOf,
  plainPath,
  remembering,
  systemFiles,
} from '../../kernel/files/same-path.js'
import { sha256Hex } from '../../kernel/hash.js'
import { gitPlaceOf } from './git-place.js'

/** What marks the root of a project (docs/development/facts/other-plugins.md#files). */
const MARKERS = ['.git', 'package.json', 'Cargo.toml', 'go.mod', 'pyproject.toml', '.opencode']
const MAX_NAME = 40

/**
 * The nearest folder at or above `directory` that holds a project marker; undefined when there is none. The home folder
 * never counts: our own `~/.opencode` would make a project of it.
 */
export function findProjectRoot(
  directory: string,
  home: string,
  disk: FileSystem = systemFiles,
): string | undefined {
  const files = remembering(disk)
  const written = nearest(plainPath(directory, files.platform), home, MARKERS, files)
  const real = nearest(canonicalPath(directory, files), home, MARKERS, files)
  // The path as the user writes it, as long as it leads to the same place: it is shown.
  const isShown = written !== undefined && real !== undefined && isSamePath(written, real, files)
  return real === undefined || isShown ? written : real
}

/**
 * Key of a project: readable name and hash of its path, as the earlier plugin builds it
 * (docs/development/facts/other-plugins.md#files).
 */
export function projectKeyOf(root: string, platform: NodeJS.Platform = process.platform): string {
  const slashes = pathsOf(platform).resolve(root).replaceAll('\\', '/')
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
  /**
   * Other keys of the same project: the worktree's own, by the path as it was written, and by spellings that earlier
   * versions did not take for one. Rules kept there still count.
   */
  readonly aliases: readonly string[]
  /** Keys of the repository around a project that is a part of it, whose fence counts inside too. */
  readonly above: readonly string[]
  /** Keys of a repository that the folder says it is a worktree of and that does not list it: its fence counts, and nothing else of it. */
  readonly claimed?: readonly string[]
}

/**
 * The keys of the project that a folder belongs to; undefined when it belongs to none. Paths are compared as the file
 * system does, so that a fence holds by whatever link, case or worktree the folder is entered.
 */
export function projectKeysOf(
  directory: string,
  home: string,
  files: FileSystem = systemFiles,
): ProjectKeys | undefined {
  return projectAt(directory, home, files)?.keys
}

/** A project with the keys that a pool of its own may have, in the order they are looked for. */
function projectAt(
  directory: string,
  home: string,
  disk: FileSystem,
): { readonly keys: ProjectKeys; readonly pools: readonly string[] } | undefined {
  const files = remembering(disk)
  const system = pathsOf(files.platform)
  const written = nearest(system.resolve(directory), home, MARKERS, files)
  const real =
    nearest(canonicalPath(directory, files), home, MARKERS, files) ??
    (written === undefined ? undefined : canonicalPath(written, files))
  if (real === undefined) return undefined
  const repository = nearest(real, home, ['.git'], files) ?? real
  const part = system.relative(repository, real)
  const { main, before, claimed } = gitPlaceOf(repository)
  const keyOf = (folder: string): string => projectKeyOf(folder, files.platform)
  const others = (folders: readonly string[], known: readonly string[]): string[] =>
    [...new Set(folders.map(keyOf))].filter((one) => !known.includes(one))
  const key = keyOf(system.join(main, part))
  const aliases = others(
    [
      real,
      ...(written === undefined ? [] : [written]),
      ...before.map((folder) => system.join(folder, part)),
      ...formerSpellings(system.join(main, part), files),
      ...(main === repository ? [] : formerSpellings(real, files)),
    ],
    [key],
  )
  const above = others([main, repository, ...before], [key, ...aliases])
  const claims = claimed.flatMap((folder) => [folder, system.join(folder, part)])
  const keys = {
    key,
    aliases,
    above,
    ...(claims.length > 0 && { claimed: others(claims, [key, ...aliases, ...above]) }),
  }
  // A worktree may have a pool of its own; else one pool serves a project by whatever path it is entered.
  const own = main === repository ? [] : [real, ...(written === undefined ? [] : [written])]
  return { keys, pools: [...new Set([...own.map(keyOf), key, ...aliases])] }
}

/** Spellings of a real folder under which it may have a key from before they were known to be one, as far as they can be told. */
function formerSpellings(real: string, files: FileSystem): readonly string[] {
  if (files.platform === 'win32')
    return real.startsWith('\\\\') ? [`\\\\?\\UNC${real.slice(1)}`] : [`\\\\?\\${real}`]
  const id = files.identity(real)?.id
  if (id === undefined) return []
  const [, linked] = /^\/private(\/(?:var|tmp|etc)\/.*)$/s.exec(real) ?? []
  const places = [...(linked === undefined ? [] : [linked]), `/System/Volumes/Data${real}`]
  const letters = [real.toLowerCase(), real.normalize('NFC'), real.normalize('NFD')]
  return [...new Set([...(files.platform === 'darwin' ? places : []), ...letters])].filter(
    (one) => one !== real && files.identity(one)?.id === id,
  )
}

/** Which account file serves a folder. */
export interface PoolScope {
  readonly kind: 'global' | 'project'
  readonly file: string
  /** The project's keys, also when the global pool serves it. */
  readonly project?: ProjectKeys
  /** Account files of the same project under older keys, which another of it keeps from being used. */
  readonly passedOver?: readonly string[]
}

/**
 * The project's own pool where one exists, else the global one. A project pool is never made by looking at it: copying
 * accounts would put one refresh token into two files. A pool of the worktree itself goes first, then the project's, then
 * one that was kept under an older key.
 */
export function resolvePoolScope(
  paths: Paths,
  directory: string,
  perProjectAccounts: boolean,
): PoolScope {
  const place = projectAt(directory, paths.home, systemFiles)
  if (place === undefined) return { kind: 'global', file: paths.accountsFile }
  const { keys: project, pools } = place
  const found = perProjectAccounts
    ? pools.map((key) => projectAccountsFile(paths, key)).filter((one) => fs.existsSync(one))
    : []
  const [file, ...others] = found
  if (file === undefined) return { kind: 'global', file: paths.accountsFile, project }
  const own = projectAccountsFile(paths, project.key)
  return { kind: 'project', file, project, passedOver: others.filter((one) => one !== own) }
}

/** The nearest folder at or above `start` that holds one of these; the home folder never counts. */
function nearest(
  start: string,
  home: string,
  names: readonly string[],
  files: FileSystem,
): string | undefined {
  const system = pathsOf(files.platform)
  for (let current = start; ; current = system.dirname(current)) {
    const isMarked = names.some((name) => files.identity(system.join(current, name)) !== undefined)
    if (isMarked && !isSamePath(current, home, files)) return current
    if (system.dirname(current) === current) return undefined
  }
}
