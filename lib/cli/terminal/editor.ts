import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'

import { CodexError } from '../../kernel/errors.js'
import { MAX_CONFIG_BYTES, readBoundedFile } from '../../kernel/files/bounded-file.js'
import { chosenEnvironment, startProgram } from '../../kernel/start-program.js'

/**
 * Lets the user change a text in the editor of $VISUAL or $EDITOR, in a folder that only they can read.
 * @returns what they saved; undefined when it is as it was
 * @throws CodexError when there is no editor or it ends with an error
 */
export async function editText(
  env: NodeJS.ProcessEnv,
  name: string,
  text: string,
): Promise<string | undefined> {
  const [program, ...args] = (env.VISUAL ?? env.EDITOR ?? '').split(/\s+/).filter(Boolean)
  if (program === undefined)
    throw failed('No editor is named in $VISUAL or $EDITOR.', 'Or give the text with --from FILE.')
  const folder = await mkdtemp(path.join(os.tmpdir(), 'oc-codex-multi-auth-'))
  try {
    const file = path.join(folder, `${name}.md`)
    await writeFile(file, text, { mode: 0o600 })
    const running = startProgram({
      program,
      args: [...args, file],
      env: chosenEnvironment(env),
      folder,
      stdio: 'inherit',
    })
    if (running === undefined)
      throw failed(`There is no program ${JSON.stringify(program)}.`, 'Set $EDITOR to another.')
    const code = await new Promise<number | null>((resolve) => {
      running.once('error', () => resolve(null))
      running.once('exit', resolve)
    })
    if (code !== 0) throw failed('The editor ended with an error.', 'Nothing was changed.')
    const saved = await readBoundedFile(file, MAX_CONFIG_BYTES)
    return saved === text ? undefined : saved
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function failed(why: string, hint: string): CodexError {
  return new CodexError('invalid_input', why, { hint })
}
