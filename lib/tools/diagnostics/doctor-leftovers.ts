import { findLeftovers, foldersWrittenTo, sweepEverywhere } from '../../kernel/files/leftovers.js'
import type { Runtime } from '../../runtime.js'
import { type Finding, ok, warning } from './finding.js'

const SHOWN = 3

/** Whether killed processes left temporary files, which may hold tokens, or locks in any folder that we write to. */
export async function leftovers({ paths, clock }: Runtime): Promise<readonly Finding[]> {
  const folders = await foldersWrittenTo(paths)
  const found = (
    await Promise.all(folders.map((folder) => findLeftovers(folder, clock.now())))
  ).flat()
  if (found.length === 0) return [ok('leftovers', 'Killed processes left no files behind.')]
  const more = found.length > SHOWN ? `, and ${found.length - SHOWN} more` : ''
  return [
    warning(
      'leftovers',
      `Killed processes left ${found.length === 1 ? 'a file' : `${found.length} files`} behind, perhaps with tokens: ${found.slice(0, SHOWN).join(', ')}${more}.`,
      'Remove them: codex-doctor --fix. The next write into the folder does it too.',
      async () => {
        const removed = (await sweepEverywhere(paths, clock.now())).length
        return removed === 1
          ? 'one file of a killed process removed'
          : `${removed} files of killed processes removed`
      },
    ),
  ]
}
