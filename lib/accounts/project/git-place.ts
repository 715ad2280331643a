import * as fs from 'node:fs'
import path from 'node:path'

import { MAX_CONFIG_BYTES, readBoundedFileSync } from '../../kernel/files/bounded-file.js'
import { canonicalPath, isInside, isSamePath } from '../../kernel/files/same-path.js'

/** Files in which git writes one path, bytes. */
const MAX_LINK_BYTES = 8 * 1024
/** Submodules in submodules that are looked through. */
const MAX_DEPTH = 8

/** What git's own files say of the folder that has a `.git`. */
export interface GitPlace {
  /** The folder that stands for the project in all its worktrees. */
  readonly main: string
  /** Other folders of the same repository, under which earlier versions kept it. */
  readonly before: readonly string[]
  /** Repositories that the folder says it belongs to and that do not list it: moved by hand, or a lie. */
  readonly claimed: readonly string[]
}

/**
 * Where a repository really belongs. Only a worktree or submodule that the repository itself lists counts as one of it:
 * any folder can claim to be one.
 * @param root its real path
 */
export function gitPlaceOf(root: string, depth = 0): GitPlace {
  const alone = { main: root, before: [], claimed: [] }
  const link = path.join(root, '.git')
  const gitDir = gitDirAt(root)
  if (gitDir === undefined || depth > MAX_DEPTH) return alone
  const common = pathIn(path.join(gitDir, 'commondir'), gitDir)
  if (common === undefined) return ownTree(root, gitDir, depth)
  const repository = canonicalPath(common)
  const owner = ownerOf(repository, depth)
  const back = pathIn(path.join(gitDir, 'gitdir'), gitDir)
  const isListed = path.dirname(gitDir) === path.join(repository, 'worktrees')
  return isListed && back !== undefined && isSamePath(back, link)
    ? owner
    : { ...alone, claimed: [owner.main, ...owner.before] }
}

/** A folder whose repository lies elsewhere: a submodule, the folder of a bare repository, or `--separate-git-dir`. */
function ownTree(root: string, gitDir: string, depth: number): GitPlace {
  const place = { main: root, before: [], claimed: [] }
  if (path.dirname(gitDir) === root) return { ...place, before: [gitDir] }
  const tree = treeIn(gitDir)
  if (tree !== undefined && isSamePath(tree, root))
    return { ...place, main: inMainTree(root, gitDir, depth) }
  // Its worktrees are known by the repository, and a fence of theirs counts here.
  return fs.existsSync(path.join(gitDir, 'HEAD')) ? { ...place, claimed: [gitDir] } : place
}

/** The same submodule in the main tree of the repository around it, where it lies in one of its worktrees. */
function inMainTree(root: string, gitDir: string, depth: number): string {
  for (let around = path.dirname(root); ; around = path.dirname(around)) {
    if (fs.existsSync(path.join(around, '.git'))) {
      const modules = path.join(gitDirAt(around) ?? path.join(around, '.git'), 'modules')
      const { main } = gitPlaceOf(around, depth + 1)
      return isInside(modules, gitDir) ? path.join(main, path.relative(around, root)) : root
    }
    if (path.dirname(around) === around) return root
  }
}

/** The folder that stands for a repository with worktrees: where it was checked out first, or what holds its data. */
function ownerOf(repository: string, depth: number): GitPlace {
  const parent = path.dirname(repository)
  if (path.basename(repository) === '.git') return { main: parent, before: [], claimed: [] }
  const tree = treeIn(repository)
  for (const root of tree === undefined ? [parent] : [canonicalPath(tree), parent])
    if (gitDirAt(root) === repository)
      return { ...gitPlaceOf(root, depth + 1), before: [repository] }
  return { main: repository, before: [], claimed: [] }
}

/** Where the `.git` file of a folder leads; undefined where `.git` is a folder, and for every other folder. */
function gitDirAt(root: string): string | undefined {
  const named = pathIn(path.join(root, '.git'), root, 'gitdir:')
  return named === undefined ? undefined : canonicalPath(named)
}

/** The path that a small file of git's holds behind `head`, from `folder`. */
function pathIn(file: string, folder: string, head = ''): string | undefined {
  const line = textOf(file, MAX_LINK_BYTES)?.split(/\r?\n/, 1)[0]?.trim()
  if (line === undefined || !line.startsWith(head)) return undefined
  const target = line.slice(head.length).trim()
  return target === '' ? undefined : path.resolve(folder, target)
}

/** The folder that a repository names as its tree (`core.worktree`; with `extensions.worktreeConfig` it has a file of its own). */
function treeIn(repository: string): string | undefined {
  for (const name of ['config.worktree', 'config']) {
    const tree = coreWorktree(textOf(path.join(repository, name), MAX_CONFIG_BYTES) ?? '')
    if (tree !== undefined) return path.resolve(repository, tree)
  }
  return undefined
}

function coreWorktree(config: string): string | undefined {
  let section = ''
  let found: string | undefined
  for (const line of config.split(/\r?\n/)) {
    section = /^\s*\[([^\]]*)\]/.exec(line)?.[1]?.trim().toLowerCase() ?? section
    const value = /^\s*(?:\[core\]\s*)?worktree\s*=\s*(.*?)\s*$/i.exec(line)?.[1]
    if (section === 'core' && value !== undefined)
      found = value.replace(/^"(.*)"$/, '$1').replace(/\\(["\\])/g, '$1')
  }
  return found
}

function textOf(file: string, maxBytes: number): string | undefined {
  try {
    return readBoundedFileSync(fs, file, maxBytes)
  } catch {
    // A folder: the main repository keeps its own data there.
    return undefined
  }
}
