import * as s from '../kernel/shape.js'

import { type FileStamp, readTextFile, sameStamp, stampOf } from '../kernel/files/json-file.js'
import { writeFileAtomic } from '../kernel/files/replace-file.js'
import { MANAGED_MARKER } from './managed-entry.js'
import { parsedJson } from '../kernel/text/json.js'

/** What became of the entry for openai in OpenCode's login file. `foreign`: a login of the host's own, left alone. */
export type ReleasedEntry = 'removed' | 'absent' | 'foreign' | 'unreadable'

/** The host writes the file whole and without a lock: looked at again when it changed meanwhile. */
const TRIES = 3

const authFileSchema = s.record(s.unknown())
const managedSchema = s.looseObject({
  type: s.literal('oauth'),
  refresh: s.literal(MANAGED_MARKER),
})

/**
 * Takes our mark out of OpenCode's login file, in one step; other providers and logins of the host's own stay as they
 * are, and a file that cannot be read is never written.
 * @param file the host's login file
 * @throws CodexError `store_not_written`; the file is as before then
 */
export async function releaseHostEntry(file: string): Promise<ReleasedEntry> {
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const found = await readEntry(file)
    if (found.kind !== 'ours') return found.kind
    const { openai: _ours, ...others } = found.content
    if (!sameStamp(found.stamp, await stampOf(file))) continue
    await writeFileAtomic(file, JSON.stringify(others, undefined, 2))
    return 'removed'
  }
  return 'unreadable'
}

/** Whose the entry for openai in OpenCode's login file is. */
export async function hostEntryOf(
  file: string,
): Promise<'ours' | Exclude<ReleasedEntry, 'removed'>> {
  return (await readEntry(file)).kind
}

type FoundEntry =
  | { readonly kind: 'ours'; readonly content: Record<string, unknown>; readonly stamp: FileStamp }
  | { readonly kind: 'absent' | 'foreign' | 'unreadable' }

async function readEntry(file: string): Promise<FoundEntry> {
  const found = await readTextFile(file).catch(() => null)
  if (found === null) return { kind: 'unreadable' }
  if (found === undefined) return { kind: 'absent' }
  const content = authFileSchema.safeParse(parsedJson(found.text))
  if (!content.success) return { kind: 'unreadable' }
  if (content.data.openai === undefined) return { kind: 'absent' }
  return managedSchema.safeParse(content.data.openai).success
    ? { kind: 'ours', content: content.data, stamp: found.stamp }
    : { kind: 'foreign' }
}
