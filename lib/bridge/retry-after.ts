import { numberOf } from './outcome-body.js'

/** A wish for a longer pause than this is no pause but a limit; it is kept within reason, ms. */
export const MAX_RETRY_AFTER_MS = 32 * 86_400_000

/** "try again in 1.3s", "in 20 seconds", "in 250ms" (wire facts §8). */
const IN_TEXT = /try again in\s{0,4}(\d{1,9}(?:\.\d{1,9})?)\s{0,4}(ms|s|seconds?|m|minutes?)\b/i

/**
 * How long the server asks to wait: `retry-after-ms`, `retry-after` in seconds or as a date (RFC 9110 §10.2.3), then the
 * hint inside its sentence. Undefined when it says nothing usable.
 * @returns ms, 0 or more
 */
export function retryAfterMs(
  headers: Headers,
  message: string | undefined,
  nowMs: number,
): number | undefined {
  const inMs = numberOf(headers.get('retry-after-ms'))
  if (inMs !== undefined && inMs >= 0) return Math.min(inMs, MAX_RETRY_AFTER_MS)
  const header = headers.get('retry-after')
  const seconds = numberOf(header)
  if (seconds !== undefined && seconds >= 0) return Math.min(seconds * 1000, MAX_RETRY_AFTER_MS)
  const date = header === null || seconds !== undefined ? Number.NaN : Date.parse(header)
  if (Number.isFinite(date)) return Math.min(Math.max(0, date - nowMs), MAX_RETRY_AFTER_MS)
  const hint = IN_TEXT.exec(message ?? '')
  if (hint === null) return undefined
  const unit = hint[2]?.toLowerCase() ?? 's'
  const factor = unit === 'ms' ? 1 : unit.startsWith('m') ? 60_000 : 1000
  return Math.min(Number(hint[1]) * factor, MAX_RETRY_AFTER_MS)
}
