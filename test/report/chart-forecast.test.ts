import { describe, expect, it } from 'vitest'

import { createCalendar } from '../../lib/report/formats.js'
import { forecastChart } from '../../lib/report/charts/chart-forecast.js'
import { textOf } from '../../lib/report/markup.js'

const NOW = Date.UTC(2026, 10, 21, 12)
const HOUR = 3_600_000

function middleLine(runsOutAtMs: {
  readonly mid?: number
}): { readonly x: number; readonly y: number }[] {
  const forecast = {
    ratePerHour: { low: 0.1, mid: 9, high: 20 },
    runsOutAtMs,
    resetsAtMs: NOW + 24 * HOUR,
    runOutChance: 0.5,
    basis: { samples: 9, hours: 9 },
  }
  const page = textOf(
    forecastChart(
      'a',
      { uid: 'u', window: '7d', leftPercent: 50, forecast },
      NOW,
      createCalendar('UTC'),
    ),
  )
  const path =
    /<path class="line a" d="([^"]+)"\/>\s*<\/svg>|<path class="line a" d="([^"]+)"\/>/.exec(page)
  return [...(path?.[1] ?? path?.[2] ?? '').matchAll(/([\d.]+)[ ,]([\d.]+)/g)].map((match) => ({
    x: Number(match[1]),
    y: Number(match[2]),
  }))
}

describe('the picture of a forecast', () => {
  it('meets the ground when the words say that the window is empty, whatever the rate of the moment', () => {
    const line = middleLine({ mid: NOW + 12 * HOUR })
    const ground = Math.max(...line.map(({ y }) => y))
    const first = line.find(({ y }) => y === ground)
    const [start, end] = [line[0], line.at(-1)]
    expect(((first?.x ?? 0) - (start?.x ?? 0)) / ((end?.x ?? 1) - (start?.x ?? 0))).toBeCloseTo(
      0.5,
      1,
    )
  })

  it('stays above the ground until the reset when the words say that it lasts', () => {
    const line = middleLine({})
    const ground = Math.max(...line.map(({ y }) => y))
    expect(line.filter(({ y }) => y === ground).length).toBeLessThanOrEqual(1)
  })
})
