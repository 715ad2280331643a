import { CodexError } from '../kernel/errors.js'

/**
 * The refusal of what only the user may do.
 * @param act what was asked for, as it follows "Only the user can"
 * @param command what the user types, after the name of the program
 */
export function onlyByUser(act: string, command: string): CodexError {
  return new CodexError(
    'invalid_input',
    `Only the user can ${act}. Nothing was changed. Tell the user to run it: oc-codex-multi-auth ${command}`,
  )
}
