import { readdir, realpath, stat } from 'node:fs/promises'
import path from 'node:path'

import { findProjectRoot } from '../accounts/project/project.js'
import { systemCode } from '../kernel/system-code.js'
import { readBoundedFileWithStats, UnreadableFile } from '../kernel/files/bounded-file.js'
import type { Paths } from '../kernel/files/paths.js'
import { isInside } from '../kernel/files/same-path.js'
import { nameFrom, problemOfOwnName } from './names.js'
import { cleanText, MAX_PERSONALITY_BYTES, problemOfText } from './text.js'

/** Name of the folder, in a project's `.opencode` and in OpenCode's configuration folder. */
const FOLDER = 'personalities'
const ENDING = '.md'
/** A folder with more is not looked through. */
const MAX_ENTRIES = 1_000

/** A folder of texts. */
export interface PersonalityFolder {
  readonly scope: 'project' | 'user'
  readonly folder: string
  /** What it really lies in; a project's folder must not lead out of the project. */
  readonly within?: string
}

/** What a name stands for on the disk. */
export type FoundText =
  | {
      readonly kind: 'text'
      readonly scope: PersonalityFolder['scope']
      readonly file: string
      readonly text: string
    }
  | { readonly kind: 'problem'; readonly file: string; readonly problem: string }
  | { readonly kind: 'missing' }

/** The folders that are looked in, the project's first. */
export function personalityFolders(input: {
  readonly paths: Pick<Paths, 'home' | 'hostConfigDir'>
  readonly env: Readonly<Record<string, string | undefined>>
  readonly directory: string
}): readonly PersonalityFolder[] {
  const { paths, env, directory } = input
  const project = findProjectRoot(directory, paths.home)
  const user = { scope: 'user' as const, folder: path.join(userFolder(paths, env), FOLDER) }
  if (project === undefined) return [user]
  const folder = path.join(project, '.opencode', FOLDER)
  return [{ scope: 'project', folder, within: project }, user]
}

/** The folder in which the user keeps what OpenCode reads. */
export function userFolder(
  { hostConfigDir }: Pick<Paths, 'hostConfigDir'>,
  { OPENCODE_CONFIG_DIR: named }: Readonly<Record<string, string | undefined>>,
): string {
  return named === undefined || named.trim() === '' ? hostConfigDir : path.resolve(named)
}

/** Reads texts by name. What did not change since the last time is not read again. */
export function createPersonalityFiles(folders: readonly PersonalityFolder[]) {
  const listings = new Map<string, { readonly state: string; readonly names: readonly string[] }>()
  const texts = new Map<string, { readonly state: string; readonly found: FoundText }>()

  /** Names of files, not of folders; empty where there is no such folder. */
  async function namesIn(folder: string): Promise<readonly string[]> {
    const state = await stateOf(folder)
    if (state === undefined) return []
    const known = listings.get(folder)
    if (known?.state === state) return known.names
    const names = (await readdir(folder)).filter((one) => one.toLowerCase().endsWith(ENDING))
    listings.set(folder, { state, names: names.slice(0, MAX_ENTRIES).sort() })
    return listings.get(folder)?.names ?? []
  }

  async function textAt(place: PersonalityFolder, file: string): Promise<FoundText> {
    const state = await stateOf(file)
    const known = texts.get(file)
    if (state !== undefined && known?.state === state) return known.found
    const found = await readText(place, file)
    if (state !== undefined) texts.set(file, { state, found })
    return found
  }

  async function findIn(place: PersonalityFolder, name: string): Promise<FoundText> {
    const [first, second] = (await namesIn(place.folder)).filter((one) => nameOf(one) === name)
    if (first === undefined) return { kind: 'missing' }
    const file = path.join(place.folder, first)
    return second === undefined
      ? textAt(place, file)
      : {
          kind: 'problem',
          file,
          problem: `${first} and ${second} in ${place.folder} differ in case only: keep one of them.`,
        }
  }

  /** The text of a name: that of the project, else the user's own. Never throws. */
  async function find(name: string): Promise<FoundText> {
    for (const place of folders) {
      const found = await findIn(place, name).catch((error: unknown): FoundText => {
        if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return { kind: 'missing' }
        return { kind: 'problem', file: place.folder, problem: unreadable(place.folder, error) }
      })
      if (found.kind !== 'missing') return found
    }
    return { kind: 'missing' }
  }

  return {
    find,
    /**
     * Every name that a file has, in order, also one that cannot be chosen; what a file of it says is asked of `find`.
     * @returns with the folders that cannot be looked through, in sentences
     */
    async names(): Promise<{
      readonly names: readonly string[]
      readonly problems: readonly string[]
    }> {
      const problems: string[] = []
      const all = await Promise.all(
        folders.map(({ folder }) =>
          namesIn(folder).catch((error: unknown) => {
            if (systemCode(error) !== 'ENOENT') problems.push(unreadable(folder, error))
            return []
          }),
        ),
      )
      return { names: [...new Set(all.flat().map(nameOf))].sort(), problems }
    },
  }
}

/** Reader of texts. */
export type PersonalityFiles = ReturnType<typeof createPersonalityFiles>

/** What the reader of files says is a sentence; what the system says is none. */
function unreadable(place: string, error: unknown): string {
  return error instanceof UnreadableFile
    ? error.message
    : `${place} cannot be read (${systemCode(error) ?? 'unknown reason'}).`
}

function nameOf(file: string): string {
  return file.slice(0, -ENDING.length).toLowerCase()
}

async function stateOf(file: string): Promise<string | undefined> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true })
    return [dev, ino, size, mtimeNs, ctimeNs].join(':')
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return undefined
    throw error
  }
}

async function readText(place: PersonalityFolder, file: string): Promise<FoundText> {
  const problem = (text: string): FoundText => ({ kind: 'problem', file, problem: text })
  const name = nameOf(path.basename(file))
  const reserved = nameFrom(name).problem ?? problemOfOwnName(name)
  if (reserved !== undefined) return problem(reserved)
  try {
    const [real, folder] = await Promise.all([realpath(file), realpath(place.folder)])
    if (place.within !== undefined && !isInside(await realpath(place.within), folder))
      return problem(`${place.folder} leads out of the project, so nothing in it is read.`)
    if (!isInside(folder, real)) return problem(`${file} is a link that leads out of its folder.`)
    const found = await readBoundedFileWithStats(real, MAX_PERSONALITY_BYTES)
    const text = found?.text ?? ''
    const wrong = problemOfText(text, Number(found?.stats.size ?? 0))
    return wrong === undefined
      ? { kind: 'text', scope: place.scope, file, text: cleanText(text) }
      : problem(`${file} ${wrong}`)
  } catch (error) {
    return problem(
      systemCode(error) === 'ENOENT' ? `${file} is a link to nothing.` : unreadable(file, error),
    )
  }
}
