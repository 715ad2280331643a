import { randomBytes } from 'node:crypto'
import { readdir, rm } from 'node:fs/promises'
import path from 'node:path'

import { writeFileAtomic } from '../../kernel/files/replace-file.js'

/** Copies kept per kind; older ones go. */
export const MAX_COPIES = 5

/**
 * Writes a copy of a file's text beside others of its kind and drops the oldest beyond `MAX_COPIES`.
 * @param kind first part of the name: `accounts-before-remove`
 * @returns the path of the copy
 * @throws CodexError `store_not_written`
 */
export async function writeBackup(
  dir: string,
  kind: string,
  text: string,
  nowMs: number,
): Promise<string> {
  const file = path.join(dir, `${kind}-${timestamp(nowMs)}-${randomBytes(3).toString('hex')}.json`)
  await writeFileAtomic(file, text)
  await dropOldest(dir, (name) => name.startsWith(`${kind}-`) && name.endsWith('.json'))
  return file
}

/** Removes the oldest files of a folder that match, by their sortable names, until `MAX_COPIES` are left. Never throws. */
export async function dropOldest(dir: string, matches: (name: string) => boolean): Promise<void> {
  const names = (await readdir(dir).catch(() => [])).filter(matches).sort()
  await Promise.all(
    names
      .slice(0, -MAX_COPIES)
      .map((name) => rm(path.join(dir, name), { force: true }).catch(() => undefined)),
  )
}

/** Sortable local time: `20261121-140502123` (docs/development/facts/other-plugins.md#files). */
export function timestamp(nowMs: number): string {
  const date = new Date(nowMs)
  const pad = (value: number, width = 2): string => String(value).padStart(width, '0')
  const day = `${date.getFullYear()}${pad(date.getMonth() + 1)}${pad(date.getDate())}`
  return `${day}-${pad(date.getHours())}${pad(date.getMinutes())}${pad(date.getSeconds())}${pad(date.getMilliseconds(), 3)}`
}
