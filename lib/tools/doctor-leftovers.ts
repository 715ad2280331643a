import { findLeftovers, foldersWrittenTo, sweepEverywhere } from '../kernel/temporaries.js'
import type { Runtime } from '../runtime.js'
import type { Finding } from './doctor-checks.js'

const SHOWN = 3

/** Whether killed processes left temporary files, which may hold tokens, or locks in any folder that we write to. */
export async function leftovers({ paths, clock }: Runtime): Promise<readonly Finding[]> {
  const folders = await foldersWrittenTo(paths)
  const found = (
    await Promise.all(folders.map((folder) => findLeftovers(folder, clock.now())))
  ).flat()
  if (found.length === 0)
    return [
      {
        id: 'leftovers',
        severity: 'ok',
        summary: 'Killed processes left no files behind.',
        action: '',
      },
    ]
  const more = found.length > SHOWN ? `, and ${found.length - SHOWN} more` : ''
  return [
    {
      id: 'leftovers',
      severity: 'warning',
      summary: `Killed processes left ${found.length === 1 ? 'a file' : `${found.length} files`} behind, perhaps with tokens: ${found.slice(0, SHOWN).join(', ')}${more}.`,
      action: 'Remove them: codex-doctor --fix. The next write into the folder does it too.',
      fix: async () => {
        const removed = (await sweepEverywhere(paths, clock.now())).length
        return removed === 1
          ? 'one file of a killed process removed'
          : `${removed} files of killed processes removed`
      },
    },
  ]
}
