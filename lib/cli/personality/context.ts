import { createListedTexts } from '../../catalogue/listed-texts.js'
import { CodexError, WrongUsage } from '../../kernel/errors.js'
import { type Paths, resolvePaths } from '../../kernel/files/paths.js'
import { loadConfig } from '../../loaded-config.js'
import {
  createPersonalityFiles,
  type PersonalityFolder,
  personalityFolders,
} from '../../personality/files.js'
import { isHereIn } from '../../personality/here.js'
import { nameFrom } from '../../personality/names.js'
import type { Sources } from '../../personality/spoken.js'
import { jsonText } from '../command.js'
import type { CommandIo } from '../io.js'

/** What the commands look at, in the folder and environment they are called in. */
export function contextAt(io: CommandIo) {
  const { env, directory } = io
  const paths: Paths = resolvePaths(env)
  const folders = personalityFolders({ paths, env, directory })
  const files = createPersonalityFiles(folders)
  const lists = createListedTexts(paths.catalogueFile)
  const sources: Sources = { files, listed: lists.find }
  return {
    paths,
    folders,
    files,
    lists,
    sources,
    isHere: isHereIn(directory, paths.home),
    loaded: loadConfig(env, paths, directory),
  }
}

/** The folder that is written to. @throws CodexError outside of a project */
export function placeFor(
  folders: readonly PersonalityFolder[],
  isProject: boolean,
  directory: string,
): PersonalityFolder {
  const scope = isProject ? 'project' : 'user'
  const place = folders.find((one) => one.scope === scope)
  if (place !== undefined) return place
  throw new CodexError('invalid_input', `${directory} is in no project.`, {
    hint: 'Nothing was changed. Without --project your own folder is meant.',
  })
}

/** The one name that a command takes. @throws WrongUsage, CodexError */
export function oneName(words: readonly string[], command: string): string {
  const [word] = words
  if (word === undefined || words.length > 1)
    throw new WrongUsage(
      `personality ${command} takes one name.`,
      `Help: {personality ${command} --help}`,
    )
  const { name, problem } = { problem: undefined, name: '', ...nameFrom(word) }
  if (problem !== undefined)
    throw new CodexError('invalid_input', problem, { hint: 'Nothing was changed.' })
  return name
}

/** Prints the outcome of a command, as JSON or in words. */
export function answer(io: CommandIo, isJson: boolean | undefined, data: object, text: string): 0 {
  io.stdout(isJson === true ? jsonText(data, 2) : text)
  return 0
}

/** Where what was changed or taken away is kept; empty where nothing is. */
export function keptLine(backup: string | undefined): string {
  return backup === undefined ? '' : `As it was: ${backup}\n`
}
