import type { QuotaWindow } from '../routing/limits.js'

/** Percentages left of a window at which the user is told; each once per window. */
export const ALERT_LEVELS = [25, 20, 10, 5, 2.5, 0] as const

/** A window that has come down to one of the levels. */
export interface Alert {
  readonly limitId: string
  readonly window: QuotaWindow
  /** The lowest level reached. */
  readonly level: number
}

/** Levels the user was told of, by the name of the window; it changes with every reset. */
type AlertMemory = Readonly<Record<string, number>>

/**
 * The alerts a reading gives rise to and what is to be remembered of them. A first reading far down says the lowest level
 * only; windows whose reset is not known are left out, because one could not be told from the next. Pure.
 */
export function alertsFor(
  limitId: string,
  windows: readonly QuotaWindow[],
  memory: AlertMemory,
  nowMs: number,
): { readonly alerts: readonly Alert[]; readonly memory: AlertMemory } {
  let next = memory
  const alerts: Alert[] = []
  for (const window of windows) {
    if (window.resetsAtMs === undefined || window.resetsAtMs <= nowMs) continue
    const left = Math.max(0, 100 - window.usedPercent)
    const level = ALERT_LEVELS.findLast((one) => left <= one)
    const slot = Math.round(window.resetsAtMs / SLOT_MS)
    const key = keyOf(limitId, window, slot)
    // The same reset may have been noted in a neighbouring slot, when its time was told as a few seconds more or less.
    const told = Math.min(
      ...[slot - 1, slot, slot + 1].map((one) => memory[keyOf(limitId, window, one)] ?? Infinity),
    )
    if (level === undefined || told <= level) continue
    alerts.push({ limitId, window, level })
    next = { ...next, [key]: level }
  }
  return { alerts, memory: next }
}

/** Both together, the lower level of each window. Windows long over are forgotten. Pure. */
export function mergedMemory(ours: AlertMemory, theirs: AlertMemory, nowMs: number): AlertMemory {
  const merged: Record<string, number> = {}
  for (const [key, level] of [...Object.entries(ours), ...Object.entries(theirs)]) {
    if (Number(key.split(' ')[2] ?? 0) * SLOT_MS < nowMs - SLOT_MS * 2) continue
    merged[key] = Math.min(level, merged[key] ?? Infinity)
  }
  return merged
}

/** The backend's reset times wander by seconds between answers: this much is one and the same reset, ms. */
const SLOT_MS = 30 * 60_000

function keyOf(limitId: string, window: QuotaWindow, slot: number): string {
  return `${limitId} ${window.kind} ${slot}`
}
