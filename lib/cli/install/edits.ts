import { findConfigFiles } from '../../host-setup/config-files.js'
import { cachedCopies, removeCopies } from '../../host-setup/package-cache.js'
import type { Paths } from '../../kernel/files/paths.js'
import {
  applyChange,
  backupStamp,
  type FileChange,
  planChange,
  type PlannedChange,
} from '../../host-setup/file-change.js'
import { installed, installedTui } from './plan.js'

type Edit = Parameters<typeof planChange>[1]

/** What is done to the two files that decide what OpenCode loads. */
export interface Edits {
  readonly server: Edit
  readonly tui: Edit
}

/** Our entries in both, and nothing else. */
export const INSTALL: Edits = {
  server: (document) => installed(document, 'plugin-only'),
  tui: installedTui,
}

/**
 * Works out the changes without writing: both files are understood before the first is written, and a broken one leaves
 * everything as it is.
 * @throws CodexError `config_invalid`, `store_unreadable`
 */
export async function planEdits(
  paths: Paths,
  env: NodeJS.ProcessEnv,
  edits: Edits,
  configPath?: string,
): Promise<readonly PlannedChange[]> {
  const files = await findConfigFiles(paths, env, configPath)
  const planned = [
    await planChange(files.server, edits.server),
    await planChange(files.tui, edits.tui),
  ]
  // Uninstalling must not create a file just to have nothing in it.
  return planned.filter(({ before, changes }) => before !== undefined || changes.length > 0)
}

/** Writes what was worked out. @throws CodexError `store_not_written` */
export async function carryOut(planned: readonly PlannedChange[]): Promise<readonly FileChange[]> {
  const stamp = backupStamp(Date.now())
  const changes: FileChange[] = []
  for (const one of planned) changes.push(await applyChange(one, stamp))
  return changes
}

/** Removes the copies that OpenCode keeps of the plugin: it never looks for a newer one. */
export async function clearCache(paths: Paths, dryRun: boolean): Promise<readonly string[]> {
  const copies = await cachedCopies(paths)
  if (!dryRun) await removeCopies(copies)
  return copies
}
