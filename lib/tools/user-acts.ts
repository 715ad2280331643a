import { realpath, stat } from 'node:fs/promises'
import path from 'node:path'

import { CodexError } from '../kernel/errors.js'
import { ACCOUNTS_FILE, CONFIG_FILE, FLAGGED_FILE, type Paths } from '../kernel/files/paths.js'

/**
 * The refusal of what only the user may do.
 * @param act what was asked for, as it follows "Only the user can"
 * @param command what the user types, after the name of the program
 */
export function onlyByUser(act: string, command: string): CodexError {
  return new CodexError(
    'invalid_input',
    `Only the user can ${act}. Nothing was changed. Tell the user to run it: {${command}}`,
  )
}

/** Files of ours that a model may name: the accounts, the configuration, and the copies of them. */
const SHOWN = new RegExp(
  `^(?:(?:projects/[^/]+/)?(?:${[ACCOUNTS_FILE, FLAGGED_FILE].map((name) => name.replaceAll('.', '\\.')).join('|')}|backups/[^/]+\\.json)|${CONFIG_FILE.replaceAll('.', '\\.')})$`,
)

/**
 * The file of ours that a model names, relative to our own folder. A link that leads out of the folder is not followed, and
 * what lies elsewhere is not even looked for.
 * @param command of the command line, for the user who means another file
 * @throws CodexError `invalid_input` for every other name, whether there is such a file or not
 */
export async function ownPlace(paths: Paths, name: string, command: string): Promise<string> {
  const refused = onlyByUser(
    'name a file outside of the accounts, the configuration and the backups in ~/.opencode',
    command,
  )
  if (!isShown(paths.root, path.resolve(paths.root, name))) throw refused
  const [root, file] = await Promise.all([
    realpath(paths.root),
    realpath(path.resolve(paths.root, name)),
  ]).catch(() => {
    throw refused
  })
  if (!isShown(root, file) || !(await stat(file)).isFile()) throw refused
  return file
}

function isShown(root: string, file: string): boolean {
  return SHOWN.test(path.relative(root, file).replaceAll(path.sep, '/'))
}
