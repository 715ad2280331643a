import { readingOfHeaders } from '../quota/readings.js'
import { type Block, type BlockReason, type QuotaWindow } from '../routing/limits.js'
import { UNKNOWN_RESET_HOLD_MS } from '../routing/standing.js'
import { type ErrorFacts, numberOf, textOf } from './outcome-body.js'
import { MAX_RETRY_AFTER_MS } from './retry-after.js'

/** What an answer is judged against. */
export interface LimitContext {
  readonly facts: ErrorFacts
  readonly headers: Headers
  /** Family the request counts against, as far as known. */
  readonly limitId: string
  readonly retryAfterMs: number | undefined
  readonly nowMs: number
}

/**
 * The block of an exhausted limit. Its end is, in this order: what the body says, the reset of the window that is used up
 * (of several the last; never that of a window with room), the pause the server asks for, a short hold (wire facts §7).
 */
export function blockOfLimit(context: LimitContext, reason: BlockReason): Block {
  const { facts, headers, nowMs } = context
  const active =
    textOf(headers.get('x-codex-active-limit')) ??
    textOf(facts.fields.limit_id) ??
    textOf(facts.fields.metered_limit_name)
  const limitId = active === undefined ? context.limitId : active.replaceAll('-', '_')
  const exhausted = exhaustedWindow(headers, limitId, nowMs)
  const until =
    endOf(facts, nowMs) ??
    exhausted?.resetsAtMs ??
    (context.retryAfterMs === undefined ? undefined : nowMs + context.retryAfterMs)
  const detail = exhausted === undefined ? undefined : WINDOW_WORDS[exhausted.kind]
  return {
    scope: `limit:${limitId}`,
    reason,
    source: 'body',
    sinceMs: nowMs,
    untilMs:
      until === undefined || until <= nowMs || until > nowMs + MAX_RETRY_AFTER_MS
        ? nowMs + UNKNOWN_RESET_HOLD_MS
        : until,
    ...(detail === undefined ? {} : { detail }),
  }
}

const WINDOW_WORDS: Readonly<Record<QuotaWindow['kind'], string | undefined>> = {
  five_hour: '5-hour limit',
  weekly: 'weekly limit',
  monthly: 'monthly limit',
  unknown: undefined,
}

/** `resets_at` in epoch seconds, else `resets_in_seconds`. */
function endOf({ fields }: ErrorFacts, nowMs: number): number | undefined {
  const at = numberOf(fields.resets_at) ?? numberOf(fields.reset_at)
  if (at !== undefined) return at * 1000
  const seconds = numberOf(fields.resets_in_seconds)
  return seconds === undefined ? undefined : nowMs + seconds * 1000
}

function exhaustedWindow(
  headers: Headers,
  limitId: string,
  nowMs: number,
): QuotaWindow | undefined {
  const limits = readingOfHeaders(headers, nowMs)?.limits ?? []
  const windows = (limits.find((limit) => limit.limitId === limitId) ?? limits[0])?.windows ?? []
  return windows
    .filter((window) => window.usedPercent >= 100)
    .sort((left, right) => (right.resetsAtMs ?? 0) - (left.resetsAtMs ?? 0))[0]
}
