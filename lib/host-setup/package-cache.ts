import { readdir, rm } from 'node:fs/promises'
import path from 'node:path'

import { CodexError } from '../kernel/errors.js'
import { systemCode } from '../kernel/system-code.js'
import type { Paths } from '../kernel/files/paths.js'

import { entryKind } from './plugin-entries.js'

/**
 * Folders in which OpenCode keeps installed copies of this package (`packages/<spec>/`, and the older
 * `node_modules/<name>/`). OpenCode never looks for a newer version while one is there
 * (docs/development/facts/opencode-host.md#package-cache). @throws CodexError `store_unreadable`
 */
export async function cachedCopies(paths: Paths): Promise<string[]> {
  const packages = path.join(paths.hostCacheDir, 'packages')
  const modules = path.join(paths.hostCacheDir, 'node_modules')
  const found = await Promise.all(
    [packages, modules].map(async (folder) =>
      (await namesIn(folder)).map((name) => path.join(folder, name)),
    ),
  )
  return found.flat()
}

/** Removes the given copies; OpenCode installs the newest version at its next start. @throws CodexError `store_not_written` */
export async function removeCopies(copies: readonly string[]): Promise<void> {
  await Promise.all(
    copies.map((copy) =>
      rm(copy, { recursive: true, force: true }).catch((cause: unknown) => {
        throw new CodexError(
          'store_not_written',
          `${copy} could not be removed (${systemCode(cause) ?? 'unknown reason'}).`,
          {
            cause,
            hint: 'OpenCode keeps using that copy. Check its permissions, or remove it by hand.',
          },
        )
      }),
    ),
  )
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    const names = await readdir(folder)
    return names.filter((name) => ['current', 'former'].includes(entryKind(name)))
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return []
    throw new CodexError(
      'store_unreadable',
      `${folder} cannot be read (${systemCode(error) ?? 'unknown reason'}).`,
      { cause: error, hint: 'Check the permissions of the folder.' },
    )
  }
}
