import { limitName } from '../../account-view/words.js'
import { dropUndefined } from '../../kernel/drop-undefined.js'
import { formatDuration } from '../../kernel/text/moments.js'
import { readingOfHeaders } from '../../quota/readings.js'
import type { Block, BlockReason, QuotaWindow } from '../../routing/limits.js'
import { UNKNOWN_RESET_HOLD_MS } from '../../routing/eligibility.js'
import { type ErrorFacts, MAX_RETRY_AFTER_MS, numberOf, textOf } from './facts.js'

/** What an error answer is judged by. */
export interface Evidence {
  readonly facts: ErrorFacts
  readonly headers: Headers
  readonly retryAfterMs: number | undefined
  readonly model: string
  /** Limit family the request counts against, as far as known. */
  readonly limitId: string
  readonly nowMs: number
}

/** How a failure keeps its account out. */
export interface BlockRule<Seen = Evidence> {
  /** What and until when, for the table in docs/development/FAILOVER.md. */
  readonly words: string
  of(seen: Seen): Block
}

/** How long an account is left alone for what time alone rarely mends, ms; every block has an end. */
export const HOLD_MS = {
  usage_not_included: 6 * 3_600_000,
  workspace_deactivated: 24 * 3_600_000,
  model_not_supported: 24 * 3_600_000,
  forbidden: 10 * 60_000,
  /** A short request limit without a time of its own. */
  rate_limit: 10_000,
} as const
/** An account whose token stays refused is left alone this long, ms. */
export const UNAUTHORIZED_HOLD_MS = 10 * 60_000
/** A plain request limit that asks for more than this is tried again earlier: only a quota window lasts for hours, ms. */
export const LONGEST_RATE_LIMIT_MS = 15 * 60_000

/** Blocks the whole account for a time. */
export function blockAccount(reason: BlockReason, ms: number): BlockRule<{ nowMs: number }> {
  return {
    words: `the account for ${formatDuration(ms)}`,
    of: ({ nowMs }) => blockFor('*', reason, { nowMs, ms }),
  }
}

/** Blocks the model of the request on the account. */
export const BLOCK_MODEL: BlockRule = {
  words: `the model on this account for ${formatDuration(HOLD_MS.model_not_supported)}`,
  of: ({ model, nowMs }) =>
    blockFor(`model:${model}`, 'model_not_supported', { nowMs, ms: HOLD_MS.model_not_supported }),
}

/** Blocks the limit family for the pause the backend asks for. */
export const BLOCK_PAUSE: BlockRule = {
  words: `the limit family for the pause the backend asks for, at most ${formatDuration(LONGEST_RATE_LIMIT_MS)}, else ${formatDuration(HOLD_MS.rate_limit)}`,
  of: ({ limitId, nowMs, retryAfterMs = HOLD_MS.rate_limit }) =>
    blockFor(`limit:${limitId}`, 'rate_limit', {
      nowMs,
      ms: Math.min(Math.max(1, retryAfterMs), LONGEST_RATE_LIMIT_MS),
    }),
}

/**
 * Blocks an exhausted limit. Its end is, in this order: what the body says, the reset of the window that is used up (of
 * several the last; never that of a window with room), the pause the server asks for, a short hold.
 */
export const BLOCK_LIMIT: BlockRule = {
  words: `the limit family until its reset, ${formatDuration(UNKNOWN_RESET_HOLD_MS)} when that is not known`,
  of({ facts, headers, limitId: usual, retryAfterMs, nowMs }) {
    const active =
      textOf(headers.get('x-codex-active-limit')) ??
      textOf(facts.fields.limit_id) ??
      textOf(facts.fields.metered_limit_name)
    const limitId = active?.replaceAll('-', '_') ?? usual
    const window = exhaustedWindow(headers, limitId, nowMs)
    const until =
      endOf(facts, nowMs) ??
      window?.resetsAtMs ??
      (retryAfterMs === undefined ? nowMs : nowMs + retryAfterMs)
    const isUsable = until > nowMs && until <= nowMs + MAX_RETRY_AFTER_MS
    return dropUndefined({
      ...blockFor(`limit:${limitId}`, 'usage_limit', { nowMs, ms: UNKNOWN_RESET_HOLD_MS }),
      untilMs: isUsable ? until : nowMs + UNKNOWN_RESET_HOLD_MS,
      detail:
        window === undefined || window.kind === 'unknown' ? undefined : limitName(window.kind),
    })
  },
}

function blockFor(
  scope: string,
  reason: BlockReason,
  { nowMs, ms }: { nowMs: number; ms: number },
): Block {
  return { scope, reason, source: 'body', sinceMs: nowMs, untilMs: nowMs + ms }
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
