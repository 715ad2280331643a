import { describe, expect, it } from 'vitest'

import { paceText, paceWarning, poolText } from '../../lib/account-view/forecast-words.js'
import type { Forecast } from '../../lib/forecast/types.js'

const NOW = new Date(2026, 10, 16, 12, 0).getTime()
const HOUR = 3_600_000
const base: Forecast = {
  ratePerHour: { low: 0.5, mid: 1, high: 2 },
  resetsAtMs: NOW + 120 * HOUR,
  runOutChance: 0.9,
  basis: { samples: 9, hours: 40 },
}

describe('what is said of a pace', () => {
  it('names the end, how long before the reset it is, and how sure that is', () => {
    const text = paceText(
      { ...base, runsOutAtMs: { early: NOW + 48 * HOUR, mid: NOW + 72 * HOUR } },
      NOW,
    )
    expect(text).toBe('empty Thu 12:00, 2 d before its reset (80%: Wed 12:00 to not at all)')
  })

  it('says that a window lasts, and with which risk', () => {
    expect(paceText({ ...base, runOutChance: 0.02 }, NOW)).toBe('lasts to its reset')
    expect(paceText({ ...base, runOutChance: 0.3, runsOutAtMs: { early: NOW + HOUR } }, NOW)).toBe(
      'lasts to its reset, with a 30% risk of running out earlier',
    )
  })

  it('is silent where there is nothing to claim', () => {
    expect(paceText(undefined, NOW)).toBe('')
    expect(paceText({ ...base, runsOutAtMs: { mid: NOW } }, NOW)).toBe('')
    expect(paceWarning(undefined, NOW)).toBe('')
    expect(paceWarning(base, NOW)).toBe('')
  })

  it('warns with one sentence', () => {
    expect(paceWarning({ ...base, runsOutAtMs: { mid: NOW + 72 * HOUR } }, NOW)).toBe(
      'At this pace it is empty Thu 12:00, 2 d before its reset.',
    )
  })
})

describe('what is said of the pool', () => {
  it('names the time it is empty, its interval and when an account is available again', () => {
    const text = poolText(
      {
        dryAtMs: { early: NOW + 24 * HOUR, mid: NOW + 48 * HOUR, late: NOW + 72 * HOUR },
        dryChance: 0.95,
        horizonMs: 168 * HOUR,
        backAtMs: NOW + 96 * HOUR,
        accounts: 2,
      },
      NOW,
    )
    expect(text).toBe(
      'At this pace the pool is empty Wed 12:00 (80%: Tue 12:00 to Thu 12:00); the first account is available again Fri 12:00.',
    )
  })

  it('says that it lasts, and that nothing is known yet', () => {
    expect(poolText({ dryChance: 0, horizonMs: 168 * HOUR, accounts: 2 }, NOW)).toBe(
      'At this pace the pool lasts the next 7 d.',
    )
    expect(poolText(undefined, NOW)).toContain('No forecast yet')
  })
})
