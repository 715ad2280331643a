import type { ProjectKeys } from '../accounts/project/project.js'
import type { HistoryEntry } from '../history/entries.js'

/** What the lines of before projects were kept, and answers outside of a project, are put under. */
const UNKNOWN = 'unknown'
/** The end of a key that `projectKeyOf` made; another end is a part of the name. */
const HASH = /^(.+)-([0-9a-f]{12})$/
/** Digits of a hash that tell two folders of one name apart. */
const SHOWN_DIGITS = 4

/**
 * Names for the keys of projects: that of the folder, with the first digits of the hash where two folders share a name.
 * Pure.
 */
export function projectNames(
  keys: Iterable<string | undefined>,
): (key: string | undefined) => string {
  const byName = new Map<string, Set<string>>()
  for (const key of keys) {
    if (key === undefined) continue
    const { name } = partsOf(key)
    byName.set(name, (byName.get(name) ?? new Set()).add(key))
  }
  return (key) => {
    if (key === undefined) return UNKNOWN
    const { name, hash } = partsOf(key)
    const isAlone = (byName.get(name)?.size ?? 0) <= 1 && name !== UNKNOWN
    return isAlone ? name : `${name} (${hash.slice(0, SHOWN_DIGITS)})`
  }
}

/**
 * The entries with all keys of a project as one: lines of before may be under another of them. Only the keys of the project
 * one is in can be told. Pure.
 */
export function underOneKey(
  entries: readonly HistoryEntry[],
  project: Pick<ProjectKeys, 'key' | 'aliases'> | undefined,
): readonly HistoryEntry[] {
  const aliases = new Set(project?.aliases)
  if (project === undefined || aliases.size === 0) return entries
  return entries.map((entry) =>
    entry.type === 'turn' && entry.project !== undefined && aliases.has(entry.project)
      ? { ...entry, project: project.key }
      : entry,
  )
}

function partsOf(key: string): { readonly name: string; readonly hash: string } {
  const [, name = key, hash = ''] = HASH.exec(key) ?? []
  return { name, hash }
}
