import { lstat, readdir, realpath, stat } from 'node:fs/promises'
import path from 'node:path'

import {
  LOCK_FOLDER_MODE,
  LOCK_FOLDER_SUFFIX,
  LONG_GONE_MS,
  parseOwnerName,
} from '../lock/lock-files.js'
import { tryLock } from '../lock/lock.js'
import { isProvablyDead } from '../lock/process-identity.js'
import type { Paths } from './paths.js'
import { findStaleTemporaries, sweepTemporaries } from './temporaries.js'

/** Every folder we write to by ourselves, links resolved, each once. Beside an exported file the next export sweeps. */
export async function foldersWrittenTo(paths: Paths): Promise<readonly string[]> {
  const files = [
    paths.accountsFile,
    paths.flaggedFile,
    paths.configFile,
    paths.quotaFile,
    paths.historyFile,
    paths.affinityFile,
    paths.noticesFile,
    paths.tuiFile,
    paths.hostAuthFile,
  ]
  const roots = await Promise.all(files.map((file) => realpath(file).catch(() => file)))
  const projects = await readdir(paths.projectsDir).catch(() => [])
  const stores = [
    paths.root,
    ...roots.map((file) => path.dirname(file)),
    ...projects.map((name) => path.join(paths.projectsDir, name)),
  ]
  const all = [
    ...stores,
    ...stores.flatMap((folder) => [path.join(folder, 'refresh'), path.join(folder, 'backups')]),
    ...[
      paths.projectsDir,
      paths.backupsDir,
      paths.cacheDir,
      paths.logsDir,
      paths.stateDir,
      paths.hostConfigDir,
      ...paths.spareRefreshDirs,
    ],
  ]
  const real = await Promise.all(all.map((folder) => realpath(folder).catch(() => undefined)))
  return [...new Set(real)].filter((folder) => folder !== undefined)
}

/**
 * What killed processes left in a folder: stale temporary files and abandoned locks. Changes nothing.
 * @param nowMs epoch ms
 * @returns full paths
 */
export async function findLeftovers(folder: string, nowMs: number): Promise<readonly string[]> {
  return (
    await Promise.all([findStaleTemporaries(folder, nowMs), findAbandonedLocks(folder, nowMs)])
  ).flat()
}

/**
 * Removes what `findLeftovers` finds. Never throws.
 * @param nowMs epoch ms
 * @returns what was removed, full paths
 */
export async function sweepFolder(folder: string, nowMs: number): Promise<readonly string[]> {
  return (await Promise.all([sweepTemporaries(folder, nowMs), sweepLocks(folder, nowMs)])).flat()
}

/**
 * Sweeps every folder we write to, projects too. Never throws.
 * @param nowMs epoch ms
 * @returns what was removed, full paths
 */
export async function sweepEverywhere(paths: Paths, nowMs: number): Promise<readonly string[]> {
  const folders = await foldersWrittenTo(paths)
  return (await Promise.all(folders.map((folder) => sweepFolder(folder, nowMs)))).flat()
}

/** How locks of ours are called: the account file's, those of shared files, and leases by the hash of their token. */
const OUR_LOCKS = /^(?:oc-codex-multi-auth-.+|.+\.transaction|[0-9a-f]{32})\.lock$/s
/** A folder without an owner: one of ours is in that state for a millisecond; that of the earlier plugin is renewed every few seconds. */
const OUR_FOLDER_MS = 60_000
const FOREIGN_FOLDER_MS = 60 * 60_000
const SWEEP_STALE_MS = 10_000

/**
 * Locks and leases of ours in a folder that nobody holds any more and perhaps nobody will come back for: the name of a
 * lease is the hash of a token that is spent by then.
 * @param nowMs epoch ms
 * @returns full paths of the `.lock` folders, which need not exist; none when the folder cannot be read
 */
export async function findAbandonedLocks(
  folder: string,
  nowMs: number,
): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => [])
  const owned = new Map<string, boolean>()
  for (const name of names) {
    const owner = parseOwnerName(name)
    if (owner === undefined) continue
    const isDead =
      isProvablyDead(owner) || (await isOlder(path.join(folder, name), nowMs, LONG_GONE_MS))
    owned.set(owner.folder, isDead && owned.get(owner.folder) !== false)
  }
  const alone = names.filter((name) => OUR_LOCKS.test(name) && !owned.has(name))
  const abandoned = await Promise.all(
    alone.map(async (name) =>
      (await isLeftFolder(path.join(folder, name), nowMs)) ? name : undefined,
    ),
  )
  const dead = [...owned].filter(([, isDead]) => isDead).map(([name]) => name)
  return [...dead, ...abandoned.filter((name) => name !== undefined)].map((name) =>
    path.join(folder, name),
  )
}

/**
 * Removes abandoned locks by taking and giving them back, so that a sweep is never in the way of a live one.
 * Never throws.
 * @param nowMs epoch ms
 * @returns the `.lock` folders removed, full paths
 */
export async function sweepLocks(folder: string, nowMs: number): Promise<readonly string[]> {
  const removed: string[] = []
  for (const found of await findAbandonedLocks(folder, nowMs)) {
    const lock = await tryLock(found.slice(0, -LOCK_FOLDER_SUFFIX.length), SWEEP_STALE_MS).catch(
      () => undefined,
    )
    await lock?.release()
    if (lock !== undefined) removed.push(found)
  }
  return removed
}

async function isLeftFolder(folder: string, nowMs: number): Promise<boolean> {
  const found = await lstat(folder).catch(() => undefined)
  if (found?.isDirectory() !== true) return false
  const isOurs = (found.mode & 0o777) === LOCK_FOLDER_MODE
  return nowMs - found.mtimeMs > (isOurs ? OUR_FOLDER_MS : FOREIGN_FOLDER_MS)
}

async function isOlder(file: string, nowMs: number, ageMs: number): Promise<boolean> {
  const found = await stat(file).catch(() => undefined)
  return found !== undefined && nowMs - found.mtimeMs > ageMs
}
