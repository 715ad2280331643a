import { spawnSync } from 'node:child_process'
import { existsSync, lstatSync } from 'node:fs'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'

import { DEBIAN_SUITE, MIN_WINE_MAJOR } from './pins.js'

/** A Wine that can be started. */
export interface Wine {
  /** Folder that is its `/`; empty without a chroot. */
  readonly root: string
  /** Path inside that folder. */
  readonly program: string
  readonly version: string
}

/** One Wine with its own registry and drive C:. Everything on it is given as paths of this machine. */
export interface Prefix {
  readonly wine: Wine
  readonly folder: string
}

type Found = { readonly wine: Wine } | { readonly missing: string }

/** Where chroots and packages are kept from one run to the next, outside the repository. */
export function cacheFolder(env: NodeJS.ProcessEnv): string {
  const cache = env.XDG_CACHE_HOME ?? path.join(os.homedir(), '.cache')
  return path.join(cache, 'oc-codex-multi-auth-windows')
}

/**
 * Looks for Wine: `WINE`, the chroot named by `WINDOWS_TEST_ROOT`, `wine` in the search path, a chroot made before; makes one
 * as the last resort.
 * @param say gets a line about what takes long
 */
export async function findWine(
  env: NodeJS.ProcessEnv,
  say: (line: string) => void,
): Promise<Found> {
  if (env.WINE !== undefined && env.WINE !== '') {
    const version = versionOf('', env.WINE)
    return isNewEnough(version)
      ? { wine: { root: '', program: env.WINE, version } }
      : { missing: `WINE names ${env.WINE}, which is ${version || 'no Wine that starts'}` }
  }
  const chosenRoot = env.WINDOWS_TEST_ROOT
  if (chosenRoot === undefined) {
    const version = versionOf('', 'wine')
    if (isNewEnough(version)) return { wine: { root: '', program: 'wine', version } }
  }
  const root = chosenRoot ?? path.join(cacheFolder(env), 'root')
  if (process.getuid?.() !== 0)
    return { missing: 'there is none in the search path, and only root can make a chroot with it' }
  // Whatever is there stays: it may be somebody's system. Only what is not there at all is made.
  if (lstatSync(root, { throwIfNoEntry: false }) === undefined) {
    const problem = await makeChroot(root, say)
    if (problem !== undefined) return { missing: problem }
  }
  const version = versionOf(root, '/usr/bin/wine')
  if (!isNewEnough(version))
    return { missing: `the one in ${root} is ${version || 'none that starts'}` }
  // Windows knows the name by itself, Wine asks this system; a chroot made with debootstrap has no such file.
  await writeFile(path.join(root, 'etc', 'hosts'), '127.0.0.1 localhost\n::1 localhost\n', {
    flag: 'wx',
  }).catch(() => undefined)
  return { wine: { root, program: '/usr/bin/wine', version } }
}

/** The command that starts a Windows program: nothing of this environment gets in. */
export function wineCommand(
  { wine, folder }: Prefix,
  cwd: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): string[] {
  return entering(wine, folder, ['sh', '-c', 'cd "$0" && exec "$@"'], env).concat(
    insideOf(wine, cwd),
    wine.program,
    args,
  )
}

/** The command that ends every Windows process of a prefix. */
export function endCommand({ wine, folder }: Prefix): string[] {
  const server =
    wine.program === 'wine' ? 'wineserver' : path.join(path.dirname(wine.program), 'wineserver')
  return entering(wine, folder, [server, '-k'], {})
}

/** How a Windows program names a file of this machine. */
export function dosPath({ wine, folder }: Prefix, file: string): string {
  const onDriveC = path.relative(path.join(folder, 'drive_c'), file)
  return onDriveC.startsWith('..')
    ? `Z:${insideOf(wine, file).replaceAll('/', '\\')}`
    : `C:\\${onDriveC.replaceAll('/', '\\')}`
}

function entering(
  wine: Wine,
  prefix: string,
  command: readonly string[],
  env: Readonly<Record<string, string>>,
): string[] {
  const variables = {
    HOME: insideOf(wine, path.dirname(prefix)),
    PATH: wine.root === '' ? (process.env.PATH ?? '') : '/usr/bin:/bin',
    // Without it Wine cannot name a file with an umlaut.
    LC_ALL: 'C.UTF-8',
    WINEDEBUG: '-all',
    // No menus for the desktop, no questions about a browser or .NET.
    WINEDLLOVERRIDES: 'winemenubuilder.exe,mscoree,mshtml=d',
    WINEPREFIX: insideOf(wine, prefix),
    ...env,
  }
  return [
    ...intoRoot(wine.root),
    'env',
    '-i',
    ...Object.entries(variables).map(([name, value]) => `${name}=${value}`),
    ...command,
  ]
}

/** Wine does not start without /proc. It is put there for this command alone, where the machine has none there already. */
function intoRoot(root: string): string[] {
  if (root === '') return []
  if (existsSync(path.join(root, 'proc', 'self'))) return ['chroot', root]
  const script = 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"'
  return ['unshare', '--mount', 'sh', '-c', script, root]
}

function insideOf({ root }: Wine, file: string): string {
  if (root === '') return file
  const relative = path.relative(root, file)
  if (relative.startsWith('..')) throw new Error(`${file} is not in ${root}`)
  return `/${relative}`
}

/** Empty when it does not start. */
function versionOf(root: string, program: string): string {
  const [file, ...args] = [...intoRoot(root), program, '--version']
  const { output } = spawnSync(file, args, { encoding: 'utf8', timeout: 60_000 })
  // Its output is null when there is no such program.
  return /wine-\d[\w.]*/.exec(String(output))?.[0] ?? ''
}

function isNewEnough(version: string): boolean {
  return Number(/\d+/.exec(version)?.[0]) >= MIN_WINE_MAJOR
}

/** @returns what stands in the way */
async function makeChroot(root: string, say: (line: string) => void): Promise<string | undefined> {
  if (!existsSync('/etc/debian_version'))
    return 'there is none in the search path, and only a Debian or Ubuntu can make a chroot with it'
  if (process.arch !== 'x64') return 'a chroot with it needs an x64 processor'
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const run = (file: string, ...args: string[]): boolean =>
    spawnSync(file, args, { stdio: ['ignore', 'ignore', 'ignore'], env }).status === 0
  if (!run('which', 'debootstrap')) {
    say('installing debootstrap')
    run('apt-get', 'update', '-qq')
    if (!run('apt-get', 'install', '-y', '-qq', '--no-install-recommends', 'debootstrap'))
      return 'debootstrap, which would make a chroot with it, cannot be installed'
  }
  say(
    `making a chroot of Debian ${DEBIAN_SUITE} with Wine in ${root}, this once (1.6 GB, about 90 s)`,
  )
  // Under another name until it is whole, so that what is half there never passes for one and is ours to remove.
  const work = `${root}.${process.pid}.new`
  await mkdir(path.dirname(root), { recursive: true })
  if (run('debootstrap', '--variant=minbase', '--include=wine,wine64', DEBIAN_SUITE, work)) {
    await rename(work, root)
    return undefined
  }
  run('rm', '-rf', '--one-file-system', work)
  return `debootstrap could not make a chroot of Debian ${DEBIAN_SUITE} in ${root}`
}
