import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import {
  cacheShare,
  countsByReason,
  sumsByDay,
  sumsByUse,
  tokensByHour,
  tokenSum,
} from '../../lib/report/token-sums.js'
import { createCalendar } from '../../lib/report/formats.js'
import { thinned, windowLines } from '../../lib/report/charts/window-lines.js'
import { alert, anyHistory, DAY, HOUR, move, NOW, reading, turn } from './entries.js'

const UTC = createCalendar('UTC')

describe('the calendar', () => {
  it('counts days and hours in its own time zone', () => {
    // Sat 21 Nov 23:30 UTC is Sunday in Berlin.
    const late = Date.UTC(2026, 10, 21, 23, 30)
    expect(UTC.of(late)).toEqual({ day: '2026-11-21', weekday: 5, hour: 23 })
    expect(createCalendar('Europe/Berlin').of(late)).toEqual({
      day: '2026-11-22',
      weekday: 6,
      hour: 0,
    })
    expect(createCalendar('Asia/Kathmandu').moment(late)).toBe('Sun 22 Nov, 05:15')
  })

  it('tells the minute although it asks the system once per quarter', () => {
    expect(UTC.moment(Date.UTC(2026, 0, 1, 9, 44, 59))).toBe('Thu 1 Jan, 09:44')
  })

  it('is that of UTC for a name nobody knows', () => {
    expect(createCalendar('Mars/Olympus').of(NOW)).toEqual(UTC.of(NOW))
  })
})

describe('sums of tokens', () => {
  it('are the same however they are cut', () => {
    fc.assert(
      fc.property(anyHistory, (entries) => {
        const turns = entries.filter((entry) => entry.type === 'turn')
        const { turns: count, inputTokens, outputTokens } = tokenSum(turns)
        const days = sumsByDay(turns, UTC)
        const uses = sumsByUse(turns, (uid) => uid)
        for (const parts of [days, uses]) {
          expect(parts.reduce((sum, one) => sum + one.inputTokens, 0)).toBe(inputTokens)
          expect(parts.reduce((sum, one) => sum + one.turns, 0)).toBe(count)
        }
        expect(
          tokensByHour(turns, UTC)
            .flat()
            .reduce((sum, one) => sum + one, 0),
        ).toBe(inputTokens + outputTokens)
      }),
    )
  })

  it('give the cached part of the input, and none without input', () => {
    expect(
      cacheShare(
        tokenSum([
          turn({ inputTokens: 100, cachedTokens: 60 }),
          turn({ inputTokens: 300, cachedTokens: 0 }),
        ]),
      ),
    ).toBe(0.15)
    expect(cacheShare(tokenSum([]))).toBeUndefined()
    expect(cacheShare(tokenSum([turn({ inputTokens: 10, cachedTokens: 20 })]))).toBe(1)
  })

  it('name days in order and leave out those without answers', () => {
    expect(
      sumsByDay([turn({ atMs: NOW }), turn({ atMs: NOW - 3 * DAY })], UTC).map(
        ({ atMs }) => UTC.of(atMs).day,
      ),
    ).toEqual(['2026-11-18', '2026-11-21'])
  })

  it('put accounts that share a name together', () => {
    expect(
      sumsByUse([turn({ uid: 'a' }), turn({ uid: 'b' })], () => 'removed account'),
    ).toMatchObject([{ account: 'removed account', turns: 2 }])
  })
})

describe('changes of account', () => {
  it('are counted by reason, the most frequent first', () => {
    expect(countsByReason([move({ reason: 'server_error' }), move(), move()])).toEqual([
      { reason: 'usage_limit', count: 2 },
      { reason: 'server_error', count: 1 },
    ])
  })
})

describe('the course of a window', () => {
  it('is one line for each account, family and kind', () => {
    expect(
      windowLines([
        reading(),
        reading({ kind: 'weekly' }),
        reading({ uid: 'u2' }),
        reading({ limitId: 'other' }),
        turn(),
      ]),
    ).toHaveLength(4)
  })

  it('began anew at the announced time when that lies between two readings, whatever was used since', () => {
    const resetsAtMs = NOW - 2 * HOUR
    for (const usedPercent of [0, 30, 95]) {
      expect(
        windowLines([
          reading({ atMs: NOW - 9 * HOUR, usedPercent: 90, resetsAtMs }),
          reading({ atMs: NOW, usedPercent }),
        ])[0]?.resets,
      ).toEqual([resetsAtMs])
    }
  })

  it('began anew with the reading when the share falls ahead of time', () => {
    const entries = [
      reading({ atMs: NOW - HOUR, usedPercent: 90, resetsAtMs: NOW + HOUR }),
      reading({ atMs: NOW, usedPercent: 0, resetsAtMs: NOW + 5 * HOUR }),
    ]
    expect(windowLines(entries)[0]?.resets).toEqual([NOW])
  })

  it('did not begin anew when the backend takes a percent back', () => {
    const entries = [
      reading({ atMs: NOW - HOUR, usedPercent: 42 }),
      reading({ atMs: NOW - 1, usedPercent: 41 }),
    ]
    expect(windowLines(entries)[0]?.resets).toEqual([])
  })

  it('knows its own alerts and not those of another window', () => {
    expect(
      windowLines([reading(), alert(), alert({ uid: 'u2' }), alert({ kind: 'weekly' })])[0]?.alerts,
    ).toEqual([{ atMs: NOW - HOUR, level: 10 }])
  })

  it('stays between 0 and 100, also when more than all is used', () => {
    expect(windowLines([reading({ usedPercent: 130 })])[0]?.points).toEqual([
      { atMs: NOW - HOUR, left: 0 },
    ])
  })

  it('keeps its ends and its lowest point when it is thinned out, in order and at most 360 points', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 1, maxLength: 2000 }),
        (lefts) => {
          const points = lefts.map((left, index) => ({ atMs: NOW + index * 60_000, left }))
          const kept = thinned(points)
          expect(kept.length).toBeLessThanOrEqual(360)
          expect(kept[0]).toEqual(points[0])
          expect(kept.at(-1)).toEqual(points.at(-1))
          expect(Math.min(...kept.map(({ left }) => left))).toBe(Math.min(...lefts))
          expect(kept.map(({ atMs }) => atMs)).toEqual(
            kept.map(({ atMs }) => atMs).sort((left, right) => left - right),
          )
        },
      ),
    )
  })
})
