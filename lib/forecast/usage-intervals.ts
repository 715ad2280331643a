import { dropUndefined } from '../kernel/drop-undefined.js'
import { type Sample, WINDOW_MINUTES, type WindowShape } from './types.js'

/** Use between two readings. */
export interface UsageInterval {
  readonly fromMs: number
  readonly toMs: number
  /** Percent of the window used in between. */
  readonly percent: number
  /** Both ends were read; the other kind begins with the start of the window. */
  readonly isRead: boolean
}

/** The backend shows use some minutes late: as long nothing new is no sign of a pause, ms. */
export const LAG_MS = 5 * 60_000
/** Sources round differently: so small a fall of the percentage is no reset. */
const ROUNDING_TOLERANCE = 2
/** Farther than this a reset time is taken for a mistake, ms. */
const FARTHEST_RESET_MS = 40 * 86_400_000
/** The last moment a date can name. */
export const LATEST_MS = 8.64e15

/** Length of a window, ms; undefined when it is not known. */
export function windowLengthMs({ kind, windowMinutes }: WindowShape): number | undefined {
  const minutes = windowMinutes ?? WINDOW_MINUTES[kind]
  return minutes === undefined || !(minutes > 0) ? undefined : minutes * 60_000
}

/** Readings that can be used, oldest first: with believable times, not of the future, with a fill from 0 to 100. Pure. */
export function cleanSamples(samples: readonly Sample[], nowMs: number): Sample[] {
  return samples
    .filter(
      ({ atMs, usedPercent }) =>
        Math.abs(atMs) <= LATEST_MS && Number.isFinite(usedPercent) && atMs <= nowMs,
    )
    .map(({ atMs, usedPercent, resetsAtMs = Infinity }) =>
      dropUndefined({
        atMs,
        usedPercent: Math.min(100, Math.max(0, usedPercent)),
        resetsAtMs: Math.abs(resetsAtMs - atMs) <= FARTHEST_RESET_MS ? resetsAtMs : undefined,
      }),
    )
    .sort((left, right) => left.atMs - right.atMs)
}

/**
 * What was used between readings, split at resets: where the fill fell, or the reset that was told has passed. Use on the
 * far side of a reset is unknown and left out; on this side it began with the new window. Time after the last reading
 * counts as a pause, but for the lag. Pure.
 * @param samples clean ones
 */
export function usageIntervals(
  samples: readonly Sample[],
  shape: WindowShape,
  nowMs: number,
): UsageInterval[] {
  const lengthMs = windowLengthMs(shape)
  const intervals: UsageInterval[] = []
  let before: Sample | undefined
  let highest = 0
  for (const sample of samples) {
    const startMs =
      sample.resetsAtMs === undefined || lengthMs === undefined
        ? undefined
        : sample.resetsAtMs - lengthMs
    if (before === undefined || isReset(before, sample, highest)) {
      const fromMs = startMs ?? passedReset(before, sample)
      if (fromMs !== undefined && fromMs < sample.atMs && fromMs >= (before?.atMs ?? -Infinity)) {
        intervals.push({ fromMs, toMs: sample.atMs, percent: sample.usedPercent, isRead: false })
      }
      highest = sample.usedPercent
    } else {
      const percent = Math.max(0, sample.usedPercent - highest)
      if (sample.atMs > before.atMs)
        intervals.push({ fromMs: before.atMs, toMs: sample.atMs, percent, isRead: true })
      highest += percent
    }
    before = sample
  }
  if (before !== undefined && nowMs - before.atMs > LAG_MS)
    intervals.push({ fromMs: before.atMs + LAG_MS, toMs: nowMs, percent: 0, isRead: true })
  return intervals
}

function isReset(before: Sample, sample: Sample, highest: number): boolean {
  return (
    sample.usedPercent < highest - ROUNDING_TOLERANCE || passedReset(before, sample) !== undefined
  )
}

function passedReset(before: Sample | undefined, sample: Sample): number | undefined {
  const resetsAtMs = before?.resetsAtMs
  return resetsAtMs !== undefined && resetsAtMs <= sample.atMs ? resetsAtMs : undefined
}
