import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import type { Forecast, Sample } from '../../lib/forecast/types.js'
import { budgetToStayOnPace, forecastWindow } from '../../lib/forecast/window.js'
import { createPrng } from '../../simulator/prng.js'
import { DAY, HOUR, MINUTE, MONDAY, officeHours, samplesOf, windowWith } from './histories.js'

const WEEKLY = { kind: 'weekly' } as const
const FIVE_HOUR = { kind: 'five_hour' } as const

function claim(forecast: Forecast | undefined): Forecast {
  if (forecast === undefined) throw new Error('the forecast makes no claim')
  return forecast
}

/** Prints what was measured, so that a run shows the quality and not only that it is within bounds. */
function report(
  name: string,
  errors: readonly number[],
  inside: number,
): { median: number; worst: number; inside: number } {
  const sorted = errors.map(Math.abs).sort((left, right) => left - right)
  const median = sorted[Math.floor(sorted.length / 2)] ?? NaN
  const worst = sorted.at(-1) ?? NaN
  process.stdout.write(
    `forecast, ${name}: error of the run-out time median ${median.toFixed(2)} h, worst ${worst.toFixed(2)} h; truth inside the 80 % interval ${(inside * 100).toFixed(0)} % of ${errors.length}\n`,
  )
  return { median, worst, inside }
}

describe('the forecast of a window of known course', () => {
  it('finds the end of an even pace from whole, late percentages', () => {
    const errors: number[] = []
    let inside = 0
    for (const perHour of [0.7, 0.9, 1.3, 2, 4]) {
      const window = windowWith(MONDAY, 7 * DAY, () => perHour)
      for (const share of [0.3, 0.5, 0.7, 0.9]) {
        const nowMs = MONDAY + share * (window.emptyAtMs - MONDAY)
        const { runsOutAtMs = {} } = claim(
          forecastWindow(
            samplesOf(window, nowMs, { everyMs: 7 * MINUTE, lagMs: 4 * MINUTE }),
            nowMs,
            WEEKLY,
          ),
        )
        errors.push(((runsOutAtMs.mid ?? Infinity) - window.emptyAtMs) / HOUR)
        if (
          (runsOutAtMs.early ?? Infinity) <= window.emptyAtMs &&
          window.emptyAtMs <= (runsOutAtMs.late ?? Infinity)
        )
          inside += 1
      }
    }
    const score = report('even pace, weekly', errors, inside / errors.length)
    // One percent of rounding after 30: 3.3 % of the 100 h ahead, and 1.4 h for the last percent at 0.7 an hour.
    expect(score.median).toBeLessThan(2)
    expect(score.worst).toBeLessThan(6)
    expect(score.inside).toBeGreaterThanOrEqual(0.8)
  })

  it('finds the end of a 5-hour window', () => {
    const errors: number[] = []
    let inside = 0
    for (const perHour of [25, 40, 80]) {
      const window = windowWith(MONDAY, 5 * HOUR, () => perHour)
      for (const share of [0.3, 0.5, 0.8]) {
        const nowMs = MONDAY + share * (window.emptyAtMs - MONDAY)
        const { runsOutAtMs = {} } = claim(
          forecastWindow(
            samplesOf(window, nowMs, { everyMs: 2 * MINUTE, lagMs: 3 * MINUTE }),
            nowMs,
            FIVE_HOUR,
          ),
        )
        errors.push(((runsOutAtMs.mid ?? Infinity) - window.emptyAtMs) / HOUR)
        if (
          (runsOutAtMs.early ?? Infinity) <= window.emptyAtMs &&
          window.emptyAtMs <= (runsOutAtMs.late ?? Infinity)
        )
          inside += 1
      }
    }
    const score = report('even pace, 5 hours', errors, inside / errors.length)
    expect(score.worst).toBeLessThan(0.5)
    expect(score.inside).toBeGreaterThanOrEqual(0.8)
  })

  it('finds the end of a week of office hours, asked at any hour', () => {
    const errors: number[] = []
    let inside = 0
    let asked = 0
    for (let seed = 1; seed <= 40; seed += 1) {
      const paceAt = officeHours(seed, 2.6)
      const window = windowWith(MONDAY, 7 * DAY, paceAt)
      if (window.emptyAtMs === Infinity) continue
      const random = createPrng(seed)
      for (let round = 0; round < 3; round += 1) {
        const nowMs = MONDAY + 2.6 * DAY + random.next() * (window.emptyAtMs - 3 * DAY - MONDAY)
        if (nowMs >= window.emptyAtMs) continue
        const forecast = claim(
          forecastWindow(
            samplesOf(window, nowMs, { everyMs: 5 * MINUTE, lagMs: 5 * MINUTE, paceAt }),
            nowMs,
            WEEKLY,
          ),
        )
        asked += 1
        const { early = Infinity, mid, late = Infinity } = forecast.runsOutAtMs ?? {}
        if (early <= window.emptyAtMs && window.emptyAtMs <= late) inside += 1
        errors.push(((mid ?? window.resetsAtMs) - window.emptyAtMs) / HOUR)
      }
    }
    const score = report('office hours, weekly', errors, inside / asked)
    // A day's use varies by about a fifth: over two to three days ahead that is half a working day.
    expect(score.median).toBeLessThan(6)
    expect(score.inside).toBeGreaterThanOrEqual(0.7)
  })

  it('tells likely run-outs from unlikely ones: the chances are true on average', () => {
    let claimed = 0
    let happened = 0
    let brier = 0
    let asked = 0
    for (let seed = 1; seed <= 60; seed += 1) {
      const paceAt = officeHours(seed, 1.2 + (seed % 6) * 0.25)
      const window = windowWith(MONDAY, 7 * DAY, paceAt)
      const nowMs = MONDAY + 3 * DAY + (seed % 24) * HOUR
      if (window.emptyAtMs <= nowMs) continue
      const { runOutChance } = claim(
        forecastWindow(samplesOf(window, nowMs, { everyMs: 5 * MINUTE, paceAt }), nowMs, WEEKLY),
      )
      const truth = window.emptyAtMs < Infinity ? 1 : 0
      asked += 1
      claimed += runOutChance
      happened += truth
      brier += (runOutChance - truth) ** 2
    }
    process.stdout.write(
      `forecast, chances: claimed ${claimed.toFixed(1)} run-outs of ${asked}, true ${happened}, Brier score ${(brier / asked).toFixed(3)}\n`,
    )
    // Always saying one half scores 0.25.
    expect(brier / asked).toBeLessThan(0.18)
    expect(Math.abs(claimed - happened) / asked).toBeLessThan(0.15)
  })

  it('learns a new pace within two half-lives', () => {
    const window = windowWith(MONDAY, 7 * DAY, (atMs) => (atMs < MONDAY + 2 * DAY ? 0.1 : 1))
    const nowMs = MONDAY + 4 * DAY
    const { ratePerHour } = claim(
      forecastWindow(samplesOf(window, nowMs, { everyMs: 10 * MINUTE }), nowMs, WEEKLY),
    )
    expect(ratePerHour.mid).toBeGreaterThan(0.7)
    expect(ratePerHour.mid).toBeLessThan(1)
  })
})

describe('a window at rest', () => {
  it('is expected to last, with a small chance of the contrary', () => {
    const samples = [0, 1, 2, 3].map((day) => ({
      atMs: MONDAY + day * DAY,
      usedPercent: 40,
      resetsAtMs: MONDAY + 7 * DAY,
    }))
    const forecast = claim(forecastWindow(samples, MONDAY + 3.5 * DAY, { kind: 'unknown' }))
    expect(forecast.ratePerHour).toMatchObject({ low: 0, mid: 0 })
    expect(forecast.runsOutAtMs?.mid).toBeUndefined()
    expect(forecast.runOutChance).toBeLessThan(0.01)
  })
})

describe('a reset', () => {
  const resetsAtMs = MONDAY + 7 * DAY

  it('ends the fill but not what is known of the pace', () => {
    const before = Array.from({ length: 100 }, (_, index) => ({
      atMs: resetsAtMs - (100 - index) * HOUR,
      usedPercent: Math.floor(index * 0.9),
      resetsAtMs,
    }))
    const after = [2, 4, 6].map((hour) => ({
      atMs: resetsAtMs + hour * HOUR,
      usedPercent: hour,
      resetsAtMs: resetsAtMs + 7 * DAY,
    }))
    const { ratePerHour, runsOutAtMs } = claim(
      forecastWindow([...before, ...after], resetsAtMs + 6 * HOUR, WEEKLY),
    )
    expect(ratePerHour.mid).toBeGreaterThan(0.85)
    expect(ratePerHour.mid).toBeLessThan(1.05)
    expect(((runsOutAtMs?.mid ?? 0) - resetsAtMs) / HOUR).toBeGreaterThan(90)
  })

  it('that came early is seen by the fall of the percentage', () => {
    const samples = [10, 20, 30, 0, 10].map((usedPercent, hour) => ({
      atMs: MONDAY + hour * HOUR,
      usedPercent,
    }))
    const { ratePerHour } = claim(forecastWindow(samples, MONDAY + 4 * HOUR, WEEKLY))
    expect(ratePerHour.mid).toBeCloseTo(10, 0)
  })

  it('that has passed since the last reading leaves no claim about the fill', () => {
    const samples = [50, 70, 90].map((usedPercent, hour) => ({
      atMs: MONDAY + hour * HOUR,
      usedPercent,
      resetsAtMs: MONDAY + 3 * HOUR,
    }))
    const forecast = claim(forecastWindow(samples, MONDAY + 4 * HOUR, WEEKLY))
    expect(forecast.runsOutAtMs).toBeUndefined()
    expect(forecast.runOutChance).toBe(0)
  })
})

describe('any readings', () => {
  const anyNumber = fc.oneof(
    fc.double(),
    fc.integer({ min: -10, max: 200 }),
    fc.integer({ min: MONDAY - 30 * DAY, max: MONDAY + 30 * DAY }),
  )
  const shape = fc.record(
    { kind: fc.constantFrom('five_hour', 'weekly', 'monthly', 'unknown') },
    { requiredKeys: ['kind'] },
  ) as fc.Arbitrary<{ kind: 'five_hour' | 'weekly' | 'monthly' | 'unknown' }>
  const finite = (value: unknown): boolean =>
    typeof value === 'number'
      ? Number.isFinite(value)
      : typeof value !== 'object' || value === null || Object.values(value).every(finite)

  it('give numbers or no claim, never NaN, and nothing after the reset', () => {
    const sample = fc.record({ atMs: anyNumber, usedPercent: anyNumber, resetsAtMs: anyNumber })
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            sample,
            sample.map(({ resetsAtMs: _gone, ...rest }) => rest),
          ),
          { maxLength: 12 },
        ),
        fc.oneof(fc.constant(MONDAY), anyNumber),
        shape,
        (samples: Sample[], nowMs, kind) => {
          const forecast = forecastWindow(samples, nowMs, kind)
          if (forecast === undefined) return
          expect(finite(forecast)).toBe(true)
          expect(forecast.runOutChance).toBeGreaterThanOrEqual(0)
          expect(forecast.runOutChance).toBeLessThanOrEqual(1)
          const { early, mid, late } = forecast.runsOutAtMs ?? {}
          for (const at of [early, mid, late])
            if (at !== undefined && forecast.resetsAtMs !== undefined)
              expect(at).toBeLessThanOrEqual(forecast.resetsAtMs)
          if (mid !== undefined) expect(early).toBeLessThanOrEqual(mid)
          if (late !== undefined) expect(mid).toBeLessThanOrEqual(late)
        },
      ),
    )
  })

  it('make no claim when there are fewer than two', () => {
    expect(forecastWindow([], MONDAY, WEEKLY)).toBeUndefined()
    expect(
      forecastWindow(
        [{ atMs: MONDAY - DAY, usedPercent: 50, resetsAtMs: MONDAY + DAY }],
        MONDAY,
        WEEKLY,
      ),
    ).toBeUndefined()
  })

  it('never end later for more use', () => {
    const rises = fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 2, maxLength: 15 })
    fc.assert(
      fc.property(
        rises,
        fc.integer({ min: 1, max: 20 }),
        fc.constantFrom(WEEKLY, FIVE_HOUR),
        (steps, more, kind) => {
          const everyMs = kind === WEEKLY ? 5 * HOUR : 12 * MINUTE
          const resetsAtMs = MONDAY + (kind === WEEKLY ? 7 * DAY : 5 * HOUR)
          let used = 0
          const samples = steps.map((step, index) => ({
            atMs: MONDAY + (index + 1) * everyMs,
            usedPercent: (used += step),
            resetsAtMs,
          }))
          const nowMs = MONDAY + (steps.length + 1) * everyMs
          const last = samples.at(-1)!
          const end = (list: readonly Sample[]): number =>
            forecastWindow(list, nowMs, kind)?.runsOutAtMs?.mid ?? Infinity
          expect(
            end([...samples.slice(0, -1), { ...last, usedPercent: last.usedPercent + more }]),
          ).toBeLessThanOrEqual(end(samples))
        },
      ),
    )
  })
})

describe('the budget to stay on pace', () => {
  it('ends exactly at the reset', () => {
    expect(budgetToStayOnPace(40, MONDAY + 30 * HOUR, MONDAY)).toEqual({ perHour: 2, nextDay: 48 })
    expect(budgetToStayOnPace(40, MONDAY + 6 * HOUR, MONDAY)).toEqual({ perHour: 10, nextDay: 60 })
  })

  it('is not known without a reset ahead', () => {
    expect(budgetToStayOnPace(40, undefined, MONDAY)).toBeUndefined()
    expect(budgetToStayOnPace(40, MONDAY, MONDAY)).toBeUndefined()
  })
})
