import type { ReadingEntry } from './entries.js'

/** Without a change of the percentage one reading of a window is kept in this time, ms. */
const SAME_PERCENT_MS = 60_000
/** The backend's reset times wander by seconds between answers: this much is one and the same reset, ms. */
const SAME_RESET_MS = 60_000

/**
 * Creates the gate that lets through what is new about a window: another percentage at once, another reset at most once
 * a minute. It remembers one reading for each account, limit and kind of window.
 */
export function createReadingGate(): (reading: ReadingEntry) => boolean {
  const last = new Map<string, ReadingEntry>()
  return (reading) => {
    const key = `${reading.uid} ${reading.limitId} ${reading.kind}`
    const before = last.get(key)
    if (before !== undefined && !saysMore(before, reading)) return false
    last.set(key, reading)
    return true
  }
}

function saysMore(before: ReadingEntry, reading: ReadingEntry): boolean {
  if (reading.usedPercent !== before.usedPercent) return true
  const moved = Math.abs((reading.resetsAtMs ?? 0) - (before.resetsAtMs ?? 0)) > SAME_RESET_MS
  return moved && reading.atMs - before.atMs >= SAME_PERCENT_MS
}
