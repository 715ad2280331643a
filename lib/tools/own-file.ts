import { CodexError } from '../kernel/errors.js'
import { readTextFile } from '../kernel/files/json-file.js'
import { writeFileAtomic } from '../kernel/files/replace-file.js'

/**
 * Writes a file in one step, mode 0600, and never over a file that is not of the same kind.
 * @param mark how every file of this kind begins: one that begins so may be replaced
 * @param force replace whatever is there; absent for tools that never do
 * @returns its path
 * @throws CodexError `invalid_input` when another file is in its place; `store_not_written`
 */
export async function writeOwnFile(
  file: string,
  text: string,
  mark: string,
  force?: boolean,
): Promise<string> {
  const { text: before = '' } = force === true ? {} : ((await readTextFile(file)) ?? {})
  if (before !== '' && !before.startsWith(mark)) {
    const or = force === undefined ? '' : ', or pass force to replace it'
    throw new CodexError(
      'invalid_input',
      `${file} exists already and was not written by this tool.`,
      { hint: `Choose another name${or}.` },
    )
  }
  await writeFileAtomic(file, text)
  return file
}
