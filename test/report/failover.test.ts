import { describe, expect, it } from 'vitest'

import type { HistoryEntry } from '../../lib/history/entries.js'
import { failoverSum, switchOutcomes } from '../../lib/report/failover.js'
import { HOUR, move, NOW, turn } from './entries.js'

const session = 'ses_1'
const before = turn({ atMs: NOW - 300_000, session, inputTokens: 50_000, cachedTokens: 49_000 })
const moved = move({ atMs: NOW, session })
const after = turn({
  atMs: NOW + 5000,
  uid: 'u2',
  session,
  inputTokens: 52_000,
  cachedTokens: 2000,
  durationMs: 6000,
  attempts: 2,
})

function sumOf(entries: readonly HistoryEntry[]): ReturnType<typeof failoverSum> {
  return failoverSum(switchOutcomes(entries))
}

describe('what failover saved', () => {
  it('is one interruption for each request that was answered after a switch, however often it moved', () => {
    const twice = [move({ atMs: NOW - 500, session }), move({ atMs: NOW, fromUid: 'u2', session })]
    expect(sumOf([before, moved, after]).avoided).toBe(1)
    expect(sumOf([before, ...twice, after])).toMatchObject({ switches: 2, avoided: 1 })
  })

  it('is nothing where no answer of that session was under way at the time', () => {
    for (const other of [
      { ...after, session: 'ses_2' },
      { ...after, atMs: NOW + HOUR },
      { ...after, attempts: 1 },
    ])
      expect(sumOf([before, moved, other])).toMatchObject({ avoided: 0, unanswered: 1 })
  })
})

describe('the price of a switch', () => {
  it('is the input that the answer before had read and the new account had not in its cache', () => {
    expect(sumOf([before, moved, after])).toMatchObject({ priced: 1, tokensReadAgain: 48_000 })
  })

  it('has a value only where the price of the model is known: the difference between full and cached input', () => {
    expect(sumOf([before, moved, after]).usd).toBeCloseTo((48_000 * (5 - 0.5)) / 1e6)
    const unknown = [{ ...before, model: 'x' }, moved, { ...after, model: 'x' }]
    expect(sumOf(unknown)).toMatchObject({ tokensReadAgain: 48_000, usd: 0 })
  })

  it.each([
    ['the history holds no answer before', [moved, after]],
    ['the cache would have been gone anyway', [{ ...before, atMs: NOW - 2 * HOUR }, moved, after]],
    ['the model changed', [{ ...before, model: 'other' }, moved, after]],
    [
      'no session says what belongs together',
      [before, moved, after].map(({ session: _session, ...entry }) => entry),
    ],
  ] as const)('is not told where %s', (_why, entries) => {
    expect(sumOf(entries as readonly HistoryEntry[])).toMatchObject({ avoided: 1, priced: 0 })
  })

  it('is nothing, not less, when the new account had it all in its cache', () => {
    expect(sumOf([before, moved, { ...after, cachedTokens: 52_000 }]).tokensReadAgain).toBe(0)
  })
})
