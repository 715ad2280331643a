import { readdir, rm } from 'node:fs/promises'
import path from 'node:path'

import { systemCode } from '../kernel/errors.js'
import type { Paths } from '../kernel/paths.js'

import { entryKind } from './plugin-entries.js'

/**
 * Folders in which OpenCode keeps installed copies of this package (`packages/<spec>/`, and the older
 * `node_modules/<name>/`). OpenCode never looks for a newer version while one is there (host facts §1).
 */
export async function cachedCopies(paths: Paths): Promise<string[]> {
  const packages = path.join(paths.hostCacheDir, 'packages')
  const modules = path.join(paths.hostCacheDir, 'node_modules')
  const found = await Promise.all([packages, modules].map(async (folder) => (await namesIn(folder)).map((name) => path.join(folder, name))))
  return found.flat()
}

/** Removes the given copies; OpenCode installs the newest version at its next start. */
export async function removeCopies(copies: readonly string[]): Promise<void> {
  await Promise.all(copies.map((copy) => rm(copy, { recursive: true, force: true })))
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    const names = await readdir(folder)
    return names.filter((name) => ['current', 'former'].includes(entryKind(name)))
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return []
    throw error
  }
}
