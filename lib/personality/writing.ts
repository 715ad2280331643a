import { rename } from 'node:fs/promises'
import path from 'node:path'

import { CodexError } from '../kernel/errors.js'
import { patiently } from '../kernel/files/patience.js'
import { writeFileAtomic } from '../kernel/files/replace-file.js'
import { realPathOf } from '../kernel/files/real-path.js'
import { isInside } from '../kernel/files/same-path.js'
import { counted } from '../kernel/text/plural.js'
import { createPersonalityFiles, type FoundText, type PersonalityFolder } from './files.js'
import { problemOfOwnName } from './names.js'
import { MAX_PERSONALITY_BYTES, problemOfText } from './text.js'

/** A change of one text that is worked out and not yet made. */
export interface PlannedText {
  readonly file: string
  /** The text to write; undefined to take the file away. */
  readonly after: string | undefined
  /** What is there is kept under another name. */
  readonly hasBefore: boolean
  /** Why what is there could not be written again; undefined where it could, or nothing is there. */
  readonly problem?: string
}

/**
 * Works out what writing a text means. Nothing is written.
 * @param isNew the name must be free; else it must have a text that can be read
 * @throws CodexError `invalid_input` where the name, the text or the place will not do
 */
export async function planText(
  place: PersonalityFolder,
  name: string,
  text: string,
  isNew: boolean,
): Promise<PlannedText> {
  const reserved = problemOfOwnName(name)
  if (reserved !== undefined) throw refused(reserved, 'Choose another name.')
  assertText(text)
  assertPlace(place)
  const found = await createPersonalityFiles([place]).find(name)
  if (found.kind === 'missing' && isNew)
    return { file: path.join(place.folder, `${name}.md`), after: text, hasBefore: false }
  if (found.kind === 'problem' && isNew)
    throw refused(
      found.problem,
      found.file.endsWith('.md')
        ? `Take it away: {personality remove ${name}${flagOf(place)}}`
        : 'Nothing was changed.',
    )
  if (isNew)
    throw refused(
      `There is a text "${name}" already.`,
      `Change it: {personality edit ${name}${flagOf(place)}}`,
    )
  return { file: fileOf(name, found), after: text, hasBefore: true }
}

/** Works out the removal of a text. @throws CodexError `invalid_input` where there is none */
export async function planRemoval(place: PersonalityFolder, name: string): Promise<PlannedText> {
  assertPlace(place)
  const found = await createPersonalityFiles([place]).find(name)
  return {
    file: fileOf(name, found, true),
    after: undefined,
    hasBefore: true,
    ...(found.kind === 'problem' && { problem: found.problem }),
  }
}

/**
 * Makes a planned change. What was there stays beside it, under a name that is not read.
 * @param keep how a copy is made and named; absent for a new text
 * @returns the path of what was there
 * @throws CodexError `store_not_written`
 */
export async function applyText(
  { file, after, hasBefore }: PlannedText,
  keep?: { readonly stamp: string; readonly copy: (file: string, to: string) => Promise<void> },
): Promise<string | undefined> {
  const backup = hasBefore && keep !== undefined ? `${file}.bak-${keep.stamp}` : undefined
  if (keep !== undefined && backup !== undefined) {
    const move = after === undefined ? rename : keep.copy
    await patiently('change', () => move(file, backup)).catch((cause: unknown) => {
      throw new CodexError('store_not_written', `${backup} could not be written.`, {
        cause,
        hint: 'Nothing was changed. Check free space and permissions.',
      })
    })
  }
  if (after !== undefined) await writeFileAtomic(file, after)
  return backup
}

function assertText(text: string): void {
  const bytes = Buffer.byteLength(text)
  if (bytes > MAX_PERSONALITY_BYTES)
    throw refused(
      `The text has ${counted(bytes, 'byte')}; at most ${MAX_PERSONALITY_BYTES / 1024} KB are read.`,
      'Say it in fewer words: every request carries them.',
    )
  const problem = problemOfText(text)
  if (problem !== undefined) throw refused(`The text ${problem}`, 'Nothing was changed.')
}

/** Nothing is written through a folder that leads out of the project. */
function assertPlace({ folder, within }: PersonalityFolder): void {
  if (within === undefined) return
  if (!isInside(realPathOf(within), realPathOf(folder)))
    throw refused(`${folder} leads out of the project.`, 'Nothing was changed.')
}

function fileOf(name: string, found: FoundText, isRemoval = false): string {
  switch (found.kind) {
    case 'text':
      return found.file
    case 'missing':
      throw refused(`There is no text "${name}" there.`, 'All of them: {personality list}')
    case 'problem':
      // A link is taken away itself, and what it leads to is left alone.
      if (isRemoval && found.file.endsWith('.md')) return found.file
      throw refused(found.problem, 'Nothing was changed.')
  }
}

/** What a command has to be told to mean this place. */
function flagOf({ scope }: PersonalityFolder): string {
  return scope === 'project' ? ' --project' : ''
}

function refused(why: string, hint: string): CodexError {
  return new CodexError('invalid_input', why, { hint })
}
