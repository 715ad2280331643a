import path from 'node:path'

import type { StoredAccount } from '../../accounts/account.js'
import { writeBackup } from '../../accounts/store/backups.js'
import { backupsDirOf } from '../../accounts/store/pool-file.js'
import { readAccountList } from '../../transfer/account-list.js'
import { repaired } from '../../accounts/merge.js'
import { unreadableRecords } from '../../accounts/store/unreadable.js'
import { accountFromFound } from '../../transfer/found.js'
import { type DiskKind, diskKindAt } from '../../kernel/files/disk-kind.js'
import { findLeftovers, foldersWrittenTo, sweepEverywhere } from '../../kernel/files/leftovers.js'
import { realPathOrSame } from '../../kernel/files/real-path.js'
import { counted } from '../../kernel/text/plural.js'
import type { Runtime } from '../../runtime.js'
import { type Finding, ok, warning } from './finding.js'

/** Records of the account file that are not listed because no login in them can be read. */
export async function records(runtime: Runtime): Promise<readonly Finding[]> {
  const pool = await runtime.store.read().catch(() => undefined)
  const count = pool === undefined ? 0 : unreadableRecords(pool).length
  if (count === 0) return []
  const what =
    count === 1
      ? '1 record of the account file cannot be read and is'
      : `${count} records of the account file cannot be read and are`
  return [
    warning(
      'unreadable-records',
      `${what} not listed.`,
      'Repair them: {doctor --fix}; or sign in again: {login}',
      () => repair(runtime),
    ),
  ]
}

/** What can be read comes back into the pool; a copy of the file keeps the rest. */
function repair({ store, vault, clock }: Runtime): Promise<string> {
  return store.transact(async (held) => {
    const { pool, back, dropped } = repaired(held.pool, (record) => loginIn(record, clock.now()))
    const copy = await writeBackup(
      backupsDirOf(store.path),
      'before-repair',
      held.text ?? '',
      clock.now(),
    )
    await held.write(pool, held.keyId === undefined ? undefined : await vault.key(held.keyId))
    const parts = [
      ...(back === 0 ? [] : [`${counted(back, 'account is', 'accounts are')} back`]),
      ...(dropped === 0
        ? []
        : [
            `${counted(dropped, 'record without a usable login was', 'records without a usable login were')} removed`,
          ]),
    ]
    return `${parts.join(', and ')}; the file before is in ${copy}.`
  })
}

/** A login as other programs write it. */
function loginIn(record: unknown, nowMs: number): StoredAccount | undefined {
  try {
    const [found] = readAccountList({ accounts: [record] }, 'a record')
    return found === undefined ? undefined : accountFromFound(found, nowMs)
  } catch {
    return undefined
  }
}

/** What kind of disk the account file lies on, where that is not one of this machine's own. */
export async function disk({ store }: Runtime): Promise<readonly Finding[]> {
  const folder = path.dirname(realPathOrSame(store.path))
  return diskFindings(folder, await diskKindAt(folder))
}

/** Pure. */
export function diskFindings(folder: string, { kind, name }: DiskKind): readonly Finding[] {
  switch (kind) {
    case 'local':
    case 'unknown':
      return []
    case 'network':
    case 'foreign': {
      const summary = `${folder} is on a disk of another kind (${name}); what is written there is kept by locks that hold on most of them.`
      return [{ ...ok('disk', summary), action: 'Try it on yours: {doctor --drill}' }]
    }
    case 'modeless':
      return [
        warning(
          'disk',
          `${folder} is on a disk without permissions (${name}), so other users of this machine can read the tokens.`,
          'Move the folder to another disk and leave a link in its place, or seal the tokens: {keychain migrate}',
        ),
      ]
  }
}

const SHOWN = 3

/** Whether killed processes left temporary files, which may hold tokens, or locks in any folder that we write to. */
export async function leftovers({ paths, clock }: Runtime): Promise<readonly Finding[]> {
  const folders = await foldersWrittenTo(paths)
  const found = (
    await Promise.all(folders.map((folder) => findLeftovers(folder, clock.now())))
  ).flat()
  if (found.length === 0) return [ok('leftovers', 'Killed processes left no files behind.')]
  const more = found.length > SHOWN ? `, and ${found.length - SHOWN} more` : ''
  return [
    warning(
      'leftovers',
      `Killed processes left ${found.length === 1 ? 'a file' : `${found.length} files`} behind, perhaps with tokens: ${found.slice(0, SHOWN).join(', ')}${more}.`,
      'Remove them: {doctor --fix}. The next write into the folder does it too.',
      async () => {
        const removed = (await sweepEverywhere(paths, clock.now())).length
        return removed === 1
          ? 'one file of a killed process removed'
          : `${removed} files of killed processes removed`
      },
    ),
  ]
}
