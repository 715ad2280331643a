import { performAction } from '../../account-view/actions.js'
import { CodexError } from '../../kernel/errors.js'
import { readTextFile } from '../../kernel/files/json-file.js'
import type { Runtime } from '../../runtime.js'
import { readExport } from '../../transfer/export.js'

/** An account that was removed, and the copy it is in. */
export interface Removal {
  readonly uid: string
  readonly name: string
  readonly backup: string
}

/**
 * Puts a removed account back from the copy written before.
 * @returns a sentence for the user
 * @throws CodexError `invalid_input` when the copy is gone, and those of the store; nothing is changed then
 */
export async function undoRemoval(runtime: Runtime, { uid, backup }: Removal): Promise<string> {
  const found = await readTextFile(backup)
  if (found === undefined)
    throw new CodexError(
      'invalid_input',
      `The copy ${backup} is gone; only the newest few are kept.`,
      { hint: 'Nothing was changed.' },
    )
  const copy = await readExport(found.text, undefined, runtime.vault, backup)
  return (await performAction(runtime, { do: 'restore', uid, copy })).message
}
