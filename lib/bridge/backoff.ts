/** First pause before the same account is asked again, ms; doubles each time (wire facts §8, Codex CLI). */
export const BASE_DELAY_MS = 200
/** Longest pause that is not asked for by the server, ms. */
export const MAX_DELAY_MS = 5_000
/** Share by which a pause varies, so that several windows do not come back in step. */
export const JITTER = 0.1

/**
 * Pause before the next try.
 * @param attempt failed tries of this kind so far, from 1
 * @param serverAsksMs the server's own wish; never undercut
 * @param random 0 up to 1
 * @returns ms
 */
export function backoffMs(
  attempt: number,
  serverAsksMs: number | undefined,
  random: number,
): number {
  const own =
    Math.min(MAX_DELAY_MS, BASE_DELAY_MS * 2 ** Math.max(0, attempt - 1)) *
    (1 - JITTER + 2 * JITTER * random)
  return Math.round(Math.max(own, serverAsksMs ?? 0))
}
