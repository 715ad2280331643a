import { redactForeign } from '../kernel/redact.js'
import { systemCode } from '../kernel/errors.js'
import type { Block, BlockReason } from '../routing/limits.js'
import { type ErrorFacts, parseErrorBody, parseErrorEvent } from './outcome-body.js'
import { type CodeMeaning, meaningOf } from './outcome-codes.js'
import { blockOfLimit } from './outcome-limits.js'
import type { Failure, OutcomeKind } from './outcome-types.js'
import { retryAfterMs } from './retry-after.js'
import { HeaderTimeout } from './transport.js'

/** How long an account is left alone for what time alone rarely mends, ms; every block has an end. */
export const HOLD_MS = {
  usage_not_included: 6 * 3_600_000,
  workspace_deactivated: 24 * 3_600_000,
  model_not_supported: 24 * 3_600_000,
  forbidden: 10 * 60_000,
  /** A short request limit without a time of its own. */
  rate_limit: 10_000,
} as const

/** A plain request limit that asks for more than this is tried anew earlier: only a quota window lasts for hours, ms. */
export const LONGEST_RATE_LIMIT_MS = 15 * 60_000

/** Longest part of the backend's own sentence that is shown, in characters. */
const MAX_MESSAGE = 300

/** What an attempt asked for. */
interface Asked {
  readonly model: string
  /** Limit family the request counts against. */
  readonly limitId: string
  readonly nowMs: number
}

/** Judges an answer that is not 2xx. Pure, never throws (wire facts §8, second study §7). */
export function classifyResponse(
  answer: Asked & { readonly status: number; readonly headers: Headers; readonly bodyText: string },
): Failure {
  const { status, headers, bodyText } = answer
  const facts = parseErrorBody(bodyText, headers)
  return judged({
    ...answer,
    facts,
    status,
    isHtml: bodyText.trimStart().startsWith('<'),
    kindOfStatus: kindOfStatus(status),
  })
}

/** Judges the event a stream failed with: `response.failed` or `error`. Pure, never throws. */
export function classifyEvent(
  answer: Asked & { readonly event: unknown; readonly headers: Headers },
): Failure {
  const { facts, status, headers } = parseErrorEvent(answer.event)
  const merged = new Headers(answer.headers)
  headers.forEach((value, name) => merged.set(name, value))
  const kind = status === undefined ? 'server_error' : kindOfStatus(status)
  return judged({
    ...answer,
    headers: merged,
    facts,
    isHtml: false,
    kindOfStatus: kind,
    ...(status === undefined ? {} : { status }),
  })
}

/** Judges what `fetch` threw. Pure. */
export function classifyThrown(thrown: {
  readonly error: unknown
  readonly nowMs: number
  readonly aborted: boolean
}): Failure {
  if (thrown.aborted) return { kind: 'aborted' }
  if (thrown.error instanceof HeaderTimeout) return { kind: 'header_timeout' }
  const cause = thrown.error instanceof Error ? thrown.error.cause : undefined
  const code = systemCode(cause) ?? systemCode(thrown.error)
  return { kind: 'network', ...(code === undefined ? {} : { code: code.toLowerCase() }) }
}

interface Evidence extends Asked {
  readonly facts: ErrorFacts
  readonly headers: Headers
  readonly status?: number
  readonly isHtml: boolean
  readonly kindOfStatus: OutcomeKind
}

function judged(evidence: Evidence): Failure {
  const { facts, headers, status, nowMs } = evidence
  const meant = meaningOf(facts.codes)
  const kind = kindOf(evidence, meant?.meaning)
  const wait = retryAfterMs(headers, facts.message, nowMs)
  const block = blockOf(kind, evidence, wait)
  const requestId = headers.get('x-request-id') ?? headers.get('x-oai-request-id') ?? undefined
  const code = meant?.code ?? facts.codes[0]
  // A page for people, of a proxy or a guard in front of the backend, is not repeated in a terminal.
  const message = evidence.isHtml ? undefined : facts.message
  return {
    kind,
    ...(status === undefined ? {} : { status }),
    ...(code === undefined ? {} : { code }),
    ...(message === undefined ? {} : { message: redactForeign(message, MAX_MESSAGE) }),
    ...(wait === undefined ? {} : { retryAfterMs: wait }),
    ...(block === undefined ? {} : { block }),
    ...(requestId === undefined ? {} : { requestId }),
  }
}

/** A sentence of the backend that has no code of its own (wire facts §8). */
const MODEL_SENTENCE =
  /model is not supported when using Codex with a ChatGPT account|does not have access to (?:the )?model/i
const ENCRYPTED_SENTENCE =
  /encrypted content .{0,100}could not be (?:verified|decrypted)|invalid_encrypted_content/i
/** Reasoning that lost what belonged to it; without all of it the history is whole again. */
const REASONING_SENTENCE =
  /of type '\w{1,60}' was provided without its required (?:following|'reasoning') item/i
/** A call that was interrupted, or an output whose call the host has cut away. */
const PAIR_SENTENCE = /no tool (?:output|call) found for /i
const CONTEXT_SENTENCE =
  /exceeds the context window|maximum context length|context_length_exceeded/i

function kindOf(evidence: Evidence, meaning: CodeMeaning | undefined): OutcomeKind {
  const { facts, status, kindOfStatus: fallback } = evidence
  const message = facts.message ?? ''
  // "invalid request" only says that something was wrong; the sentence says what.
  if (meaning === undefined || meaning === 'bad_request') {
    if (MODEL_SENTENCE.test(message)) return 'model_not_supported'
    if (ENCRYPTED_SENTENCE.test(message) || REASONING_SENTENCE.test(message))
      return 'invalid_encrypted_content'
    if (PAIR_SENTENCE.test(message)) return 'broken_history'
    if (CONTEXT_SENTENCE.test(message)) return 'context_too_long'
  }
  if (meaning === undefined) return fallback
  // A code of the class "server" under a status that says more exactly whose fault it is.
  if (meaning === 'bad_request' && status !== undefined && status !== 400) return fallback
  return meaning
}

function kindOfStatus(status: number): OutcomeKind {
  switch (status) {
    case 401:
      return 'unauthorized'
    case 402:
    case 403:
      return 'forbidden'
    case 413:
      return 'context_too_long'
    case 404:
      // The path is always ours, so whoever does not know it is broken or no Codex backend; another account's may be right.
      return 'server_error'
    case 408:
      return 'network'
    case 429:
      return 'rate_limit'
    default:
      return status >= 500 ? 'server_error' : 'bad_request'
  }
}

function blockOf(
  kind: OutcomeKind,
  evidence: Evidence,
  wait: number | undefined,
): Block | undefined {
  const { nowMs, model } = evidence
  const hold = (scope: string, reason: BlockReason, ms: number): Block => ({
    scope,
    reason,
    source: 'body',
    sinceMs: nowMs,
    untilMs: nowMs + ms,
  })
  switch (kind) {
    case 'usage_limit':
    case 'quota_exceeded':
      return blockOfLimit({ ...evidence, retryAfterMs: wait }, 'usage_limit')
    case 'rate_limit':
      return hold(
        `limit:${evidence.limitId}`,
        'rate_limit',
        Math.min(Math.max(1, wait ?? HOLD_MS.rate_limit), LONGEST_RATE_LIMIT_MS),
      )
    case 'usage_not_included':
      return hold('*', 'usage_not_included', HOLD_MS.usage_not_included)
    case 'workspace_deactivated':
      return hold('*', 'workspace_deactivated', HOLD_MS.workspace_deactivated)
    case 'forbidden':
      return hold('*', 'forbidden', HOLD_MS.forbidden)
    case 'model_not_supported':
      return hold(`model:${model}`, 'model_not_supported', HOLD_MS.model_not_supported)
    default:
      return undefined
  }
}
