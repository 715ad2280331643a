import { readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { makeFolders } from '../kernel/make-folders.js'
import { packageVersion } from '../kernel/version.js'
import { programMark } from '../slash-commands/same-machine.js'

/**
 * Tells the servers of later starts whether this OpenCode takes our commands: where it does not, or never comes here, the
 * server offers its own (lib/shell/tui-plugin.ts). Never fails; a file that cannot be written says no.
 */
export async function tellCommands(file: string, areThere: boolean): Promise<void> {
  try {
    if (!areThere) {
      await rm(file, { force: true })
      return
    }
    const text = `${JSON.stringify({ program: programMark(), version: packageVersion() })}\n`
    if ((await readFile(file, 'utf8').catch(() => '')) === text) return
    await makeFolders(path.dirname(file))
    await writeFile(file, text, { mode: 0o600 })
  } catch {
    // The server offers its commands then, and the TUI leaves them out of its list.
  }
}
