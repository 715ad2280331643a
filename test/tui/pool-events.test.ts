import { describe, expect, it } from 'vitest'

import type { PoolEvent } from '../../lib/history/pool-events.js'
import { lastSwitchOf, waitOf } from '../../lib/tui/pool-events.js'

const NOW = 1_800_000_000_000
const moved: PoolEvent = {
  kind: 'switch',
  atMs: NOW,
  session: 's',
  from: 'a',
  to: 'b',
  why: 'is used up',
}
const waits = (atMs: number, untilMs: number, session = 's'): PoolEvent => ({
  kind: 'wait',
  atMs,
  session,
  untilMs,
})

describe('what the windows tell each other', () => {
  it('a wait is that of its session, until it is over or ended', () => {
    const events = [waits(NOW, NOW + 50), waits(NOW + 1, NOW + 70, 'other')]
    expect(waitOf(events, 's', NOW)).toBe(NOW + 50)
    expect(waitOf(events, 's', NOW + 50)).toBeUndefined()
    expect(waitOf(events, 'third', NOW)).toBeUndefined()
    expect(waitOf(events, undefined, NOW)).toBeUndefined()
    expect(waitOf([waits(NOW, NOW + 50)], 's', NOW - 3_600_000)).toBeUndefined()
    const ended = [waits(NOW, NOW + 50), waits(NOW + 5, NOW + 5)]
    expect(waitOf(ended, 's', NOW + 6)).toBeUndefined()
  })

  it('the last switch is that of a session or of any', () => {
    const events: PoolEvent[] = [moved, { ...moved, atMs: NOW + 1, session: 'other', to: 'c' }]
    expect(lastSwitchOf(events)?.to).toBe('c')
    expect(lastSwitchOf(events, 's')?.to).toBe('b')
    expect(lastSwitchOf(events, 'third')).toBeUndefined()
  })
})
