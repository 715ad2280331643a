import type { AlertEntry, HistoryEntry, ReadingEntry } from '../../history/entries.js'
import { grouped } from '../token-sums.js'

/** Percent left at one moment. */
export interface LinePoint {
  /** Epoch ms. */
  readonly atMs: number
  /** 0 to 100. */
  readonly left: number
}

/** The course of one window of one account. */
export interface WindowLine {
  readonly uid: string
  readonly limitId: string
  readonly kind: ReadingEntry['kind']
  /** Oldest first. */
  readonly points: readonly LinePoint[]
  /** When the window was reset, epoch ms. */
  readonly resets: readonly number[]
  readonly alerts: readonly { readonly atMs: number; readonly level: number }[]
}

/** A line is cut into this many stretches of equal time; at most three points of each are kept. */
const STRETCHES = 120
/** A fall of the used share by more than this is a reset ahead of its time; less is the backend changing its mind, percent. */
const RESET_FALL = 5

/** The course of every window in a history (oldest first), by account and limit. */
export function windowLines(entries: readonly HistoryEntry[]): WindowLine[] {
  const readings = entries.filter((entry) => entry.type === 'reading')
  const alerts = entries.filter((entry) => entry.type === 'alert')
  const alertsByWindow = grouped(alerts, windowKey)
  return [...grouped(readings, windowKey)].flatMap(([key, list]) => {
    const [first] = list
    if (first === undefined) return []
    const { uid, limitId, kind } = first
    const points = list.map(({ atMs, usedPercent }) => ({
      atMs,
      left: Math.min(100, Math.max(0, 100 - usedPercent)),
    }))
    const marks = (alertsByWindow.get(key) ?? []).map(({ atMs, level }) => ({ atMs, level }))
    return [{ uid, limitId, kind, points, resets: resetsOf(list), alerts: marks }]
  })
}

function windowKey({ uid, limitId, kind }: ReadingEntry | AlertEntry): string {
  return JSON.stringify([uid, limitId, kind])
}

function resetsOf(readings: readonly ReadingEntry[]): number[] {
  return readings.flatMap((reading, index) => {
    const before = readings[index - 1]
    if (before === undefined) return []
    const told = before.resetsAtMs
    // Readings are hours apart at night, and by morning more may be used than before: what was announced has come to pass.
    if (told !== undefined && told > before.atMs && told <= reading.atMs) return [told]
    return before.usedPercent - reading.usedPercent > RESET_FALL ? [reading.atMs] : []
  })
}

/** Keeps the first, lowest and last point of each stretch: the dips are what a reader looks for. Oldest first. */
export function thinned(points: readonly LinePoint[]): LinePoint[] {
  const from = points[0]?.atMs ?? 0
  const to = points.at(-1)?.atMs ?? 0
  if (points.length <= STRETCHES || to <= from) return [...points]
  const stretchOf = (point: LinePoint): string =>
    String(Math.min(STRETCHES - 1, Math.floor(((point.atMs - from) / (to - from)) * STRETCHES)))
  return [...grouped(points, stretchOf).values()].flatMap((list) => {
    const lowest = list.reduce((low, point) => (point.left < low.left ? point : low))
    return list.filter(
      (point, index) => index === 0 || point === lowest || index === list.length - 1,
    )
  })
}
