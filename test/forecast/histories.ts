import type { Sample } from '../../lib/forecast/types.js'
import { createPrng } from '../../simulator/prng.js'

export const MINUTE = 60_000
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR
/** A Monday, midnight UTC. */
export const MONDAY = Date.UTC(2026, 10, 16)

/** A made-up window with its true course: what the forecast cannot see. */
export interface TrueWindow {
  readonly startMs: number
  readonly resetsAtMs: number
  /** True use up to a moment, percent, without a bound. */
  usedAt(atMs: number): number
  /** When it truly runs empty; Infinity if not before the reset. */
  readonly emptyAtMs: number
}

/** A window with a pace that may change every minute, percent per hour. */
export function windowWith(
  startMs: number,
  lengthMs: number,
  paceAt: (atMs: number) => number,
): TrueWindow {
  const sums = [0]
  for (let minute = 0; minute * MINUTE < lengthMs; minute += 1)
    sums.push((sums[minute] ?? 0) + paceAt(startMs + minute * MINUTE) / 60)
  const usedAt = (atMs: number): number =>
    sums[Math.min(sums.length - 1, Math.max(0, Math.floor((atMs - startMs) / MINUTE)))] ?? 0
  const emptyIndex = sums.findIndex((one) => one >= 100)
  return {
    startMs,
    resetsAtMs: startMs + lengthMs,
    usedAt,
    emptyAtMs: emptyIndex < 0 ? Infinity : startMs + emptyIndex * MINUTE,
  }
}

/** What the backend would have told: whole percent, late, and only while the window is in use. */
export function samplesOf(
  window: TrueWindow,
  untilMs: number,
  options: { everyMs: number; lagMs?: number; paceAt?: (atMs: number) => number },
): Sample[] {
  const samples: Sample[] = []
  for (let atMs = window.startMs + MINUTE; atMs <= untilMs; atMs += options.everyMs) {
    if (options.paceAt !== undefined && options.paceAt(atMs) === 0) continue
    samples.push({
      atMs,
      usedPercent: Math.min(100, Math.floor(window.usedAt(atMs - (options.lagMs ?? 0)))),
      resetsAtMs: window.resetsAtMs,
    })
  }
  return samples
}

/** Work from 9 to 18 on every day, in turns of random size with random pauses; the same seed gives the same week. */
export function officeHours(seed: number, percentPerWorkHour: number): (atMs: number) => number {
  const random = createPrng(seed)
  const factors = Array.from({ length: 60 * 24 * 15 }, () =>
    random.next() < 0.25 ? random.next() * 8 : 0,
  )
  return (atMs) => {
    const hour = Math.floor((atMs % DAY) / HOUR)
    return hour >= 9 && hour < 18
      ? percentPerWorkHour *
          (factors[Math.floor((atMs - MONDAY) / (10 * MINUTE)) % factors.length] ?? 0)
      : 0
  }
}
