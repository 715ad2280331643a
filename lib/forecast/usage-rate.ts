import { sum } from './statistics.js'
import type { WindowShape } from './types.js'
import type { UsageInterval } from './usage-intervals.js'

/** How fast a window is used, and how sure that is. */
export type UsageRate = NonNullable<ReturnType<typeof usageRate>>

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/** How use is weighed. Blocks of whole days keep day and night in balance, whatever the hour is now. */
const SHORT = { blockMs: 30 * MINUTE_MS, halfLifeMs: 2 * HOUR_MS, daily: false }
const LONG = { blockMs: DAY_MS, halfLifeMs: DAY_MS, daily: true }
/** A pause this long ends a stretch of work: what was before says nothing of the rate of a short window, ms. */
const PAUSE_MS = 2 * HOUR_MS
/** Older use has no weight left, in half-lives. */
const HALF_LIVES = 14
/** Days that must have been seen before the hours of the day are told apart. */
const DAYS_FOR_PATTERN = 2.5
/** Part of the rate that is the same at every hour. */
const EVEN_SHARE = 0.1
/** The backend counts whole percent, so no step is smaller; a larger one is a gap in the readings. */
const STEP_SIZES = { least: 1, most: 10 }

/** The rate of what was used; undefined without a moment of observation. Pure. */
export function usageRate(intervals: readonly UsageInterval[], shape: WindowShape, nowMs: number) {
  const isShort = shape.kind === 'five_hour'
  const how = isShort ? SHORT : LONG
  const blocks: ({ used: number; hours: number; weight: number } | undefined)[] = []
  const ofDay = Array.from({ length: 24 }, () => ({ used: 0, hours: 0 }))
  for (const piece of piecesOf(
    isShort ? afterPause(intervals) : intervals,
    how.daily ? HOUR_MS : how.blockMs,
    nowMs,
  )) {
    const index = Math.floor((nowMs - piece.toMs) / how.blockMs)
    const weight = 2 ** (-(index * how.blockMs) / how.halfLifeMs)
    if (index * how.blockMs > HALF_LIVES * how.halfLifeMs) continue
    const block = (blocks[index] ??= { used: 0, hours: 0, weight })
    const hour = ofDay[hourOf((piece.fromMs + piece.toMs) / 2)]
    for (const [sum, share] of [[block, 1] as const, [hour, weight] as const]) {
      if (sum === undefined) continue
      sum.used += piece.percent * share
      sum.hours += ((piece.toMs - piece.fromMs) / HOUR_MS) * share
    }
  }
  const seen = blocks.filter((block) => block !== undefined)
  const hours = sum(seen, ({ hours: one, weight }) => one * weight)
  if (!(hours > 0)) return undefined
  const used = sum(seen, (block) => block.used * block.weight)
  const perHour = used / hours
  const stepSize = stepSizeOf(intervals)
  const counting =
    used > 0 ? Math.sqrt(stepSize * sum(seen, (block) => block.used * block.weight ** 2)) / used : 0
  const squares = (power: 1 | 2): number =>
    sum(
      seen,
      (block) =>
        (block.hours * block.weight) ** power *
        (block.used / Math.max(block.hours, 1e-9) - perHour) ** 2,
    )
  const isDeviationKnown = seen.length >= 3 && perHour > 0
  const scatter = isDeviationKnown ? Math.sqrt(squares(2)) / hours / perHour : 0
  const deviation = isDeviationKnown ? Math.sqrt(squares(1) / hours) / perHour : 0
  const daysSeen = sum(seen, (block) => block.hours) / 24
  const isPatterned = how.daily && daysSeen >= DAYS_FOR_PATTERN
  return {
    /** Percent per hour, recent use counted more. */
    perHour,
    /** Hours of observation behind it, weighted like the use. */
    hours,
    /** Relative standard error of `perHour`. */
    error: Math.max(counting, scatter),
    /** Size of the steps in which the backend shows use, percent: use comes in steps of this size, not evenly. */
    stepSize,
    /** Standard deviation of the rate from one block of time to the next, relative. */
    deviation,
    /** Length of such a block, ms. */
    blockMs: how.blockMs,
    /** Percent per hour expected at a moment: follows the hours of the day where days enough were seen. */
    rateAt(atMs: number) {
      const hour = isPatterned ? ofDay[hourOf(atMs)] : undefined
      return hour === undefined || hour.hours === 0
        ? perHour
        : EVEN_SHARE * perHour + ((1 - EVEN_SHARE) * hour.used) / hour.hours
    },
  }
}

/** Intervals cut where blocks, counted back from now, meet; use is taken for even within one. */
function piecesOf(
  intervals: readonly UsageInterval[],
  blockMs: number,
  nowMs: number,
): UsageInterval[] {
  const pieces: UsageInterval[] = []
  for (const interval of intervals) {
    const oldest = nowMs - HALF_LIVES * LONG.halfLifeMs
    const lengthMs = interval.toMs - interval.fromMs
    for (let toMs = interval.toMs; toMs > Math.max(interval.fromMs, oldest);) {
      const edgeMs = nowMs - (Math.floor((nowMs - toMs) / blockMs) + 1) * blockMs
      const fromMs = Math.max(interval.fromMs, Math.min(edgeMs, toMs - 1))
      const percent = (interval.percent * (toMs - fromMs)) / lengthMs
      pieces.push({ ...interval, fromMs, toMs, percent })
      toMs = fromMs
    }
  }
  return pieces
}

function afterPause(intervals: readonly UsageInterval[]): readonly UsageInterval[] {
  const pause = intervals.findLastIndex(
    ({ fromMs, toMs, percent }, index) =>
      percent === 0 && toMs - fromMs >= PAUSE_MS && index < intervals.length - 1,
  )
  return intervals.slice(pause + 1)
}

function stepSizeOf(intervals: readonly UsageInterval[]): number {
  const read = intervals.filter(({ isRead, percent }) => isRead && percent > 0)
  const total = sum(read, ({ percent }) => percent)
  const stepSize = sum(read, ({ percent }) => percent ** 2) / Math.max(1e-9, total)
  return Math.min(STEP_SIZES.most, Math.max(STEP_SIZES.least, stepSize))
}

function hourOf(atMs: number): number {
  return ((Math.floor(atMs / HOUR_MS) % 24) + 24) % 24
}
