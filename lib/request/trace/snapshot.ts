import { CodexError } from '../../kernel/errors.js'
import * as s from '../../kernel/shape.js'
import { isRecord, parsedJson } from '../../kernel/text/json.js'
import { isNestedTooDeep } from '../../kernel/text/nesting.js'
import { type EventRun } from './event-count.js'
import { hidden, type Hiding } from './hide.js'
import { REFUSAL_PARAM, REFUSAL_WORD, shownParam } from './refusal-words.js'
import { type ShownHeaders, shownHeaders } from './hidden-headers.js'

export const SNAPSHOT_KIND = 'oc-codex-multi-auth snapshot' as const
export const PACK_KIND = 'oc-codex-multi-auth snapshots'
/** How every pack begins. */
export const PACK_MARK = `{"kind":"${PACK_KIND}"`
/** Raised when a reader of today could not make sense of what is written. */
export const SNAPSHOT_VERSION = 1 as const

/** Largest snapshot that is written, bytes. */
export const MAX_SNAPSHOT_BYTES = 1024 * 1024

const name = s.string({ pattern: /^[\w:.-]{1,100}$/ })
const program = s.string({ pattern: /^[\w .+-]{1,60}$/ })
const word = s.string({ pattern: REFUSAL_WORD, max: 80 })
const count = s.int({ min: 0 })
/** No date is later. */
const time = s.number({ min: 0, max: 8_640_000_000_000_000 })
const headers = s.record(s.unknown())

const eventRun = s.object({
  type: s.string({ pattern: /^[a-z_.]{1,200}$/ }),
  count,
  bytes: count,
  atMs: s.number(),
  lastMs: s.number(),
})

const answerShape = s.object({
  status: s.int({ min: 0, max: 999 }),
  /** Words of the API in a refusal. */
  refusal: s
    .object({
      code: word.exactOptional(),
      type: word.exactOptional(),
      param: s.string({ pattern: REFUSAL_PARAM, max: 80 }).exactOptional(),
    })
    .exactOptional(),
  headers,
  headersMs: s.number(),
  bytes: count,
  chunks: count,
  events: s.array(eventRun),
  /** Events behind the last one that is listed. */
  others: count,
  /** `open`: the window ended before the answer did. */
  closed: s.oneOf(['end', 'cancelled', 'failed', 'open']),
  closedMs: s.number(),
})

const snapshotShape = s.object({
  kind: s.literal(SNAPSHOT_KIND),
  version: s.literal(SNAPSHOT_VERSION),
  plugin: program,
  engine: program,
  platform: program,
  /** Name of the request of the host; its attempts have the same. */
  request: name,
  /** From 1. */
  attempt: s.int({ min: 1 }),
  startedAtMs: time,
  /** Why this attempt was made. */
  reason: name,
  choice: name,
  /** Stable pseudonym. */
  account: name,
  /** Digest of the name of the session. */
  session: name.exactOptional(),
  destination: s.oneOf(['chatgpt.com', 'api.openai.com', 'this machine', 'other']),
  sent: s.object({
    headers,
    /** With every text hidden that could be anybody's. */
    body: s.unknown(),
    /** Size of the body, in characters. */
    bodyChars: count,
    withTexts: s.boolean(),
    /** The body was too large to be kept. */
    isCut: s.boolean(),
  }),
  passage: s
    .object({
      transport: s.oneOf(['http', 'websocket']),
      bodyBytes: count,
      sentBytes: count,
      full: name.exactOptional(),
    })
    .exactOptional(),
  answer: answerShape.exactOptional(),
  /** Name or code of what was thrown in place of an answer. */
  error: name.exactOptional(),
  /** How the attempt ended. */
  outcome: name.exactOptional(),
  /** How the request of the host ended, over all attempts. */
  requestOutcome: name.exactOptional(),
})

type Written = s.Infer<typeof snapshotShape>

/** The answer to an attempt: everything but what it said. */
export interface Answer extends Omit<Written['answer'] & object, 'headers' | 'events'> {
  readonly headers: ShownHeaders
  readonly events: readonly EventRun[]
}

/** One attempt, as it was sent and answered, without what is secret. */
export interface Snapshot extends Omit<Written, 'sent' | 'answer'> {
  readonly sent: Omit<Written['sent'], 'headers'> & { readonly headers: ShownHeaders }
  readonly answer?: Answer
}

/**
 * The snapshot in a file, with everything hidden once more: whatever stood in it, it goes no further than what one may hold.
 * @throws CodexError `invalid_input` in one sentence
 */
export function parseSnapshot(text: string, file: string, hiding: Hiding): Snapshot {
  return snapshotFrom(jsonIn(text, file), file, hiding)
}

/** The snapshots in a file that holds one, or a pack. @throws CodexError `invalid_input` in one sentence */
export function parseSnapshots(text: string, file: string, hiding: Hiding): readonly Snapshot[] {
  const value = jsonIn(text, file)
  if (!isRecord(value) || value.kind !== PACK_KIND) return [snapshotFrom(value, file, hiding)]
  assertVersion(value, file)
  const list: readonly unknown[] = Array.isArray(value.snapshots) ? value.snapshots : []
  if (list.length === 0) throw refused(`${file} is a pack without a snapshot.`)
  return list.map((one, index) => snapshotFrom(one, `${file}, snapshot ${index + 1}`, hiding))
}

function jsonIn(text: string, file: string): unknown {
  const value = isNestedTooDeep(text) ? undefined : parsedJson(text)
  if (value === undefined) throw refused(`${file} is broken: it does not hold whole JSON.`)
  return value
}

function snapshotFrom(value: unknown, file: string, hiding: Hiding): Snapshot {
  if (!isRecord(value) || value.kind !== SNAPSHOT_KIND)
    throw refused(`${file} is no snapshot of this plugin.`)
  assertVersion(value, file)
  const checked = snapshotShape.safeParse(value)
  if (!checked.success) throw refused(`${file} is a damaged snapshot: ${checked.problem}.`)
  const { sent, answer, ...others } = checked.data
  return {
    ...others,
    sent: {
      ...sent,
      withTexts: sent.withTexts && hiding.withTexts,
      headers: shownHeaders(Object.entries(sent.headers), hiding),
      body: hidden(sent.body, hiding),
    },
    ...(answer && {
      answer: {
        ...answerAgain(answer),
        headers: shownHeaders(Object.entries(answer.headers), hiding),
      },
    }),
  }
}

function answerAgain({
  refusal,
  ...answer
}: Written['answer'] & object): Written['answer'] & object {
  if (refusal === undefined) return answer
  const { param, ...words } = refusal
  return { ...answer, refusal: { ...words, ...(param !== undefined && shownParam(param)) } }
}

function assertVersion({ version }: Readonly<Record<string, unknown>>, file: string): void {
  if (typeof version === 'number' && version > SNAPSHOT_VERSION)
    throw refused(
      `${file} was written by a newer version of this plugin.`,
      'Update this one: {update}',
    )
}

function refused(
  message: string,
  hint = 'Snapshots are packed by: {diag --snapshots}',
): CodexError {
  return new CodexError('invalid_input', message, { hint })
}
