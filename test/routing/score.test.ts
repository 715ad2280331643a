import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { windowPace } from '../../lib/routing/score.js'
import { DAY, HOUR, NOW, weekly } from './snapshots.js'

const pace = (usedPercent: number, resetsInMs: number, observedAtMs: number): number =>
  windowPace(weekly(usedPercent, resetsInMs, { observedAtMs }), NOW)

describe('what a reading of a window is worth', () => {
  it('halves with six hours of age: a stale reading must not outweigh a fresh one', () => {
    const fresh = pace(60, 2 * DAY, NOW)
    expect(pace(60, 2 * DAY, NOW - 6 * HOUR) - 1).toBeCloseTo((fresh - 1) / 2)
    expect(pace(60, 2 * DAY, NOW - 18 * HOUR) - 1).toBeCloseTo((fresh - 1) / 4)
  })

  it('never grows with age and never turns around, and a reading from the future of a clock that was set back counts as fresh', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 130, noNaN: true }),
        fc.integer({ min: 1, max: 7 * DAY }),
        fc.integer({ min: 0, max: 30 * DAY }),
        fc.integer({ min: 0, max: 30 * DAY }),
        (used, resetsInMs, ageMs, moreMs) => {
          const [fresh, old, older] = [0, ageMs, ageMs + moreMs].map(
            (age) => pace(used, resetsInMs, NOW - age) - 1,
          ) as [number, number, number]
          expect(Math.abs(old)).toBeLessThanOrEqual(Math.abs(fresh))
          expect(Math.abs(older)).toBeLessThanOrEqual(Math.abs(old))
          expect(fresh * older).toBeGreaterThanOrEqual(0)
          expect(pace(used, resetsInMs, NOW + ageMs)).toBe(fresh + 1)
        },
      ),
    )
  })
})
