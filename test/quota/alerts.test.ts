import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { ALERT_LEVELS, alertsFor, mergedMemory } from '../../lib/quota/alerts.js'
import type { QuotaWindow } from '../../lib/routing/limits.js'

const NOW = 1_800_000_000_000
const window = (usedPercent: number, resetsAtMs = NOW + 3_600_000): QuotaWindow => ({
  kind: 'five_hour',
  usedPercent,
  resetsAtMs,
  observedAtMs: NOW,
  source: 'headers',
})

describe('alertsFor', () => {
  it('speaks of each level once while a window runs out, whatever the readings', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 130, noNaN: true }), { maxLength: 40 }),
        (readings) => {
          let memory = {}
          const levels: number[] = []
          for (const used of readings) {
            const found = alertsFor('codex', [window(used)], memory, NOW)
            memory = found.memory
            levels.push(...found.alerts.map(({ level }) => level))
          }
          expect(new Set(levels).size).toBe(levels.length)
          expect(levels).toEqual([...levels].sort((left, right) => right - left))
          for (const level of levels) expect(ALERT_LEVELS).toContain(level)
        },
      ),
    )
  })

  it('says the lowest level only when the first reading is far down', () => {
    expect(alertsFor('codex', [window(97)], {}, NOW).alerts.map(({ level }) => level)).toEqual([5])
  })

  it('begins anew with the next window, and takes a reset that wanders by seconds for the same', () => {
    const { memory } = alertsFor('codex', [window(80)], {}, NOW)
    expect(alertsFor('codex', [window(80, NOW + 3_601_000)], memory, NOW).alerts).toEqual([])
    expect(alertsFor('codex', [window(80, NOW + 6 * 3_600_000)], memory, NOW).alerts).toHaveLength(
      1,
    )
  })

  it('is silent in a second window of the host that has read what the first one said', () => {
    const first = alertsFor('codex', [window(91)], {}, NOW)
    const shared = mergedMemory({}, first.memory, NOW)
    expect(alertsFor('codex', [window(91)], shared, NOW).alerts).toEqual([])
  })
})
