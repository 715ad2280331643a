import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { decide } from '../../lib/routing/decide.js'
import { windowPace } from '../../lib/routing/score.js'
import { candidate, DAY, fiveHour, HOUR, NOW, snapshot, weekly } from './snapshots.js'

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

  it.each([0, 60, 100])(
    'is neither good nor bad once its window of %i %% has reset: an account would be shunned for a limit that is over',
    (used) => {
      expect([pace(used, 0, NOW), pace(used, -1, NOW - HOUR)]).toEqual([1, 1])
      expect(pace(used, 1, NOW)).not.toBe(1)
    },
  )

  it.each([
    [0, 7 * DAY, 1],
    [50, 3.5 * DAY, 1],
    [50, 7 * DAY, 0.5],
    [50, 1.75 * DAY, 2],
    [0, 1, 2],
    [80, 7 * DAY, 0.2],
    [90, 7 * DAY, 0.1],
    [95, 7 * DAY, 0.025],
    [100, 7 * DAY, 0],
    [130, 7 * DAY, 0],
  ])(
    'with %i %% used and %i ms left is the share of quota over the share of time: %d',
    (used, left, value) => {
      expect(pace(used, left, NOW)).toBeCloseTo(value)
    },
  )

  it('is the share that is left where the end or the length is not known', () => {
    const { resetsAtMs: _end, ...endless } = weekly(40, DAY, { observedAtMs: NOW })
    const { windowMinutes: _length, ...unmeasured } = weekly(40, DAY, { observedAtMs: NOW })
    expect(windowPace(endless, NOW)).toBeCloseTo(0.6)
    expect(windowPace(unmeasured, NOW)).toBeCloseTo(0.6)
    expect(windowPace({ ...unmeasured, windowMinutes: 0 }, NOW)).toBeCloseTo(0.6)
  })
})

describe('of two accounts that may serve', () => {
  it.each([
    ['the one in better health', { health: 100 }, { health: 60 }],
    ['the one with more requests to spend', { bucketTokens: 50 }, { bucketTokens: 10 }],
    ['the idle one', { inFlight: 0 }, { inFlight: 1 }],
    ['the one that is known to have the model', { modelSupport: 'known' }, {}],
    ['the one not used for long', { lastUsedMs: NOW - 20 * HOUR }, { lastUsedMs: NOW - HOUR }],
    ['the subscription before a key', {}, { kind: 'api-key', health: 100 }],
    [
      'the one whose tightest window has more room, not the one with the roomiest',
      { windows: { codex: [fiveHour(40, 2 * HOUR), weekly(60, 3 * DAY)] } },
      { windows: { codex: [fiveHour(97, 4 * HOUR), weekly(0, DAY)] } },
    ],
    [
      'the one whose tightest window has more room, in whatever order they are told',
      { windows: { codex: [weekly(60, 3 * DAY), fiveHour(40, 2 * HOUR)] } },
      { windows: { codex: [weekly(0, DAY), fiveHour(97, 4 * HOUR)] } },
    ],
    [
      'the one with quota to lose, before one of which nothing was read',
      { windows: { codex: [weekly(20, DAY)] } },
      { windows: { codex: [] } },
    ],
    [
      'the one of which nothing was read, before one that is nearly used up',
      { windows: {} },
      { windows: { codex: [weekly(95, 3 * DAY)] } },
    ],
    [
      'the one with room in the family that is asked for',
      { windows: { codex: [weekly(40, 3 * DAY)], other: [weekly(100, DAY)] } },
      { windows: { codex: [weekly(90, 3 * DAY)], other: [weekly(0, DAY)] } },
    ],
  ] as const)('%s is chosen', (_name, better, worse) => {
    const [first, second] = [candidate('first', better), candidate('second', worse)]
    for (const candidates of [
      [first, { ...second, position: 1 }],
      [second, { ...first, position: 1 }],
    ])
      expect(decide(snapshot(candidates)).uid).toBe('first')
  })
})
