import { randomBytes } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'

import type { Config } from '../../config/settings.js'
import type { Clock } from '../../kernel/clock.js'
import { dropUndefined } from '../../kernel/drop-undefined.js'
import { messageOf } from '../../kernel/errors.js'
import { systemCode } from '../../kernel/system-code.js'
import type { Paths } from '../../kernel/files/paths.js'
import type { Logger } from '../../kernel/logger.js'
import { parsedJson } from '../../kernel/text/json.js'
import { isNestedTooDeep } from '../../kernel/text/nesting.js'
import { packageVersion } from '../../kernel/version.js'
import { createWriteBehind } from '../../kernel/write-behind.js'
import type { Exchange, Shipment, Transport } from '../transport/passage.js'
import type { Passage } from '../transport/way-taken.js'
import { hidden, type Hiding } from './hide.js'
import { createDigest, secretsOfAccount, textOf } from './hiding-key.js'
import { shownHeaders } from './hidden-headers.js'
import { refusalWords } from './refusal-words.js'
import { MAX_SNAPSHOT_BYTES, type Snapshot, SNAPSHOT_KIND, SNAPSHOT_VERSION } from './snapshot.js'
import { snapshotName, snapshotsDirOf, sweepSnapshots, writeSnapshot } from './snapshot-folder.js'
import type { AttemptRecord, RequestRecord } from './trace.js'
import { type WatchedAnswer, watchAnswer } from './watched-answer.js'

/** What snapshots use of the runtime. */
interface SnapshotRuntime {
  readonly clock: Clock
  readonly config: Pick<Config, 'snapshotTexts'>
  readonly paths: Pick<Paths, 'logsDir'>
  readonly host: Logger
}

/** An attempt that was begun; what it holds of the request goes with it. */
interface Taken {
  readonly shipment: Pick<Shipment, 'url' | 'headers' | 'account' | 'sessionId'>
  readonly body: string
  readonly request: RequestRecord
  readonly attempt: AttemptRecord
  readonly position: number
  readonly sequence: number
  passage?: Passage
  answer?: WatchedAnswer
  error?: string
}

/** An end is written this long after, when the request has its outcome, ms. */
const WRITE_DELAY_MS = 500
/** Where the disk is slower than the requests, the oldest are let go. */
const MAX_WAITING = 20
/** A longer body is not read again. */
const MAX_BODY_CHARS = 8 * 1024 * 1024

/**
 * The same way to the backend, with a snapshot of each attempt written behind it. Nothing waits for a snapshot, and nothing
 * fails because of one.
 */
export function withSnapshots(transport: Transport, runtime: SnapshotRuntime): Transport {
  const { clock, config, host, paths } = runtime
  const dir = snapshotsDirOf(paths.logsDir)
  // Lives in this process alone: without it no text can be guessed from its digest, however short.
  const hiding = {
    digest: createDigest(randomBytes(16).toString('hex')),
    withTexts: config.snapshotTexts,
  }
  const open = new Set<Taken>()
  let waiting: Taken[] = []
  let sequence = 0
  let swept: Promise<void> | undefined
  const writes = createWriteBehind(write, WRITE_DELAY_MS)

  async function write(): Promise<void> {
    const batch = waiting
    waiting = []
    await (swept ??= sweepSnapshots(dir, clock.now()))
    for (const one of batch) {
      try {
        const name = snapshotName(one.attempt.startedAtMs, process.pid, one.sequence)
        await writeSnapshot(dir, name, snapshotText(one, hiding))
        // Reading a large body again takes its time; the answers of others come between.
        await setImmediate()
      } catch (error) {
        host.log('debug', 'A snapshot could not be written.', { reason: messageOf(error) })
      }
    }
  }

  const done = (taken: Taken): void => {
    if (!open.delete(taken)) return
    waiting = [...waiting, taken].slice(-MAX_WAITING)
    writes.schedule()
  }

  const begin = (shipment: Shipment): Taken | undefined => {
    const { record, body, url, headers, account, sessionId } = shipment
    const attempt = record?.attempts.at(-1)
    if (record === undefined || attempt === undefined) return undefined
    sequence += 1
    const taken = {
      shipment: { url, headers, account, sessionId },
      body: body.text,
      request: record,
      attempt,
      position: record.attempts.length,
      sequence,
    }
    open.add(taken)
    return taken
  }

  return {
    load: () => transport.load(),
    async send(shipment) {
      const taken = begin(shipment)
      if (taken === undefined) return transport.send(shipment)
      const startedAt = performance.now()
      let exchange: Exchange
      try {
        exchange = await transport.send(shipment)
      } catch (error) {
        taken.error = nameOf(error)
        done(taken)
        throw error
      }
      taken.passage = exchange.passage
      const elapsedMs = (): number => Math.round(performance.now() - startedAt)
      const { response, answer } = watchAnswer(exchange.response, elapsedMs, () => done(taken))
      taken.answer = answer
      // Without a body it has ended before this line.
      if (answer.closed !== 'open') done(taken)
      return { ...exchange, response }
    },
    async close() {
      await transport.close()
      for (const taken of open) done(taken)
      await writes.close()
    },
  }
}

function nameOf(error: unknown): string {
  const name = systemCode(error) ?? (error instanceof Error ? error.name : 'unknown')
  return /^[\w.-]{1,60}$/.test(name) ? name : 'unknown'
}

/** The file of a snapshot, never longer than one may be. */
function snapshotText(taken: Taken, hiding: Hiding): string {
  const body =
    taken.body.length > MAX_BODY_CHARS || isNestedTooDeep(taken.body)
      ? undefined
      : parsedJson(taken.body)
  const known = secretsOf(taken.shipment)
  for (const withTexts of hiding.withTexts ? [true, false] : [false]) {
    const now = { ...hiding, withTexts }
    const text = textOf(snapshotOf(taken, body === undefined ? CUT : hidden(body, now), now), known)
    if (Buffer.byteLength(text) <= MAX_SNAPSHOT_BYTES) return text
  }
  return textOf(snapshotOf(taken, CUT, { ...hiding, withTexts: false }), known)
}

const CUT = { '~': 'cut' } as const

function snapshotOf(taken: Taken, body: unknown, hiding: Hiding): Snapshot {
  const { shipment, request, attempt, answer, passage, error } = taken
  const { digest, withTexts } = hiding
  return dropUndefined({
    kind: SNAPSHOT_KIND,
    version: SNAPSHOT_VERSION,
    plugin: packageVersion(),
    engine:
      process.versions.bun === undefined
        ? `node ${process.versions.node}`
        : `bun ${process.versions.bun}`,
    platform: `${process.platform} ${process.arch}`,
    request: request.id,
    attempt: taken.position,
    startedAtMs: attempt.startedAtMs,
    reason: attempt.reason,
    choice: attempt.choice,
    account: attempt.account,
    session: shipment.sessionId === undefined ? undefined : digest(shipment.sessionId),
    destination: destinationOf(shipment.url),
    sent: {
      headers: shownHeaders(Object.entries(shipment.headers), hiding),
      body,
      bodyChars: taken.body.length,
      withTexts: withTexts && body !== CUT,
      isCut: body === CUT,
    },
    passage,
    answer:
      answer === undefined
        ? undefined
        : dropUndefined({
            status: answer.status,
            refusal: refusalWords(answer.refusal),
            headers: shownHeaders(answer.headers, hiding),
            headersMs: answer.headersMs,
            bytes: answer.bytes,
            chunks: answer.chunks,
            events: answer.count.runs,
            others: answer.count.others,
            closed: answer.closed,
            closedMs: answer.closedMs,
          }),
    error,
    outcome: attempt.outcome,
    requestOutcome: request.outcome,
  })
}

/** Whose it is in a few words: the address of a user's own endpoint may hold a name, or a key. */
function destinationOf(url: string): Snapshot['destination'] {
  const { hostname } = new URL(url)
  if (hostname === 'chatgpt.com' || hostname === 'api.openai.com') return hostname
  return /^(?:127\.|localhost$|\[::1\]$)/.test(hostname) ? 'this machine' : 'other'
}

/** Everything this attempt was sent with that is nobody else's business. */
function secretsOf({ headers, account, sessionId }: Taken['shipment']): readonly string[] {
  return [
    headers.authorization?.replace(/^Bearer /, ''),
    headers['x-codex-turn-state'],
    sessionId,
    ...secretsOfAccount(account),
  ].filter((one) => one !== undefined)
}
