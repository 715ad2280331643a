import { constants } from 'node:fs'
import { copyFile, rename, rm, stat } from 'node:fs/promises'
import path from 'node:path'

import { MAX_FOREIGN_BYTES, readBoundedFile } from '../kernel/files/bounded-file.js'
import { CodexError, messageOf } from '../kernel/errors.js'
import { systemCode } from '../kernel/system-code.js'
import { patiently } from '../kernel/files/patience.js'
import { writeFileAtomic } from '../kernel/files/replace-file.js'
import { temporaryNameFor } from '../kernel/files/temporaries.js'

import { isRecord } from '../kernel/text/json.js'
import { type JsonDocument, openDocument } from './json-document.js'

/** One changed place of a document, without values: a dry run must not print what the user keeps in there. */
interface ChangedPath {
  readonly kind: 'added' | 'removed' | 'changed'
  readonly path: string
}

/** What happens, or would happen, to one file. */
export interface FileChange {
  readonly file: string
  readonly changes: readonly ChangedPath[]
  /** Copy of the file as it was; absent when there was none, nothing changes, or this is a dry run. */
  readonly backup?: string
}

/** A change that is worked out and not yet written. */
export interface PlannedChange {
  readonly file: string
  readonly before: string | undefined
  readonly after: string
  readonly changes: readonly ChangedPath[]
}

/**
 * Works out a change of one file without writing.
 * @throws CodexError `config_invalid`, `store_unreadable`
 */
export async function planChange(
  file: string,
  change: (document: JsonDocument) => JsonDocument,
): Promise<PlannedChange> {
  const before = await readText(file)
  const document = openDocument(before ?? '', file)
  const after = change(document)
  return { file, before, after: after.text, changes: changedPaths(document, after) }
}

/**
 * Writes a planned change: a backup beside the file first, then the whole file in one step. Nothing is written when
 * nothing changes.
 * @throws CodexError `store_not_written`; the file is as before then
 * @param stamp part of the backup's name, made from the time
 */
export async function applyChange(planned: PlannedChange, stamp: string): Promise<FileChange> {
  const { file, before, after, changes } = planned
  if (changes.length === 0) return { file, changes }
  const backup = before === undefined ? undefined : `${file}.bak-${stamp}`
  if (backup !== undefined) {
    await copyAtomic(file, backup).catch((cause: unknown) => {
      throw new CodexError(
        'store_not_written',
        `The copy ${backup} could not be written (${systemCode(cause) ?? 'unknown reason'}).`,
        { cause, hint: 'Nothing was changed in that file. Check free space and permissions.' },
      )
    })
  }
  const mode = before === undefined ? undefined : (await stat(file)).mode & 0o777
  await writeFileAtomic(file, after, mode === undefined ? {} : { mode })
  return { file, changes, ...(backup === undefined ? {} : { backup }) }
}

/** A kill in the middle leaves a temporary file, never half a copy under the name that the user is told. */
export async function copyAtomic(file: string, copy: string): Promise<void> {
  const temporary = path.join(path.dirname(copy), temporaryNameFor(copy))
  try {
    await patiently('read', () => copyFile(file, temporary, constants.COPYFILE_EXCL))
    await patiently('change', () => rename(temporary, copy))
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined)
    throw error
  }
}

/** `2026-11-20_14-05-09-123`: sorts by time and is a valid file name everywhere. */
export function backupStamp(nowMs: number): string {
  return new Date(nowMs).toISOString().replace('T', '_').replace('Z', '').replaceAll(/[:.]/g, '-')
}

async function readText(file: string): Promise<string | undefined> {
  try {
    return await readBoundedFile(file, MAX_FOREIGN_BYTES, { keepMark: true })
  } catch (error) {
    throw new CodexError('store_unreadable', `${messageOf(error)} Nothing was changed.`, {
      cause: error,
      hint: 'Check the file and its permissions, then run the command again.',
    })
  }
}

/** The places in which two documents differ, as `$.a.b`. Pure. */
export function changedPaths(before: JsonDocument, after: JsonDocument): ChangedPath[] {
  return compare('$', before.value([]), after.value([]))
}

function compare(path: string, before: unknown, after: unknown): ChangedPath[] {
  if (JSON.stringify(before) === JSON.stringify(after)) return []
  if (!isRecord(before) || !isRecord(after)) return [{ kind: 'changed', path }]
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  return keys.flatMap((key): ChangedPath[] => {
    const inner = `${path}.${key}`
    if (!(key in before)) return [{ kind: 'added', path: inner }]
    if (!(key in after)) return [{ kind: 'removed', path: inner }]
    return compare(inner, before[key], after[key])
  })
}
