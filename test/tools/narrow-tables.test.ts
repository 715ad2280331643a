import { describe, expect, it } from 'vitest'

import { displayWidth } from '../../lib/kernel/text/sure-width.js'
import { plainLines } from '../../lib/kernel/text/plain-text.js'
import { codexDashboard } from '../../lib/tools/daily/codex-dashboard.js'
import { codexLimits } from '../../lib/tools/daily/codex-limits.js'
import { codexList } from '../../lib/tools/daily/codex-list.js'
import { codexStatus } from '../../lib/tools/daily/codex-status.js'
import { codexHealth } from '../../lib/tools/diagnostics/codex-health.js'
import { coreOver } from '../support/core-over.js'
import { toolData } from '../support/run-tool.js'

const NOW = new Date(2026, 10, 29, 12, 0).getTime()
const DAY = 86_400_000

/** Twelve accounts with long names, of which two are at a limit for days. */
async function dataOf(name: 'status' | 'list' | 'dashboard') {
  const { core } = await coreOver([{ name: 'a' }])
  const data = await toolData(core.runtime, name)
  const [row] = data.accounts as Record<string, unknown>[]
  const windows = [
    {
      name: '5h',
      kind: 'five_hour',
      limitId: 'codex',
      leftPercent: 100,
      resetsAtMs: NOW + DAY / 8,
    },
    { name: '7d', kind: 'weekly', limitId: 'codex', leftPercent: 60, resetsAtMs: NOW + 3 * DAY },
  ]
  const accounts = Array.from({ length: 12 }, (_, place) => ({
    ...row,
    index: place + 1,
    name: `account ${place + 1} with a name that is long`,
    active: place === 0,
    windows,
    ...(place % 6 === 5
      ? {
          state: 'limited',
          status: 'limited until Wed 12:00 (in 3 d)',
          untilMs: NOW + 3 * DAY,
        }
      : {}),
  }))
  return { ...data, accounts } as never
}

describe.each([
  ['status', codexStatus],
  ['list', codexList],
  ['dashboard', codexDashboard],
] as const)('the table of %s', (name, tool) => {
  // The dialog of a terminal of 60 columns has 54.
  it.each([54, 60, 74, 80, 94, 115, 130, 200])(
    'shows at %d columns of each account what is left, and to the end until when it is limited',
    async (width) => {
      const text = plainLines(tool.render(await dataOf(name), { width, nowMs: NOW }))
      const rows = text.split('\n').filter((line) => /^ *\d+\*? {2}account/.test(line))
      expect(rows).toHaveLength(12)
      for (const row of rows) {
        expect(displayWidth(row), row).toBeLessThanOrEqual(width)
        expect(row).toMatch(/5h (?:[█░]+ +)?100%.* {2}7d (?:[█░]+ +)?60%/)
      }
      for (const place of [5, 11]) expect(rows[place]).toMatch(/until Wed 12:00(?: |$)/)
    },
  )
})

describe.each([
  ['limits', codexLimits],
  ['health', codexHealth],
] as const)('the table of %s', (name, tool) => {
  it.each([40, 54, 60, 80, 100, 130, 200])(
    'says at %d columns what went wrong with which account',
    async (width) => {
      const { core } = await coreOver([{ name: 'a' }])
      const data = await toolData(core.runtime, name)
      const [row] = data.accounts as Record<string, unknown>[]
      const error = 'The usage request failed (HTTP 403).'
      const accounts = Array.from({ length: 20 }, (_, place) => ({
        ...row,
        index: place + 1,
        name: `account ${place + 1} with a name that is long`,
        health: place % 2 === 0 ? 'healthy' : 'unhealthy',
        error: place % 2 === 0 ? null : error,
      }))
      const text = plainLines(
        tool.render({ ...data, totalAccounts: 20, accounts } as never, { width, nowMs: NOW }),
      )
      expect(text).toContain(error)
      const inRows = new RegExp(`^ *\\d+ .*${error.slice(0, 12)}`, 'm').test(text)
      if (!inRows) expect(text).toContain('Accounts 2, 4, 6, 8, 10, 12, 14, 16, 18, 20: ')
      for (const line of text.split('\n').filter((one) => /^ *\d/.test(one)))
        expect(displayWidth(line), line).toBeLessThanOrEqual(width)
    },
  )
})
