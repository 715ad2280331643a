import path from 'node:path'

import { CodexError } from '../kernel/errors.js'
import { readTextFile, writeFileAtomic } from '../kernel/files/json-file.js'

/** A file that a tool is asked to write. */
export interface OwnFile {
  /** As the user wrote it, relative to `directory`. */
  readonly wanted: string
  readonly directory: string
  readonly text: string
  /** How every file of this kind begins: one that begins so may be replaced. */
  readonly mark: string
  /** Replace whatever is there; absent for tools that never do. */
  readonly force?: boolean
}

/**
 * Writes a file in one step, mode 0600, and never over a file that is not of the same kind.
 * @returns its full path
 * @throws CodexError `invalid_input` when another file is in its place; `store_not_written`
 */
export async function writeOwnFile({
  wanted,
  directory,
  text,
  mark,
  force,
}: OwnFile): Promise<string> {
  const file = path.resolve(directory, wanted)
  if (force !== true) {
    const found = await readTextFile(file)
    if (found !== undefined && found.text !== '' && !found.text.startsWith(mark))
      throw new CodexError(
        'invalid_input',
        `${file} exists already and was not written by this tool.`,
        {
          hint:
            force === undefined
              ? 'Choose another name.'
              : 'Choose another name, or pass force to replace it.',
        },
      )
  }
  await writeFileAtomic(file, text)
  return file
}
