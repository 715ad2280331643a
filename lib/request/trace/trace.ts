import type { TurnEntry } from '../../history/entries.js'
import { dropUndefined } from '../../kernel/drop-undefined.js'
import { sha256Hex } from '../../kernel/hash.js'
import { createRing } from '../../kernel/ring.js'
import type { ChosenReason } from '../../routing/types.js'
import type { AttemptReason } from '../failures/failures.js'
import type { Passage } from '../transport/way-taken.js'

/** One try of one request with one account. */
export interface AttemptRecord {
  /** Stable pseudonym of the account; see `pseudonymOf`. */
  readonly account: string
  /** Why this attempt was made: `initial_attempt`, `switched_account_after_usage_limit`, … */
  readonly reason: AttemptReason
  /** Why this account was chosen. */
  readonly choice: ChosenReason | 'again'
  readonly startedAtMs: number
  /** From the start of the attempt to the response headers, ms. */
  headersMs?: number
  status?: number
  /** Which way the request went, and what of it. */
  passage?: Passage
  /** Kind of the outcome: `ok`, `usage_limit`, … */
  outcome?: string
  /** The backend's own name of this exchange, for its support. */
  requestId?: string
}

/** What became of one request of the host. Holds no prompt, answer, token or address. */
export interface RequestRecord {
  readonly id: string
  readonly startedAtMs: number
  readonly session?: string
  model: string
  /** Members of the body that had to be changed. */
  readonly changed: readonly string[]
  readonly requestBytes: number
  readonly attempts: AttemptRecord[]
  /** How it ended: `completed`, `failed:<code>`, `aborted`, … */
  outcome?: string
  /** From the request to the first output event handed to the host, ms. */
  firstOutputMs?: number
  durationMs?: number
  responseBytes?: number
  usage?: TokenUsage
}

/** Token counts of a finished answer. */
export type TokenUsage = Pick<
  TurnEntry,
  'inputTokens' | 'cachedTokens' | 'outputTokens' | 'reasoningTokens'
>

/** Keeps the records of the newest requests and hands each finished one on. */
export type Trace = ReturnType<typeof createTrace>

interface Begun extends Pick<RequestRecord, 'model' | 'requestBytes' | 'changed'> {
  readonly session?: string | undefined
  readonly nowMs: number
}

/** Requests kept for `codex-status --why` and `codex-metrics`. */
const TRACE_CAPACITY = 200

/**
 * Creates an empty trace.
 * @param onFinish gets every finished record; used to write it to a log when the user asked for that
 */
export function createTrace(onFinish: (record: RequestRecord) => void = () => undefined) {
  const ring = createRing<RequestRecord>(TRACE_CAPACITY)
  let sequence = 0
  return {
    begin({ nowMs, ...start }: Begun): RequestRecord {
      sequence += 1
      const record: RequestRecord = dropUndefined({
        id: `${nowMs.toString(36)}-${sequence.toString(36)}`,
        startedAtMs: nowMs,
        ...start,
        attempts: [],
      })
      ring.push(record)
      return record
    },
    /** Closes a record; later calls for the same record change nothing. */
    finish(record: RequestRecord, { outcome, nowMs }: { outcome: string; nowMs: number }): void {
      if (record.outcome !== undefined) return
      record.outcome = outcome
      record.durationMs = nowMs - record.startedAtMs
      onFinish(record)
    },
    /** The newest records, oldest first; running ones have no outcome yet. */
    recent: () => ring.toArray(),
  }
}

/** A stable name for an account that says nothing about it. */
export function pseudonymOf(uid: string): string {
  return `account-${sha256Hex(uid).slice(0, 8)}`
}
