import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  ACCOUNT_BREAKER_REST_MS,
  ACCOUNT_BREAKER_STRIKES,
  createHealthTracker,
  FULL_BUCKET,
  FULL_HEALTH,
  nextHealth,
} from '../../lib/routing/health.js'
import { DAY, HOUR, MINUTE, NOW } from './snapshots.js'

const events = fc.constantFrom('sent', 'succeeded', 'limited', 'failed', 'network_failed' as const)

describe('the health of an account', () => {
  it('stays within its bounds whatever happens and wherever the clock jumps', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(events, fc.integer({ min: -DAY, max: DAY }))), (history) => {
        let health = nextHealth(undefined, 'sent', NOW)
        for (const [event, offset] of history) health = nextHealth(health, event, NOW + offset)
        expect(health.health).toBeGreaterThanOrEqual(0)
        expect(health.health).toBeLessThanOrEqual(FULL_HEALTH)
        expect(health.tokens).toBeGreaterThanOrEqual(0)
        expect(health.tokens).toBeLessThanOrEqual(FULL_BUCKET)
      }),
    )
  })

  it('recovers with rest', () => {
    const hurt = nextHealth(nextHealth(undefined, 'failed', NOW), 'limited', NOW)
    expect(hurt).toMatchObject({ health: 70, tokens: 40 })
    const rested = nextHealth(hurt, 'sent', NOW + HOUR)
    expect(rested).toMatchObject({ health: 80, tokens: FULL_BUCKET - 1 })
  })

  it('neither recovers nor falls when the clock goes back', () => {
    const hurt = nextHealth(undefined, 'failed', NOW)
    expect(nextHealth(hurt, 'sent', NOW - DAY)).toMatchObject({
      health: 80,
      tokens: 49,
      atMs: NOW - DAY,
    })
  })

  it('hangs on the uid: removing an account moves nobody else’s (known defect: inherited by the next position)', () => {
    const book = createHealthTracker()
    book.record('a', 'failed', NOW)
    book.record('b', 'limited', NOW)
    book.retain(new Set(['b']))
    expect(book.read('b', NOW)).toMatchObject({ health: 90, tokens: 40 })
    expect(book.read('a', NOW + MINUTE)).toMatchObject({ health: FULL_HEALTH, tokens: FULL_BUCKET })
  })

  it('lets an account rest after failures in a row, for a while, and a success ends it', () => {
    const book = createHealthTracker()
    for (let strike = 1; strike < ACCOUNT_BREAKER_STRIKES; strike++) book.record('a', 'failed', NOW)
    expect(book.restsUntil('a', NOW)).toBeUndefined()
    book.record('a', 'network_failed', NOW)
    expect(book.restsUntil('a', NOW)).toBeDefined()
    expect(book.restsUntil('a', NOW + ACCOUNT_BREAKER_REST_MS)).toBeUndefined()
    book.record('a', 'failed', NOW + ACCOUNT_BREAKER_REST_MS)
    expect(book.restsUntil('a', NOW + ACCOUNT_BREAKER_REST_MS)).toBeDefined()
    book.record('a', 'succeeded', NOW + ACCOUNT_BREAKER_REST_MS)
    expect(book.restsUntil('a', NOW + ACCOUNT_BREAKER_REST_MS)).toBeUndefined()
  })

  it('lets an account rest although requests are sent and limits are met between its failures: only a success ends the row', () => {
    const book = createHealthTracker()
    for (let strike = 0; strike < ACCOUNT_BREAKER_STRIKES; strike++)
      for (const event of ['sent', 'failed', 'limited'] as const) book.record('a', event, NOW)
    expect(book.restsUntil('a', NOW)).toBeDefined()
  })

  it('counts no limit as a failure, and ends a rest when the clock goes back', () => {
    const book = createHealthTracker()
    for (let limit = 0; limit < 2 * ACCOUNT_BREAKER_STRIKES; limit++)
      book.record('a', 'limited', NOW)
    expect(book.restsUntil('a', NOW)).toBeUndefined()
    for (let strike = 0; strike < ACCOUNT_BREAKER_STRIKES; strike++) book.record('a', 'failed', NOW)
    expect(book.restsUntil('a', NOW - DAY)).toBeUndefined()
  })
})
