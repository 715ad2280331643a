import * as z from 'zod'

import { readTextFile, sameStamp, stampOf, writeFileAtomic } from '../kernel/json-file.js'
import { MANAGED_MARKER } from './managed-entry.js'

/** What became of the entry for openai in OpenCode's login file. `foreign`: a login of the host's own, left alone. */
export type ReleasedEntry = 'removed' | 'absent' | 'foreign' | 'unreadable'

/** The host writes the file whole and without a lock: looked at again when it changed meanwhile. */
const TRIES = 3

const authFileSchema = z.record(z.string(), z.unknown())
const managedSchema = z.looseObject({ type: z.literal('oauth'), refresh: z.literal(MANAGED_MARKER) })

/**
 * Takes our mark out of OpenCode's login file, in one step; other providers and logins of the host's own stay as they
 * are, and a file that cannot be read is never written.
 * @param file the host's login file
 * @throws CodexError `store_not_written`; the file is as before then
 */
export async function releaseHostEntry(file: string): Promise<ReleasedEntry> {
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const found = await readTextFile(file).catch(() => null)
    if (found === null) return 'unreadable'
    if (found === undefined) return 'absent'
    const content = authFileSchema.safeParse(parsed(found.text))
    if (!content.success) return 'unreadable'
    const { openai, ...others } = content.data
    if (openai === undefined) return 'absent'
    if (!managedSchema.safeParse(openai).success) return 'foreign'
    if (!sameStamp(found.stamp, await stampOf(file))) continue
    await writeFileAtomic(file, JSON.stringify(others, undefined, 2))
    return 'removed'
  }
  return 'unreadable'
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
