import { writeFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it, vi } from 'vitest'

import type { AccountView } from '../../lib/account-view/view.js'
import { pacesNow } from '../../lib/dialog-entry.js'
import { formatLine } from '../../lib/history/lines.js'
import { formatAge, formatDuration } from '../../lib/kernel/text/moments.js'
import { createPaces } from '../../lib/tui/slots/pace.js'
import { temporaryFolder } from '../support/temporary.js'

const NOW = Date.UTC(2027, 0, 15, 9)
const MINUTE_MS = 60_000
const resetsAtMs = NOW + 150 * MINUTE_MS

/** What the computation reads of an account. */
const account = (uid: string, usedPercent: number, observedAtMs = NOW): AccountView =>
  ({
    uid,
    windows: [
      {
        name: '5h',
        kind: 'five_hour',
        limitId: 'codex',
        reading: {
          kind: 'five_hour',
          usedPercent,
          windowMinutes: 300,
          resetsAtMs,
          observedAtMs,
          source: 'headers',
        },
      },
    ],
  }) as unknown as AccountView

describe('the pace in the sidebar', () => {
  it('is read from the history file, of each account its own', async () => {
    const file = path.join(await temporaryFolder(), 'history.jsonl')
    const lines = Array.from({ length: 30 }, (_, index) => {
      const reading = {
        type: 'reading',
        atMs: NOW - (30 - index) * 5 * MINUTE_MS,
        limitId: 'codex',
        kind: 'five_hour',
        windowMinutes: 300,
        resetsAtMs,
      } as const
      return [
        formatLine({ ...reading, uid: 'quick', usedPercent: index * 2 }),
        formatLine({ ...reading, uid: 'slow', usedPercent: Math.floor(index / 10) }),
      ]
    })
    await writeFile(file, `nonsense\n${lines.flat().join('')}`)
    const shown = [account('quick', 60), account('slow', 3), account('new', 1)]
    const paces = await pacesNow(shown, file, NOW)
    const emptyAtMs = paces.get('quick')?.runsOutAtMs?.mid ?? 0
    expect(emptyAtMs).toBeGreaterThan(NOW)
    expect(emptyAtMs).toBeLessThan(resetsAtMs)
    expect(paces.get('slow')).toMatchObject({ window: '5h', resetsAtMs })
    expect(paces.get('slow')?.runsOutAtMs?.mid).toBeUndefined()
    expect(paces.has('new')).toBe(false)
    expect(await pacesNow(shown, `${file}.gone`, NOW)).toEqual(new Map())
  })

  it('is computed when a reading changed, once a minute at most, and not when nothing did', async () => {
    vi.useFakeTimers()
    try {
      let runs = 0
      let changes = 0
      const paces = createPaces({
        compute: async (accounts) => {
          runs += 1
          return new Map(accounts.map(({ uid }) => [uid, { window: `${runs}` }]))
        },
        onChange: () => (changes += 1),
      })
      paces.follow([account('a', 1)])
      await vi.advanceTimersByTimeAsync(1)
      expect([runs, changes, paces.of('a')]).toEqual([1, 1, { window: '1' }])
      for (const usedPercent of [2, 3, 4]) paces.follow([account('a', usedPercent)])
      await vi.advanceTimersByTimeAsync(58_000)
      expect(runs).toBe(1)
      await vi.advanceTimersByTimeAsync(2_000)
      expect(runs).toBe(2)
      paces.follow([account('a', 4)])
      await vi.advanceTimersByTimeAsync(10 * MINUTE_MS)
      expect(runs).toBe(2)
      paces.close()
    } finally {
      vi.useRealTimers()
    }
  })

  it('stays as it was where the computation is not to be had', async () => {
    const paces = createPaces({
      compute: () => Promise.reject(new Error('the plugin was updated')),
      onChange: () => expect.fail('nothing new can be shown'),
    })
    paces.follow([account('a', 1)])
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(paces.of('a')).toBeUndefined()
  })
})

describe('an age', () => {
  it.each([
    [-5_000, '1 s ago'],
    [12_900, '12 s ago'],
    [59_999, '59 s ago'],
    [60_000, '1 min ago'],
    [119_999, '1 min ago'],
    [59.9 * MINUTE_MS, '59 min ago'],
    [125 * MINUTE_MS, '2 h 5 min ago'],
    [49.9 * 60 * MINUTE_MS, '2 d 1 h ago'],
  ])('of %d ms is %s: nothing is said to be older than it is', (ms, text) => {
    expect(formatAge(ms)).toBe(text)
  })

  it('is not a wait, which is rounded up', () => {
    expect([formatDuration(61_000), formatDuration(59.5 * MINUTE_MS)]).toEqual(['2 min', '1 h'])
  })
})
