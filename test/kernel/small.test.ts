import { describe, expect, it } from 'vitest'

import { systemClock } from '../../lib/kernel/clock.js'
import { createMetrics } from '../../lib/kernel/metrics.js'
import { createRing } from '../../lib/kernel/ring.js'
import { createSingleFlight } from '../../lib/kernel/single-flight.js'

describe('createSingleFlight', () => {
  it('runs one call for all who ask meanwhile and a new one afterwards', async () => {
    const flight = createSingleFlight<number>()
    let calls = 0
    const call = async (): Promise<number> => (calls += 1)
    const together = await Promise.all([
      flight.run('a', call),
      flight.run('a', call),
      flight.run('b', call),
    ])
    expect([together, await flight.run('a', call)]).toEqual([[1, 1, 2], 3])
  })

  it('shares a failure and forgets it', async () => {
    const flight = createSingleFlight<string>()
    await expect(flight.run('a', () => Promise.reject(new Error('once')))).rejects.toThrow('once')
    expect(await flight.run('a', async () => 'fine')).toBe('fine')
  })
})

describe('systemClock.sleep', () => {
  it('rejects with the reason when aborted before or during the wait', async () => {
    const abort = new AbortController()
    const waiting = systemClock.sleep(60_000, abort.signal)
    abort.abort(new Error('Esc'))
    await expect(waiting).rejects.toThrow('Esc')
    await expect(systemClock.sleep(1, abort.signal)).rejects.toThrow('Esc')
  })
})

describe('createRing', () => {
  it('keeps the newest entries in order', () => {
    const ring = createRing<number>(3)
    for (const entry of [1, 2, 3, 4, 5]) ring.push(entry)
    expect(ring.toArray()).toEqual([3, 4, 5])
  })
})

describe('createMetrics', () => {
  it('adds up what is counted under a name', () => {
    const metrics = createMetrics()
    metrics.count('requests')
    metrics.count('requests', 2)
    expect(metrics.snapshot()).toEqual({ counters: { requests: 3 } })
  })
})
