import { describe, expect, it } from 'vitest'

import { systemClock } from '../../lib/kernel/clock.js'
import { mayBeChangeOf } from '../../lib/kernel/json-file.js'
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
  it('counts and builds cumulative histograms', () => {
    const metrics = createMetrics()
    metrics.count('requests')
    metrics.count('requests', 2)
    for (const value of [1, 3, 700_000]) metrics.observe('latency.ms', value)
    const { counters, histograms } = metrics.snapshot()
    expect(counters).toEqual({ requests: 3 })
    expect(histograms['latency.ms']).toMatchObject({ count: 3, sum: 700_004, max: 700_000 })
    expect(histograms['latency.ms']?.buckets.at(-1)).toEqual({ le: Infinity, count: 3 })
    expect(histograms['latency.ms']?.buckets.find(({ le }) => le === 5)?.count).toBe(2)
  })
})

describe('a watch of a folder', () => {
  it('takes the temporary file of a write for a change of its file, because Bun names nothing else', () => {
    const about = (name: string | null): boolean => mayBeChangeOf('/state/quota.json', name)
    expect([null, 'quota.json', '.quota.json.123-abc.tmp'].map(about)).toEqual([true, true, true])
    expect(
      ['other.json', '.other.json.1-a.tmp', 'quota.json.lock', '.quota.json'].map(about),
    ).toEqual([false, false, false, false])
  })
})
