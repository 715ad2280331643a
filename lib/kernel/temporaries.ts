import { lstat, readdir, realpath, unlink } from 'node:fs/promises'
import path from 'node:path'

import { findAbandonedLocks, sweepLocks } from './lock-sweep.js'
import type { Paths } from './paths.js'
import { isProvablyDead } from './process-identity.js'
import { parseTemporaryName } from './temporary-names.js'

/** A temporary file of ours this old was left by a process that died: a write takes milliseconds. */
const STALE_TEMPORARY_MS = 60 * 60_000

/**
 * The temporary files of ours in a folder that nobody will finish: older than an hour, or made by a process that is
 * provably dead. Whatever they were to become; never a link, folder or device, and nothing below the folder.
 * @param nowMs epoch ms
 * @returns full paths; none when the folder cannot be read
 */
export async function findStaleTemporaries(
  folder: string,
  nowMs: number,
): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => [])
  const stale = await Promise.all(
    names.map(async (name) => {
      const made = parseTemporaryName(name)
      if (made === undefined) return undefined
      const file = path.join(folder, name)
      const found = await lstat(file).catch(() => undefined)
      if (found?.isFile() !== true) return undefined
      return nowMs - found.mtimeMs > STALE_TEMPORARY_MS || isProvablyDead(made) ? file : undefined
    }),
  )
  return stale.filter((file) => file !== undefined)
}

/**
 * Removes the stale temporary files of ours in a folder: see `findStaleTemporaries`. They may hold tokens.
 * Never throws: what cannot be removed stays for the next one.
 * @param nowMs epoch ms
 * @returns what was removed, full paths
 */
export async function sweepTemporaries(folder: string, nowMs: number): Promise<readonly string[]> {
  const stale = await findStaleTemporaries(folder, nowMs)
  const removed = await Promise.all(
    stale.map((file) =>
      unlink(file).then(
        () => file,
        () => undefined,
      ),
    ),
  )
  return removed.filter((file) => file !== undefined)
}

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
