import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  holderOf,
  MAX_HOLD_AGE_MS,
  MAX_SESSIONS,
  mergedHolds,
  prunedHolds,
  TOUCH_INTERVAL_MS,
  withHold,
} from '../../lib/routing/affinity.js'
import type { Holds } from '../../lib/routing/affinity.js'
import { DAY, NOW } from './snapshots.js'

const holdMaps: fc.Arbitrary<Holds> = fc
  .array(
    fc.tuple(
      fc.constantFrom('s1', 's2', 's3', 's4'),
      fc.record({
        uid: fc.constantFrom('a', 'b'),
        usedAtMs: fc.integer({ min: -40 * DAY, max: DAY }).map((t) => NOW + t),
      }),
    ),
  )
  .map((entries) => new Map(entries))

describe('session affinity', () => {
  it('holds a session on the account that served it last', () => {
    const holds = withHold(withHold(new Map(), 's', 'a', NOW), 's', 'b', NOW + 1)
    expect(holderOf(holds, 's', NOW + 2)).toBe('b')
    expect(holderOf(holds, 'other', NOW)).toBeUndefined()
  })

  it('is the same map while nothing worth writing changed, so a running session causes no writes', () => {
    const holds = withHold(new Map(), 's', 'a', NOW)
    expect(withHold(holds, 's', 'a', NOW + TOUCH_INTERVAL_MS - 1)).toBe(holds)
    expect(withHold(holds, 's', 'a', NOW + TOUCH_INTERVAL_MS)).not.toBe(holds)
  })

  it('survives a long pause and ends after a month', () => {
    const holds = withHold(new Map(), 's', 'a', NOW)
    expect(holderOf(holds, 's', NOW + 20 * DAY)).toBe('a')
    expect(holderOf(holds, 's', NOW + MAX_HOLD_AGE_MS + 1)).toBeUndefined()
  })

  it('forgets the oldest sessions first when there are too many', () => {
    let holds: Holds = new Map(
      Array.from({ length: MAX_SESSIONS }, (_, n) => [
        `s${String(n)}`,
        { uid: 'a', usedAtMs: NOW + n },
      ]),
    )
    holds = withHold(holds, 'new', 'b', NOW + MAX_SESSIONS)
    expect(holds.size).toBe(MAX_SESSIONS)
    expect(holds.has('s0')).toBe(false)
    expect(holds.has('new')).toBe(true)
  })

  it('merges to the later use, whichever side it is on, and merging twice changes nothing', () => {
    fc.assert(
      fc.property(holdMaps, holdMaps, (ours, theirs) => {
        const merged = mergedHolds(ours, theirs, NOW)
        expect(mergedHolds(ours, merged, NOW)).toEqual(merged)
        for (const [id, hold] of prunedHolds(theirs, NOW)) {
          expect(merged.get(id)!.usedAtMs).toBeGreaterThanOrEqual(hold.usedAtMs)
        }
      }),
    )
  })
})
