import { describe, expect, it } from 'vitest'

import { createCalendar } from '../../lib/report/formats.js'
import { windowsChart } from '../../lib/report/charts/chart-windows.js'
import { textOf } from '../../lib/report/markup.js'
import { windowLines } from '../../lib/report/charts/window-lines.js'
import { DAY, HOUR, NOW, reading } from './entries.js'

const UTC = createCalendar('UTC')
const MIDNIGHT = NOW - 12 * HOUR

describe('the chart of the windows of an account', () => {
  it('gives the true lowest and last share of each day, however much the drawing leaves out', () => {
    const entries = Array.from({ length: 35 * 96 }, (_, index) => {
      const atMs = MIDNIGHT - 35 * DAY + index * 15 * 60_000
      const ofDay = index % 96
      return reading({
        atMs,
        usedPercent: ofDay === 93 ? 77 : ofDay === 95 ? 51 : 50,
        resetsAtMs: NOW + DAY,
      })
    })
    const page = textOf(
      windowsChart('a', windowLines(entries), { fromMs: MIDNIGHT - 35 * DAY, toMs: NOW }, UTC),
    )
    const rows = page.match(/<td class="number">23%<\/td>\s*<td class="number">49%<\/td>/g)
    expect(rows).toHaveLength(35)
  })

  it('breaks the line at a reset and marks it', () => {
    const resetsAtMs = NOW - 2 * HOUR
    const entries = [
      reading({ atMs: NOW - 3 * HOUR, usedPercent: 80, resetsAtMs }),
      reading({ atMs: NOW - 2.5 * HOUR, usedPercent: 90, resetsAtMs }),
      reading({ atMs: NOW - HOUR, usedPercent: 10 }),
      reading({ atMs: NOW, usedPercent: 20 }),
    ]
    const page = textOf(
      windowsChart('a', windowLines(entries), { fromMs: NOW - 4 * HOUR, toMs: NOW }, UTC),
    )
    expect(page).toContain(
      '<path class="reset" d="M500 0v7"/><path class="line a" d="M250 80L375 90M750 10L1000 20"/>',
    )
  })
})
