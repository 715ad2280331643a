import path from 'node:path'

import { type HistoryEntry, historyEntrySchema } from '../history/entries.js'
import { readTextFile } from '../kernel/json-file.js'
import type { Runtime } from '../runtime.js'

const HISTORY_FILE = 'oc-codex-multi-auth-history.jsonl'

/**
 * The history as it stands on the disk, oldest first; lines that cannot be read are left out.
 * @throws CodexError `store_unreadable`
 */
export async function readHistory(runtime: Pick<Runtime, 'paths'>): Promise<HistoryEntry[]> {
  const found = await readTextFile(path.join(path.dirname(runtime.paths.quotaFile), HISTORY_FILE))
  if (found === undefined) return []
  return found.text.split('\n').flatMap(entryOf).sort((left, right) => left.atMs - right.atMs)
}

function entryOf(line: string): HistoryEntry[] {
  try {
    const parsed = historyEntrySchema.safeParse(JSON.parse(line))
    return parsed.success ? [parsed.data] : []
  } catch {
    // Half a line: its writer was stopped in the middle.
    return []
  }
}
