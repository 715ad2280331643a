import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createVitalsBook, FULL_BUCKET, FULL_HEALTH, nextVitals } from '../../lib/routing/health.js'
import { DAY, HOUR, MINUTE, NOW } from './snapshots.js'

const events = fc.constantFrom('sent', 'succeeded', 'limited', 'failed', 'network_failed' as const)

describe('vitals', () => {
  it('stay within their bounds whatever happens and wherever the clock jumps', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(events, fc.integer({ min: -DAY, max: DAY }))), (history) => {
        let vitals = nextVitals(undefined, 'sent', NOW)
        for (const [event, offset] of history) vitals = nextVitals(vitals, event, NOW + offset)
        expect(vitals.health).toBeGreaterThanOrEqual(0)
        expect(vitals.health).toBeLessThanOrEqual(FULL_HEALTH)
        expect(vitals.tokens).toBeGreaterThanOrEqual(0)
        expect(vitals.tokens).toBeLessThanOrEqual(FULL_BUCKET)
      }),
    )
  })

  it('recover with rest', () => {
    const hurt = nextVitals(nextVitals(undefined, 'failed', NOW), 'limited', NOW)
    expect(hurt).toMatchObject({ health: 70, tokens: 40 })
    const rested = nextVitals(hurt, 'sent', NOW + HOUR)
    expect(rested).toMatchObject({ health: 80, tokens: FULL_BUCKET - 1 })
  })

  it('do not recover or fall when the clock goes back', () => {
    const hurt = nextVitals(undefined, 'failed', NOW)
    expect(nextVitals(hurt, 'sent', NOW - DAY)).toEqual({ health: 80, tokens: 49, atMs: NOW - DAY })
  })

  it('hang on the uid: removing an account moves nobody else’s (trap: inherited by the next position)', () => {
    const book = createVitalsBook()
    book.record('a', 'failed', NOW)
    book.record('b', 'limited', NOW)
    book.retain(new Set(['b']))
    expect(book.read('b', NOW)).toMatchObject({ health: 90, tokens: 40 })
    expect(book.read('a', NOW + MINUTE)).toMatchObject({ health: FULL_HEALTH, tokens: FULL_BUCKET })
  })
})
