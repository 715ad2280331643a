import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  accountOf,
  type AffinityEntries,
  MAX_HOLD_AGE_MS,
  MAX_SESSIONS,
  mergedEntries,
  TOUCH_INTERVAL_MS,
  withAccount,
} from '../../lib/accounts/session-affinity.js'
import { DAY, NOW } from '../routing/snapshots.js'

const entryMaps: fc.Arbitrary<AffinityEntries> = fc
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
    const entries = withAccount(withAccount(new Map(), 's', 'a', NOW), 's', 'b', NOW + 1)
    expect(accountOf(entries, 's', NOW + 2)).toBe('b')
    expect(accountOf(entries, 'other', NOW)).toBeUndefined()
  })

  it('is the same map while nothing worth writing changed, so a running session causes no writes', () => {
    const entries = withAccount(new Map(), 's', 'a', NOW)
    expect(withAccount(entries, 's', 'a', NOW + TOUCH_INTERVAL_MS - 1)).toBe(entries)
    expect(withAccount(entries, 's', 'a', NOW + TOUCH_INTERVAL_MS)).not.toBe(entries)
  })

  it('survives a long pause and ends after a month', () => {
    const entries = withAccount(new Map(), 's', 'a', NOW)
    expect(accountOf(entries, 's', NOW + 20 * DAY)).toBe('a')
    expect(accountOf(entries, 's', NOW + MAX_HOLD_AGE_MS + 1)).toBeUndefined()
  })

  it('forgets the oldest sessions first when there are too many', () => {
    let entries: AffinityEntries = new Map(
      Array.from({ length: MAX_SESSIONS }, (_, n) => [
        `s${String(n)}`,
        { uid: 'a', usedAtMs: NOW + n },
      ]),
    )
    entries = withAccount(entries, 'new', 'b', NOW + MAX_SESSIONS)
    expect(entries.size).toBe(MAX_SESSIONS)
    expect(entries.has('s0')).toBe(false)
    expect(entries.has('new')).toBe(true)
  })

  it('merges to the later use, whichever side it is on, and merging twice changes nothing', () => {
    fc.assert(
      fc.property(entryMaps, entryMaps, (ours, theirs) => {
        const merged = mergedEntries(ours, theirs, NOW)
        expect(mergedEntries(ours, merged, NOW)).toEqual(merged)
        for (const [id, entry] of mergedEntries(theirs, new Map(), NOW)) {
          expect(merged.get(id)!.usedAtMs).toBeGreaterThanOrEqual(entry.usedAtMs)
        }
      }),
    )
  })
})
