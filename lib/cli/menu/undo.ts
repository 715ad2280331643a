import { readExport } from '../../accounts/export.js'
import { restored } from '../../accounts/restore.js'
import { CodexError } from '../../kernel/errors.js'
import { readTextFile } from '../../kernel/json-file.js'
import type { Runtime } from '../../runtime.js'

/** An account that was removed, and the copy it is in. */
export interface Removal {
  readonly uid: string
  readonly name: string
  readonly backup: string
}

/**
 * Puts a removed account back from the copy written before.
 * @throws CodexError `invalid_input` when the copy is gone, and those of the store; nothing is changed then
 */
export async function undoRemoval(runtime: Runtime, removal: Removal): Promise<void> {
  const found = await readTextFile(removal.backup)
  if (found === undefined)
    throw new CodexError(
      'invalid_input',
      `The copy ${removal.backup} is gone; only the newest few are kept.`,
      { hint: 'Nothing was changed.' },
    )
  const copy = await readExport(found.text, undefined, runtime.vault, removal.backup)
  await runtime.store.update((pool) => restored(pool, copy, new Set([removal.uid])))
}
