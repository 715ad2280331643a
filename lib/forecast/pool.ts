import { dropUndefined } from '../kernel/drop-undefined.js'
import { normalQuantile, Z80 } from './statistics.js'
import type { PoolForecast, PoolWindow } from './types.js'
import { windowLengthMs } from './usage-intervals.js'

const HOUR_MS = 3_600_000
const HORIZON_MS = 7 * 24 * HOUR_MS
/** The rate of this hour says nothing of tomorrow: a 5-hour window counts for one length of its own. */
const SHORT_HORIZON_MS = 5 * HOUR_MS
/** Rates that are tried, each as likely as the others. */
const QUANTILES = Array.from({ length: 40 }, (_, index) => normalQuantile((index + 0.5) / 40))
/** A window with less than this left is empty, percent. */
const EMPTY = 1e-6
const MAX_EVENTS = 5_000

/** How fast the pool uses one kind of window. */
interface Demand {
  readonly perHour: number
  /** Relative spread, in the logarithm. */
  readonly sigma: number
}

type Demands = ReadonlyMap<PoolWindow['kind'], Demand>

/**
 * When no account of the pool has anything left. The use of all accounts is one stream that the accounts take over from
 * each other, the one that resets first before the others; a percent is taken to be worth the same everywhere, which is
 * wrong for pools of different plans. Undefined when no account has a forecast. Pure.
 * @param accounts windows of the usual limit of every account that may serve; one without readings is left out
 */
export function forecastPool(
  accounts: readonly (readonly PoolWindow[])[],
  nowMs: number,
): PoolForecast | undefined {
  const known = accounts.filter((windows) => windows.length > 0)
  const demands = demandsOf(known)
  if (!known.some((windows) => windows.some(({ forecast }) => forecast !== undefined)))
    return undefined
  const runs = QUANTILES.map((z) => simulateDrain(known, demands, z, nowMs)).sort((left, right) =>
    left.atMs === right.atMs ? 0 : left.atMs - right.atMs,
  )
  const at = (share: number): number | undefined => {
    const found = runs[Math.floor(share * runs.length)]?.atMs
    return found === undefined || found === Infinity ? undefined : found
  }
  const [early, mid, late] = [at(0.1), at(0.5), at(0.9)]
  const back = runs[Math.floor(runs.length / 2)]?.backAtMs ?? Infinity
  return dropUndefined({
    dryAtMs: early === undefined ? undefined : dropUndefined({ early, mid, late }),
    dryChance: runs.filter(({ atMs }) => atMs < Infinity).length / runs.length,
    horizonMs: HORIZON_MS,
    backAtMs: back === Infinity ? undefined : back,
    accounts: known.length,
  })
}

function demandsOf(accounts: readonly (readonly PoolWindow[])[]): Demands {
  const sums = new Map<PoolWindow['kind'], { perHour: number; variance: number }>()
  for (const { kind, forecast } of accounts.flat()) {
    const { mid = 0, high = 0 } = forecast?.ratePerHour ?? {}
    if (!(mid > 0)) continue
    const before = sums.get(kind) ?? { perHour: 0, variance: 0 }
    const deviation = (Math.log(high / mid) / Z80) * mid
    sums.set(kind, { perHour: before.perHour + mid, variance: before.variance + deviation ** 2 })
  }
  return new Map(
    [...sums].map(([kind, { perHour, variance }]) => [
      kind,
      { perHour, sigma: Math.sqrt(variance) / perHour },
    ]),
  )
}

type LiveWindow = ReturnType<typeof toLiveWindow>

/**
 * Plays the pool forward at one rate.
 * @returns when it is dry, and when the first account has room again; Infinity for what does not happen
 */
function simulateDrain(
  accounts: readonly (readonly PoolWindow[])[],
  demands: Demands,
  z: number,
  nowMs: number,
) {
  const live = accounts.map((windows) => windows.map(toLiveWindow))
  const endMs = nowMs + HORIZON_MS
  let atMs = nowMs
  for (let event = 0; event < MAX_EVENTS && atMs < endMs; event += 1) {
    const isShortTold = atMs < nowMs + SHORT_HORIZON_MS
    const windows = live.flat()
    for (const window of windows) {
      if (window.resetsAtMs > atMs) continue
      window.used = 0
      window.resetsAtMs = Infinity
    }
    const rates = new Map(
      Array.from(demands, ([kind, { perHour, sigma }]) => [
        kind,
        kind === 'five_hour' && !isShortTold ? 0 : perHour * Math.exp(z * sigma),
      ]),
    )
    const rateOf = ({ kind }: LiveWindow): number => rates.get(kind) ?? 0
    const usable = live.filter((account) =>
      account.every(
        (window) => window.used < 100 - EMPTY || (window.kind === 'five_hour' && !isShortTold),
      ),
    )
    if (usable.length === 0) return { atMs, backAtMs: Math.min(...live.map(roomAt)) }
    const serving = usable.reduce((best, account) =>
      soonest(account) < soonest(best) ? account : best,
    )
    const hoursLeft = serving.map((window) =>
      rateOf(window) > 0 ? (100 - window.used) / rateOf(window) : Infinity,
    )
    const resets = windows.map(({ resetsAtMs }) => resetsAtMs).filter((one) => one > atMs)
    const nextMs = Math.min(
      endMs,
      isShortTold ? nowMs + SHORT_HORIZON_MS : Infinity,
      atMs + Math.max(Math.min(...hoursLeft) * HOUR_MS, 1),
      ...resets,
    )
    for (const window of serving) {
      window.used += (rateOf(window) * (nextMs - atMs)) / HOUR_MS
      // A window without a known reset starts with its first use.
      if (window.resetsAtMs === Infinity && window.lengthMs !== undefined)
        window.resetsAtMs = atMs + window.lengthMs
    }
    atMs = nextMs
  }
  return { atMs: Infinity, backAtMs: Infinity }
}

function toLiveWindow(window: PoolWindow) {
  return {
    kind: window.kind,
    lengthMs: windowLengthMs(window),
    used: Math.min(100, Math.max(0, window.usedPercent || 0)),
    resetsAtMs: window.resetsAtMs ?? Infinity,
  }
}

/** When the longest window of an account resets: what is not used by then is lost. */
function soonest(account: readonly LiveWindow[]): number {
  const longest = Math.max(...account.map(({ lengthMs }) => lengthMs ?? 0))
  return account.find(({ lengthMs }) => (lengthMs ?? 0) === longest)?.resetsAtMs ?? Infinity
}

/** When every empty window of an account has reset. */
function roomAt(account: readonly LiveWindow[]): number {
  return Math.max(
    ...account.filter(({ used }) => used >= 100 - EMPTY).map(({ resetsAtMs }) => resetsAtMs),
  )
}
