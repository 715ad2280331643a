import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { forecastPool } from '../../lib/forecast/pool.js'
import type { Forecast, PoolWindow } from '../../lib/forecast/types.js'
import { DAY, HOUR, MONDAY } from './histories.js'

const pace = (mid: number, spread = 1): Forecast => ({
  ratePerHour: { low: mid / spread, mid, high: mid * spread },
  runOutChance: 0,
  basis: { samples: 9, hours: 50 },
})
const weekly = (usedPercent: number, resetsInHours: number, forecast?: Forecast): PoolWindow => ({
  kind: 'weekly',
  usedPercent,
  resetsAtMs: MONDAY + resetsInHours * HOUR,
  ...(forecast === undefined ? {} : { forecast }),
})
const short = (usedPercent: number, resetsInHours: number, forecast?: Forecast): PoolWindow => ({
  kind: 'five_hour',
  usedPercent,
  resetsAtMs: MONDAY + resetsInHours * HOUR,
  ...(forecast === undefined ? {} : { forecast }),
})

describe('the forecast of the pool', () => {
  it('adds up what the accounts have left and what they use', () => {
    const pool = forecastPool([[weekly(50, 160, pace(1))], [weekly(0, 160, pace(1))]], MONDAY)!
    expect((pool.dryAtMs!.mid! - MONDAY) / HOUR).toBeCloseTo(75, 1)
    expect(pool.dryChance).toBe(1)
    expect((pool.backAtMs! - MONDAY) / HOUR).toBeCloseTo(160, 1)
  })

  it('counts the reset of one account before the others are empty', () => {
    const pool = forecastPool([[weekly(100, 20)], [weekly(50, 160, pace(2))]], MONDAY)!
    // 40 used of the second until the first is back, then 100 of the first and the last 10.
    expect((pool.dryAtMs!.mid! - MONDAY) / HOUR).toBeCloseTo(75, 1)
  })

  it('sees no end where resets come in time', () => {
    const pool = forecastPool([[weekly(10, 100, pace(0.3, 1.2))], [weekly(20, 50)]], MONDAY)!
    expect(pool).toMatchObject({ dryChance: 0, accounts: 2 })
    expect(pool.dryAtMs).toBeUndefined()
  })

  it('holds an account with an empty 5-hour window for unusable until that resets', () => {
    const pool = forecastPool([[short(80, 4, pace(20)), weekly(10, 100, pace(1))]], MONDAY)!
    expect((pool.dryAtMs!.mid! - MONDAY) / HOUR).toBeCloseTo(1, 1)
    expect((pool.backAtMs! - MONDAY) / HOUR).toBeCloseTo(4, 1)
  })

  it('does not take the pace of this hour for that of tomorrow', () => {
    const pool = forecastPool([[short(0, 5, pace(15)), weekly(10, 100, pace(0.1))]], MONDAY)!
    expect(pool.dryAtMs).toBeUndefined()
  })

  it('gives a wide interval for an unsure pace', () => {
    const sure = forecastPool([[weekly(50, 160, pace(1, 1.1))]], MONDAY)!.dryAtMs!
    const unsure = forecastPool([[weekly(50, 160, pace(1, 2))]], MONDAY)!.dryAtMs!
    expect(unsure.early!).toBeLessThan(sure.early!)
    expect(unsure.late ?? Infinity).toBeGreaterThan(sure.late!)
  })

  it('makes no claim without a forecast of any account', () => {
    expect(forecastPool([], MONDAY)).toBeUndefined()
    expect(forecastPool([[weekly(50, 10)], []], MONDAY)).toBeUndefined()
  })

  it('is now when nothing is left anywhere', () => {
    expect(forecastPool([[weekly(100, 10, pace(1))]], MONDAY)!.dryAtMs).toEqual({
      early: MONDAY,
      mid: MONDAY,
      late: MONDAY,
    })
  })

  it('is never earlier with one more account, and never NaN', () => {
    const window = fc.tuple(
      fc.constantFrom('five_hour', 'weekly', 'monthly', 'unknown'),
      fc.double({ min: 0, max: 130, noNaN: true }),
      fc.integer({ min: -5, max: 300 }),
      fc.double({ min: 0, max: 60, noNaN: true }),
    )
    const account = fc.array(window, { minLength: 1, maxLength: 2 }).map((windows) =>
      windows.map(([kind, usedPercent, hours, mid]) => ({
        kind,
        usedPercent,
        resetsAtMs: MONDAY + hours * HOUR,
        forecast: pace(mid, 1.5),
      })),
    )
    fc.assert(
      fc.property(fc.array(account, { minLength: 1, maxLength: 4 }), (accounts) => {
        const { dryAtMs = {}, dryChance } = forecastPool(accounts, MONDAY)!
        for (const at of [dryAtMs.early, dryAtMs.mid, dryAtMs.late])
          if (at !== undefined) expect(at >= MONDAY && at <= MONDAY + 7 * DAY).toBe(true)
        expect(dryChance >= 0 && dryChance <= 1).toBe(true)
        const more = forecastPool([...accounts, [weekly(0, 168)]], MONDAY)!
        expect(more.dryChance).toBeLessThanOrEqual(dryChance)
      }),
      { numRuns: 40 },
    )
  })
})
