import { randomBytes } from 'node:crypto'
import http from 'node:http'
import path from 'node:path'
import { Readable } from 'node:stream'

import { CodexError, WrongUsage } from '../kernel/errors.js'
import { givenPath } from '../kernel/files/given-path.js'
import { MAX_FOREIGN_BYTES, readBoundedFile } from '../kernel/files/bounded-file.js'
import { resolvePaths } from '../kernel/files/paths.js'
import { counted } from '../kernel/text/plural.js'
import { redactForeign } from '../kernel/text/redact.js'
import { renderTable } from '../kernel/text/table.js'
import type { EventRun } from '../request/trace/event-count.js'
import { filledBody, filledHeaders } from '../request/trace/filled.js'
import { createDigest } from '../request/trace/hiding-key.js'
import { shownHeaders } from '../request/trace/hidden-headers.js'
import { type Parting, partingOf } from '../request/trace/parting.js'
import { type Answer, parseSnapshots, type Snapshot } from '../request/trace/snapshot.js'
import { snapshotsDirOf } from '../request/trace/snapshot-folder.js'
import { watchAnswer } from '../request/trace/watched-answer.js'
import { startSimulator } from '../../simulator/index.js'
import { defineCommand, jsonText } from './command.js'
import type { CommandIo } from './io.js'

const HELP = `Usage: oc-codex-multi-auth replay SNAPSHOT [options]

Sends the request of a snapshot to a simulator that is started for it on this machine, and shows where its answer and the
recorded one part: status, headers, sequence of events. Nothing is sent anywhere else, and no account of yours is used.
Texts that the snapshot does not have are made up in their length.

SNAPSHOT is a file of "diag --snapshots", or one of ~/.opencode/logs/codex-plugin/snapshots, also by its name alone.

  --number N  which snapshot of a pack, from 1 (default: the last)
  --json      print JSON
  --help      show this text

Exit code: 0 sent, whether or not the answers part; 1 failed, 2 wrong usage.
`

/** The account of the simulator. */
const ACCOUNT = 'replay'
/** Events shown around where the answers part. */
const MAX_SHOWN = 30
/** Longest sentence of the simulator that is repeated, in characters. */
const MAX_SAID = 500

/** `replay`: a snapshot against the simulator. */
export const replayCommand = defineCommand({
  name: 'replay',
  summary: 'Send a snapshot to a simulator on this machine and compare the answers.',
  help: HELP,
  options: { number: { type: 'string' } },
  takesWords: (given) => (given.length === 0 ? [{ kind: 'file' }] : []),
  async run({ number, json = false }, io, words) {
    const [given] = words
    if (given === undefined || words.length > 1)
      throw new WrongUsage('replay takes the name of one file.', 'Help: {replay --help}')
    const snapshots = await readSnapshots(given, io)
    const position = positionOf(number, snapshots.length)
    const snapshot = snapshots[position - 1]
    if (snapshot === undefined || snapshot.sent.isCut)
      throw new CodexError(
        'invalid_input',
        `Snapshot ${position} of ${given} has no request: it was too large to be kept.`,
        { hint: 'Choose another one with --number.' },
      )
    const replayed = { position, of: snapshots.length, ...(await replay(snapshot, io.signal)) }
    io.stdout(json ? jsonText(replayed, 2) : textOf(replayed, io.columns))
    return 0
  },
})

async function readSnapshots(given: string, io: CommandIo): Promise<readonly Snapshot[]> {
  const paths = resolvePaths(io.env)
  const named = givenPath(given, { directory: io.directory, home: paths.home })
  const inFolder = path.join(snapshotsDirOf(paths.logsDir), path.basename(given, '.json') + '.json')
  const isName = path.basename(given) === given
  const read = async (file: string): Promise<string | undefined> => {
    try {
      return await readBoundedFile(file, MAX_FOREIGN_BYTES)
    } catch (error) {
      throw new CodexError(
        'invalid_input',
        error instanceof Error ? error.message : String(error),
        {
          cause: error,
          hint: 'Snapshots are packed by: {diag --snapshots}',
        },
      )
    }
  }
  const text = (await read(named)) ?? (isName ? await read(inFolder) : undefined)
  if (text === undefined)
    throw new CodexError('invalid_input', `There is no file ${given}.`, {
      hint: 'Snapshots are packed by: {diag --snapshots}',
    })
  return parseSnapshots(text, given, { digest: freshDigest(), withTexts: true })
}

function freshDigest(): (text: string) => string {
  return createDigest(randomBytes(16).toString('hex'))
}

/** @returns 1 up to `most` */
function positionOf(number: string | undefined, most: number): number {
  const position = number === undefined ? most : Number(number)
  if (Number.isInteger(position) && position >= 1 && position <= most) return position
  const why = `--number must be a whole number from 1 to ${most}, not ${JSON.stringify(number)}.`
  // What no pack has is a wrong call; what this one lacks is not.
  throw position >= 1 && Number.isInteger(position)
    ? new CodexError('invalid_input', why)
    : new WrongUsage(why)
}

/** Which attempt a snapshot is of, and how that ended. */
type Meta = Pick<Snapshot, 'startedAtMs' | 'plugin' | 'reason' | 'attempt' | 'destination'> &
  Partial<Pick<Snapshot, 'passage' | 'error' | 'outcome' | 'requestOutcome'>>

interface Replayed {
  readonly snapshot: Meta
  /** Texts that were made up. */
  readonly filled: number
  /** Items left out, since only their account can read them. */
  readonly leftOut: number
  /** Null where the attempt had no answer. */
  readonly recorded: Answer | null
  readonly ours: Answer
  /** What the simulator said where it refused the request. */
  readonly refusal: string | null
  readonly parting: Parting | null
}

async function replay(snapshot: Snapshot, signal: AbortSignal): Promise<Replayed> {
  const { sent, answer = null } = snapshot
  const { startedAtMs, plugin, reason, attempt, destination } = snapshot
  const { passage, error, outcome, requestOutcome } = snapshot
  const { body, filled, leftOut } = filledBody(sent.body)
  const simulator = await startSimulator({ accounts: [ACCOUNT] })
  const agent = new http.Agent({ keepAlive: true })
  try {
    const { accountId } = simulator.account(ACCOUNT)
    const startedAt = performance.now()
    const fetched = await posted(`${simulator.backend}/codex/responses`, {
      headers: {
        ...filledHeaders(sent.headers),
        authorization: `Bearer ${simulator.login(ACCOUNT).access_token}`,
        'chatgpt-account-id': accountId,
      },
      body: JSON.stringify(body),
      agent,
      signal,
    })
    const elapsedMs = (): number => Math.round(performance.now() - startedAt)
    const watched = watchAnswer(fetched, elapsedMs, () => undefined)
    const said = await watched.response.text()
    const { count, headers, refusal: _refusal, ...plain } = watched.answer
    const ours = {
      ...plain,
      headers: shownHeaders(headers, { digest: freshDigest(), withTexts: false }),
      events: count.runs,
      others: count.others,
    }
    return {
      snapshot: {
        ...{ startedAtMs, plugin, reason, attempt, destination },
        ...(passage && { passage }),
        ...(error !== undefined && { error }),
        ...(outcome !== undefined && { outcome }),
        ...(requestOutcome !== undefined && { requestOutcome }),
      },
      filled,
      leftOut,
      recorded: answer,
      ours,
      refusal: fetched.ok ? null : redactForeign(said, MAX_SAID),
      parting: answer === null ? null : partingOf(answer, ours),
    }
  } finally {
    agent.destroy()
    await simulator.close()
  }
}

/**
 * Not by `fetch`, which may lead to a proxy that the environment names: what is sent stays on this machine.
 * So may the agent of the process, so that there is another one.
 */
async function posted(
  url: string,
  { body, ...options }: http.RequestOptions & { readonly body: string },
): Promise<Response> {
  const answer = await new Promise<http.IncomingMessage>((resolve, reject) => {
    http
      .request(url, { ...options, method: 'POST' }, resolve)
      .once('error', reject)
      .end(body)
  })
  const headers = Object.entries(answer.headers).map(([name, value = '']): [string, string] => [
    name,
    String(value),
  ])
  const stream = Readable.toWeb(answer) as unknown as ReadableStream
  return new Response(stream, { status: answer.statusCode ?? 0, headers })
}

function textOf(
  replayed: Replayed & { readonly position: number; readonly of: number },
  columns = Infinity,
): string {
  const { snapshot, recorded, ours, refusal, parting, filled, leftOut } = replayed
  const { outcome, requestOutcome, error, passage } = snapshot
  const ended = [outcome, outcome === 'ok' ? requestOutcome : undefined].filter(Boolean).join(', ')
  const lines = [
    `Snapshot ${replayed.position} of ${replayed.of}: ${new Date(snapshot.startedAtMs).toISOString()}, attempt ${snapshot.attempt} (${snapshot.reason}) to ${snapshot.destination}${ended === '' ? '' : `, ended with ${ended}`}.`,
    `Sent to a simulator on this machine with ${counted(filled, 'made-up text')}${leftOut === 0 ? '' : `, without ${counted(leftOut, 'item')} that only its own account can read`}${passage?.transport === 'websocket' ? '; by HTTP, where it had gone over a WebSocket' : ''}.`,
    ...(refusal === null ? [] : [`The simulator refused it: ${refusal}`]),
  ]
  if (recorded === null || parting === null)
    return `${[...lines, `No answer was recorded${error === undefined ? '' : ` (${error})`}; the simulator answers with status ${ours.status}.`].join('\n')}\n`
  const { status, headers, events } = parting
  const named = (title: string, names: readonly string[]): string[] =>
    names.length === 0 ? [] : [`  ${title}: ${names.join(', ')}`]
  const words = Object.entries(recorded.refusal ?? {}).map(([name, word]) => `${name} ${word}`)
  return `${[
    ...lines,
    ...(words.length === 0 ? [] : [`The recorded refusal: ${words.join(', ')}.`]),
    '',
    status === null
      ? `Status: the same (${ours.status}).`
      : `Status: recorded ${status.recorded}, simulator ${status.ours}.`,
    `Headers:${headers.onlyRecorded.length + headers.onlyOurs.length + headers.different.length === 0 ? ' the same.' : ''}`,
    ...named('recorded alone', headers.onlyRecorded),
    ...named('simulator alone', headers.onlyOurs),
    ...headers.different.map(
      (one) => `  ${one.name}: recorded ${one.recorded}, simulator ${one.ours}`,
    ),
    events === null
      ? `Events: the same sequence (${counted(ours.events.length, 'step')}).`
      : `Events: they part at step ${events.position}: recorded ${events.recorded ?? 'nothing more'}, simulator ${events.ours ?? 'nothing more'}.`,
    ...(events === null ? [] : ['', eventTable(recorded, ours, events.position, columns)]),
  ].join('\n')}\n`
}

function eventTable(recorded: Answer, ours: Answer, parting: number, columns: number): string {
  const steps = Math.max(recorded.events.length, ours.events.length)
  const first = Math.max(0, parting - 1 - MAX_SHOWN / 2)
  const rows = Array.from({ length: Math.min(steps - first, MAX_SHOWN) }, (_none, index) => {
    const at = first + index
    return { step: at + 1, recorded: recorded.events[at], ours: ours.events[at] }
  })
  return renderTable(
    rows,
    [
      { title: 'Step', value: ({ step }) => `${step === parting ? '>' : ' '}${step}` },
      { title: 'Recorded', value: (row) => eventText(row.recorded) },
      { title: 'Simulator', value: (row) => eventText(row.ours) },
    ],
    columns,
  )
}

function eventText(run: EventRun | undefined): string {
  if (run === undefined) return '-'
  return `${run.type}${run.count === 1 ? '' : ` ×${run.count}`} ${run.bytes} B +${run.atMs} ms`
}
