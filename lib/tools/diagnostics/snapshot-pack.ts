import { randomBytes } from 'node:crypto'
import path from 'node:path'

import type { Account } from '../../accounts/account.js'
import { CodexError, isCodexError } from '../../kernel/errors.js'
import { readBoundedFile } from '../../kernel/files/bounded-file.js'
import { formatMoment } from '../../kernel/text/moments.js'
import { counted } from '../../kernel/text/plural.js'
import { renderTable } from '../../kernel/text/table.js'
import { createDigest, secretsOfAccount, textOf } from '../../request/trace/hiding-key.js'
import {
  MAX_SNAPSHOT_BYTES,
  PACK_KIND,
  PACK_MARK,
  parseSnapshot,
  type Snapshot,
  SNAPSHOT_VERSION,
} from '../../request/trace/snapshot.js'
import { listSnapshots, snapshotsDirOf } from '../../request/trace/snapshot-folder.js'
import type { Runtime } from '../../runtime.js'
import { writeOwnFile } from '../own-file.js'

/** What of the newest snapshots goes where. */
interface PackOrder {
  readonly most: number
  /** Keep texts where a snapshot has them. */
  readonly withTexts: boolean
  /** Undefined: nothing is written. */
  readonly file: string | undefined
  readonly force: boolean
  /** Goes in front of the snapshots. */
  readonly report: unknown
  readonly accounts: readonly Account[]
}

/** One line of the preview. */
interface PackedRow {
  readonly startedAtMs: number
  readonly model: string
  readonly reason: string
  /** How it ended: kind of the failure, or the end of the answer. */
  readonly outcome: string
  readonly status: number | null
  readonly events: number
  readonly bytes: number
  readonly withTexts: boolean
}

/** What was packed, or would be. */
export interface Packed {
  /** Null where nothing was written. */
  readonly path: string | null
  readonly bytes: number
  readonly snapshots: readonly PackedRow[]
  /** Files that are no whole snapshot of this version. */
  readonly unreadable: number
  /** Texts were asked for, and how many snapshots have them. */
  readonly texts: { readonly wanted: boolean; readonly there: number }
}

/**
 * Packs the newest snapshots into one file. Each is read and hidden anew, so that nothing gets in that a snapshot may not hold.
 * @throws CodexError `invalid_input` where there is none, or another file is in the way
 */
export async function packSnapshots(
  { paths }: Pick<Runtime, 'paths'>,
  order: PackOrder,
): Promise<Packed> {
  const { most, withTexts, file, force, report, accounts } = order
  const hiding = { digest: createDigest(randomBytes(16).toString('hex')), withTexts }
  const files = await listSnapshots(snapshotsDirOf(paths.logsDir), most)
  const read = await Promise.all(
    files.map(async (one) => {
      const text = await readBoundedFile(one, MAX_SNAPSHOT_BYTES).catch(() => undefined)
      return text === undefined ? undefined : snapshotIn(text, one, hiding)
    }),
  )
  const snapshots = read.filter((one) => one !== undefined)
  if (snapshots.length === 0)
    throw new CodexError(
      'invalid_input',
      files.length === 0 ? 'There is no snapshot yet.' : 'No snapshot can be read.',
      {
        hint: 'Switch them on with {config set requestTrace snapshots}, restart OpenCode, and do again what fails.',
      },
    )
  const text = textOf(
    { kind: PACK_KIND, version: SNAPSHOT_VERSION, report, snapshots },
    accounts.flatMap(secretsOfAccount),
  )
  if (file !== undefined) await writeOwnFile(file, text, PACK_MARK, force)
  return {
    path: file ?? null,
    bytes: Buffer.byteLength(text),
    snapshots: snapshots.map(rowOf),
    unreadable: files.length - snapshots.length,
    texts: {
      wanted: withTexts,
      there: snapshots.filter(({ sent }) => sent.withTexts).length,
    },
  }
}

function snapshotIn(
  text: string,
  file: string,
  hiding: Parameters<typeof parseSnapshot>[2],
): Snapshot | undefined {
  try {
    return parseSnapshot(text, path.basename(file), hiding)
  } catch (error) {
    if (isCodexError(error)) return undefined
    throw error
  }
}

function rowOf(snapshot: Snapshot): PackedRow {
  const { startedAtMs, reason, sent, answer } = snapshot
  return {
    startedAtMs,
    model: modelOf(snapshot),
    reason,
    outcome: outcomeOf(snapshot),
    status: answer?.status ?? null,
    events: answer?.events.reduce((sum, { count }) => sum + count, answer.others) ?? 0,
    bytes: sent.bodyChars,
    withTexts: sent.withTexts,
  }
}

function modelOf({ sent: { body } }: Snapshot): string {
  const model =
    typeof body === 'object' && body !== null && 'model' in body ? body.model : undefined
  return typeof model === 'string' ? model : 'another model'
}

function outcomeOf({ outcome, requestOutcome, error }: Snapshot): string {
  return (outcome === 'ok' ? requestOutcome : outcome) ?? error ?? 'unknown'
}

/** What is in the file, for the user to look over before it goes anywhere. */
export function packText(
  { path: file, bytes, snapshots, unreadable, texts }: Packed,
  { width, nowMs }: { readonly width: number; readonly nowMs: number },
): string {
  const table = renderTable(
    snapshots,
    [
      { title: 'When', value: ({ startedAtMs }) => formatMoment(startedAtMs, nowMs) },
      { title: 'Model', value: ({ model }) => model },
      { title: 'Why it was sent', value: ({ reason }) => reason },
      {
        title: 'Answer',
        value: ({ status, outcome }) => (status === null ? outcome : `${status} ${outcome}`),
      },
      { title: 'Events', value: ({ events }) => String(events), align: 'right', priority: 2 },
      { title: 'Body', value: (row) => sizeOf(row.bytes), align: 'right', priority: 1 },
      { title: 'Texts', value: (row) => (row.withTexts ? 'kept' : 'hidden'), priority: 3 },
    ],
    width,
  )
  const holds =
    texts.there > 0
      ? `${counted(texts.there, 'snapshot')} with the texts of the requests: prompts, files, outputs of tools. Look through the file before you pass it on.`
      : 'No prompt, answer, file, token, address or account id: lengths and hashes in place of texts.'
  return [
    table,
    '',
    `${file === null ? 'Would hold' : 'Written:'} ${counted(snapshots.length, 'snapshot')} and the report of this command, ${sizeOf(bytes)}${file === null ? '.' : `, in ${file}`}`,
    holds,
    ...(texts.wanted && texts.there === 0
      ? [
          'No texts were kept when these were taken; {config set snapshotTexts true} keeps those of later ones.',
        ]
      : []),
    ...(unreadable === 0 ? [] : [`${counted(unreadable, 'file')} left out: no whole snapshot.`]),
  ].join('\n')
}

function sizeOf(bytes: number): string {
  if (bytes < 10_240) return `${bytes} B`
  return bytes < 10 * 1024 * 1024
    ? `${Math.round(bytes / 1024)} KB`
    : `${Math.round(bytes / 1024 / 1024)} MB`
}
