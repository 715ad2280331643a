import * as z from 'zod'

import { dropUndefined } from '../kernel/drop-undefined.js'
import { moment } from '../kernel/text/odd-values.js'
import { type QuotaWindow, WINDOW_KINDS } from '../routing/limits.js'

/** A quota window as it was read at one moment. */
const readingEntry = z.object({
  type: z.literal('reading'),
  /** Epoch ms. */
  atMs: moment,
  uid: z.string(),
  limitId: z.string(),
  kind: z.enum(WINDOW_KINDS),
  usedPercent: z.number(),
  windowMinutes: z.number().exactOptional(),
  resetsAtMs: z.number().exactOptional(),
})

/** A finished answer: what it cost in tokens, never what was said. */
const turnEntry = z.object({
  type: z.literal('turn'),
  atMs: moment,
  uid: z.string(),
  model: z.string(),
  session: z.string().exactOptional(),
  inputTokens: z.number(),
  cachedTokens: z.number(),
  outputTokens: z.number(),
  reasoningTokens: z.number(),
  /** From the request to its end, ms. */
  durationMs: z.number(),
  /** Requests sent to the backend for it; more than one means a retry or another account. */
  attempts: z.number(),
  /** Bytes of the request that did not have to be sent, thanks to the WebSocket or compression. */
  savedBytes: z.number().exactOptional(),
})

/** A request continued with another account. */
const switchEntry = z.object({
  type: z.literal('switch'),
  atMs: moment,
  fromUid: z.string(),
  toUid: z.string(),
  /** Kind of the failure that made it move: `usage_limit`, `server_error`, … */
  reason: z.string(),
  session: z.string().exactOptional(),
})

/** A window came down to one of the levels of `ALERT_LEVELS`. */
const alertEntry = z.object({
  type: z.literal('alert'),
  atMs: moment,
  uid: z.string(),
  limitId: z.string(),
  kind: z.string(),
  /** Percent left. */
  level: z.number(),
})

/** One line of the history file. Holds no prompt, answer, token, address or e-mail. */
export const historyEntrySchema = z.discriminatedUnion('type', [
  readingEntry,
  turnEntry,
  switchEntry,
  alertEntry,
])

export type HistoryEntry = z.infer<typeof historyEntrySchema>
export type ReadingEntry = z.infer<typeof readingEntry>
export type TurnEntry = z.infer<typeof turnEntry>
export type SwitchEntry = z.infer<typeof switchEntry>
export type AlertEntry = z.infer<typeof alertEntry>

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
