import * as s from '../kernel/shape.js'

import { dropUndefined } from '../kernel/drop-undefined.js'
import { moment } from '../kernel/text/odd-values.js'
import { type QuotaWindow, WINDOW_KINDS } from '../routing/limits.js'

/** A quota window as it was read at one moment. */
const readingEntry = s.object({
  type: s.literal('reading'),
  /** Epoch ms. */
  atMs: moment,
  uid: s.string(),
  limitId: s.string(),
  kind: s.oneOf(WINDOW_KINDS),
  usedPercent: s.number(),
  windowMinutes: s.number().exactOptional(),
  resetsAtMs: s.number().exactOptional(),
})

/** A finished answer: what it cost in tokens, never what was said. */
const turnEntry = s.object({
  type: s.literal('turn'),
  atMs: moment,
  uid: s.string(),
  model: s.string(),
  session: s.string().exactOptional(),
  /** Name and hash of the project's folder (`projectKeyOf`); absent outside of one, and in lines of before. */
  project: s.string().exactOptional(),
  inputTokens: s.number(),
  cachedTokens: s.number(),
  outputTokens: s.number(),
  reasoningTokens: s.number(),
  /** From the request to its end, ms. */
  durationMs: s.number(),
  /** Requests sent to the backend for it; more than one means a retry or another account. */
  attempts: s.number(),
  /** Bytes of the request that did not have to be sent, thanks to the WebSocket or compression. */
  savedBytes: s.number().exactOptional(),
})

/** A request continued with another account. */
const switchEntry = s.object({
  type: s.literal('switch'),
  atMs: moment,
  fromUid: s.string(),
  toUid: s.string(),
  /** Kind of the failure that made it move: `usage_limit`, `server_error`, … */
  reason: s.string(),
  session: s.string().exactOptional(),
})

/** A window came down to one of the levels of `ALERT_LEVELS`. */
const alertEntry = s.object({
  type: s.literal('alert'),
  atMs: moment,
  uid: s.string(),
  limitId: s.string(),
  kind: s.string(),
  /** Percent left. */
  level: s.number(),
})

/** One line of the history file. Holds no prompt, answer, token, address or e-mail. */
export const historyEntrySchema = s.union([readingEntry, turnEntry, switchEntry, alertEntry])

export type HistoryEntry = s.Infer<typeof historyEntrySchema>
export type ReadingEntry = s.Infer<typeof readingEntry>
export type TurnEntry = s.Infer<typeof turnEntry>
export type SwitchEntry = s.Infer<typeof switchEntry>
export type AlertEntry = s.Infer<typeof alertEntry>

/** One line for each window of a reading. Pure. */
export function entriesOfReading(
  uid: string,
  limits: readonly { readonly limitId: string; readonly windows: readonly QuotaWindow[] }[],
  atMs: number,
): ReadingEntry[] {
  return limits.flatMap(({ limitId, windows }) =>
    windows.map(({ kind, usedPercent, windowMinutes, resetsAtMs }) => {
      const entry = { atMs, uid, limitId, kind, usedPercent, windowMinutes, resetsAtMs }
      return dropUndefined({ type: 'reading' as const, ...entry })
    }),
  )
}

/** The line of an alert. Pure. */
export function entryOfAlert(
  uid: string,
  alert: { readonly limitId: string; readonly window: QuotaWindow; readonly level: number },
  atMs: number,
): AlertEntry {
  const { limitId, window, level } = alert
  return { type: 'alert', atMs, uid, limitId, kind: window.kind, level }
}
