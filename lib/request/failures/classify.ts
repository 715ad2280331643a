import { dropUndefined } from '../../kernel/drop-undefined.js'
import { systemCode } from '../../kernel/system-code.js'
import { redactForeign } from '../../kernel/text/redact.js'
import type { Evidence } from './blocks.js'
import { parseErrorBody, parseErrorEvent, retryAfterMs } from './facts.js'
import type { FailureRow } from './failure-row.js'
import { type Failure, type FailureKind, FAILURES, type FailureTable } from './failures.js'

/** Longest part of the backend's own sentence that is shown, in characters. */
const MAX_MESSAGE = 300

/** What an attempt asked for. */
type Asked = Pick<Evidence, 'model' | 'limitId' | 'nowMs' | 'headers'>

/** Judges an answer that is not 2xx. Pure, never throws. */
export function classifyResponse(
  answer: Asked & { readonly status: number; readonly bodyText: string },
  table: FailureTable = FAILURES,
): Failure {
  const facts = parseErrorBody(answer.bodyText, answer.headers)
  // A page for people, of a proxy or a guard in front of the backend, is not repeated in a terminal.
  const isHtml = answer.bodyText.trimStart().startsWith('<')
  return classified({ ...answer, facts, isHtml }, table)
}

/** Judges the event a stream failed with: `response.failed` or `error`. Pure, never throws. */
export function classifyEvent(
  answer: Asked & { readonly event: unknown },
  table: FailureTable = FAILURES,
): Failure {
  const { facts, status, headers } = parseErrorEvent(answer.event)
  const merged = new Headers(answer.headers)
  headers.forEach((value, name) => merged.set(name, value))
  return classified({ ...answer, headers: merged, facts, status, isHtml: false }, table)
}

/** Judges what `fetch` threw. Pure. */
export function classifyThrown(error: unknown, table: FailureTable = FAILURES): Failure {
  const cause = error instanceof Error ? error.cause : undefined
  return dropUndefined({
    kind: kindWhere(table, (row) => row.thrown?.(error) === true) ?? 'network',
    code: (systemCode(cause) ?? systemCode(error))?.toLowerCase(),
  })
}

interface Seen extends Omit<Evidence, 'retryAfterMs'> {
  readonly status: number | undefined
  readonly isHtml: boolean
}

function classified(seen: Seen, table: FailureTable): Failure {
  const { facts, headers, status, nowMs } = seen
  const { kind, code } = kindOf(seen, table)
  const wait = retryAfterMs(headers, facts.message, nowMs)
  const message = seen.isHtml ? undefined : facts.message
  return dropUndefined({
    kind,
    status,
    code: code ?? facts.codes[0],
    message: message === undefined ? undefined : redactForeign(message, MAX_MESSAGE),
    retryAfterMs: wait,
    block: table[kind]?.block?.of({ ...seen, retryAfterMs: wait }),
    requestId: headers.get('x-request-id') ?? headers.get('x-oai-request-id') ?? undefined,
  })
}

/** By the code; where that only says "invalid request" or is not known, by the sentence; else by the status. */
function kindOf(
  { facts, status }: Seen,
  table: FailureTable,
): { readonly kind: FailureKind; readonly code?: string | undefined } {
  const named = kindWhere(table, (row) => codeOf(row, facts.codes) !== undefined)
  const row = named === undefined ? undefined : table[named]
  const code = row === undefined ? undefined : codeOf(row, facts.codes)
  if (named !== undefined && row?.isVague !== true) return { kind: named, code }
  const message = facts.message ?? ''
  const bySentence = kindWhere(table, ({ sentence }) => sentence?.test(message) === true)
  return { kind: bySentence ?? kindOfStatus(status, table) ?? named ?? 'server_error', code }
}

function codeOf({ codes, codePattern }: FailureRow, given: readonly string[]): string | undefined {
  return given.find((code) => codes?.includes(code) === true || codePattern?.test(code) === true)
}

function kindOfStatus(status: number | undefined, table: FailureTable): FailureKind | undefined {
  if (status === undefined) return undefined
  const among = (key: number | '5xx' | 'other') =>
    kindWhere(table, ({ statuses }) => statuses?.includes(key) === true)
  return among(status) ?? (status >= 500 ? among('5xx') : undefined) ?? among('other')
}

/** The first kind in the order of the table. */
function kindWhere(
  table: FailureTable,
  isIt: (row: FailureRow) => boolean,
): FailureKind | undefined {
  const found = Object.entries(table).find(([, row]) => isIt(row))
  // A table under test may hold rows of its own; the real one has no others.
  return found?.[0] as FailureKind | undefined
}
