import { dropUndefined } from '../kernel/drop-undefined.js'
import { normalCdf, Z80 } from './statistics.js'
import type { ExpectedTime, Forecast, Interval, Sample, WindowShape } from './types.js'
import {
  cleanSamples,
  LAG_MS,
  LATEST_MS,
  usageIntervals,
  windowLengthMs,
} from './usage-intervals.js'
import { type UsageRate, usageRate } from './usage-rate.js'

const HOUR_MS = 3_600_000
/** Less than this between the first reading and now says nothing of a rate, ms. */
const LEAST_BASIS_MS = HOUR_MS
const LEAST_SHORT_BASIS_MS = 10 * 60_000
/** Beyond this the forecast knows nothing: two factors of e in either direction. */
const MAX_SIGMA = 2
/** Nine times in ten fewer than this many steps of use come where none was seen. */
const UNSEEN_STEPS = 2.3

/**
 * What the readings of one window say of its rest. Undefined where they allow no claim: fewer than two, or too close
 * together. Nothing is ever claimed of the time after the reset. Pure.
 * @param samples readings of one window of one account, also of windows before it; any order
 * @param nowMs epoch ms
 */
export function forecastWindow(
  samples: readonly Sample[],
  nowMs: number,
  shape: WindowShape,
): Forecast | undefined {
  if (!(Math.abs(nowMs) <= LATEST_MS)) return undefined
  const clean = cleanSamples(samples, nowMs)
  const [first] = clean
  const last = clean.at(-1)
  const leastMs = shape.kind === 'five_hour' ? LEAST_SHORT_BASIS_MS : LEAST_BASIS_MS
  if (first === undefined || last === undefined || clean.length < 2) return undefined
  if (nowMs - first.atMs < leastMs) return undefined
  const rate = usageRate(usageIntervals(clean, shape, nowMs), shape, nowMs)
  if (rate === undefined) return undefined
  const basis = { samples: clean.length, hours: (nowMs - first.atMs) / HOUR_MS }
  const isOver = last.resetsAtMs !== undefined && last.resetsAtMs <= nowMs
  if (isOver) return { ratePerHour: rateInterval(rate, rate.error), runOutChance: 0, basis }
  const { resetsAtMs } = last
  const known = dropUndefined({
    resetsAtMs,
    paceBudgetPerHour: budgetToStayOnPace(last.usedPercent, resetsAtMs, nowMs)?.perHour,
  })
  const endMs = resetsAtMs ?? nowMs + (windowLengthMs(shape) ?? 7 * 24 * HOUR_MS)
  // What was used within the lag is not shown yet.
  const left = Math.max(
    0,
    100 - last.usedPercent - rate.rateAt(nowMs) * (Math.min(LAG_MS, nowMs - first.atMs) / HOUR_MS),
  )
  if (last.usedPercent >= 100) {
    return {
      ratePerHour: rateInterval(rate, rate.error),
      runsOutAtMs: { early: nowMs, mid: nowMs, late: nowMs },
      ...known,
      runOutChance: 1,
      basis,
    }
  }
  const sigma = sigmaOf(rate, left)
  const rates = rateInterval(rate, sigma)
  const times =
    rate.perHour === 0
      ? unusedTimes(rates.high, left, nowMs, endMs)
      : runOutTimes(rate, sigma, left, nowMs, endMs)
  return {
    ratePerHour: rates,
    ...(Object.keys(times.at).length === 0 ? {} : { runsOutAtMs: times.at }),
    ...known,
    runOutChance: times.chance,
    basis,
  }
}

/**
 * Percent that may still be used for a window to end exactly at its reset; undefined when that is not known or has passed.
 * `nextDay`: in the next 24 hours, or to the reset if that is nearer. Pure.
 */
export function budgetToStayOnPace(
  usedPercent: number,
  resetsAtMs: number | undefined,
  nowMs: number,
): { readonly perHour: number; readonly nextDay: number } | undefined {
  const hours = ((resetsAtMs ?? NaN) - nowMs) / HOUR_MS
  if (!(hours > 0) || !Number.isFinite(hours) || !Number.isFinite(usedPercent)) return undefined
  const left = Math.min(100, Math.max(0, 100 - usedPercent))
  return { perHour: left / hours, nextDay: (left / hours) * Math.min(24, hours) }
}

/** How far off the forecast may be, in the logarithm: the rate itself, and what is to come. */
function sigmaOf(
  { perHour, error, stepSize, deviation, blockMs }: UsageRate,
  left: number,
): number {
  const aheadMs = perHour > 0 ? (left / perHour) * HOUR_MS : 0
  const blocks = Math.max(1, aheadMs / blockMs)
  return Math.min(
    MAX_SIGMA,
    Math.sqrt(error ** 2 + stepSize / Math.max(1, left) + deviation ** 2 / blocks),
  )
}

function rateInterval({ perHour, hours }: UsageRate, sigma: number): Interval {
  if (perHour === 0) return { low: 0, mid: 0, high: UNSEEN_STEPS / hours }
  const limited = Math.min(sigma, MAX_SIGMA)
  return {
    low: perHour * Math.exp(-Z80 * limited),
    mid: perHour,
    high: perHour * Math.exp(Z80 * limited),
  }
}

interface Times {
  readonly at: ExpectedTime
  readonly chance: number
}

/** Nothing was used: only the chance that this changes. */
function unusedTimes(high: number, left: number, nowMs: number, endMs: number): Times {
  const early = nowMs + (left / high) * HOUR_MS
  const chance = Math.exp((-UNSEEN_STEPS * left) / high / ((endMs - nowMs) / HOUR_MS))
  return { at: early <= endMs ? { early } : {}, chance }
}

/** Walks ahead hour by hour along the expected rate. */
function runOutTimes(
  rate: UsageRate,
  sigma: number,
  left: number,
  nowMs: number,
  endMs: number,
): Times {
  const wanted = {
    early: left * Math.exp(-Z80 * sigma),
    mid: left,
    late: left * Math.exp(Z80 * sigma),
  }
  const at: { early?: number; mid?: number; late?: number } = {}
  let used = 0
  for (let fromMs = nowMs; fromMs < endMs;) {
    const toMs = Math.min(endMs, (Math.floor(fromMs / HOUR_MS) + 1) * HOUR_MS)
    const perHour = rate.rateAt(fromMs)
    const next = used + (perHour * (toMs - fromMs)) / HOUR_MS
    for (const name of ['early', 'mid', 'late'] as const) {
      if (at[name] === undefined && next >= wanted[name])
        at[name] = Math.min(toMs, fromMs + (Math.max(0, wanted[name] - used) / perHour) * HOUR_MS)
    }
    used = next
    fromMs = toMs
  }
  if (left === 0) return { at, chance: 1 }
  return { at, chance: used === 0 ? 0 : normalCdf(Math.log(used / left) / Math.max(sigma, 1e-6)) }
}
