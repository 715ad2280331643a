import type { QuotaWindow } from '../routing/limits.js'
import type { AlertEntry, ReadingEntry } from './entries.js'

/** Windows of one limit family. */
interface Limit {
  readonly limitId: string
  readonly windows: readonly QuotaWindow[]
}

/** One line for each window of a reading. Pure. */
export function entriesOfReading(
  uid: string,
  limits: readonly Limit[],
  atMs: number,
): ReadingEntry[] {
  return limits.flatMap(({ limitId, windows }) =>
    windows.map(({ kind, usedPercent, windowMinutes, resetsAtMs }) => ({
      type: 'reading' as const,
      atMs,
      uid,
      limitId,
      kind,
      usedPercent,
      ...(windowMinutes === undefined ? {} : { windowMinutes }),
      ...(resetsAtMs === undefined ? {} : { resetsAtMs }),
    })),
  )
}

/** The line of an alert. Pure. */
export function entryOfAlert(
  uid: string,
  {
    limitId,
    window,
    level,
  }: { readonly limitId: string; readonly window: QuotaWindow; readonly level: number },
  atMs: number,
): AlertEntry {
  return { type: 'alert', atMs, uid, limitId, kind: window.kind, level }
}
