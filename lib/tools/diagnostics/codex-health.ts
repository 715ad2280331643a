import * as z from 'zod'

import { STATE_TONES } from '../../account-view/tones.js'
import { unreadableRecords, unreadableText } from '../../accounts/store/unreadable.js'
import { formatDuration } from '../../kernel/text/moments.js'
import { type Column, fits, renderTable } from '../../kernel/text/table.js'
import type { Tone } from '../../kernel/text/tones.js'
import {
  NO_ACCOUNT,
  problemLines,
  rowOf,
  SHORTEST_NAME,
  shortName,
  viewsOf,
} from '../account-rows.js'
import { BACKEND_PACE, defineTool } from '../definition.js'
import { readAllLimits } from '../read-limits.js'

type Health = 'healthy' | 'unhealthy' | 'skipped'

const TONES: Readonly<Record<Health, Tone>> = {
  healthy: 'good',
  unhealthy: 'bad',
  skipped: 'faint',
}

export const codexHealth = defineTool({
  name: 'health',
  group: 'Diagnostics',
  summary:
    'Check that each account can still sign in and is served; a good answer lifts a block that is over.',
  risk: 'edit',
  args: {
    clear: z
      .boolean()
      .describe('forget blocks first, so that every account is tried again')
      .optional(),
  },
  riskOf: ({ clear }) => (clear === true ? 'edit' : 'read'),
  watch: ({ clear }) => (clear === true ? undefined : BACKEND_PACE),
  async run(runtime, { clear }, context) {
    const before = await runtime.store.read()
    if (clear === true)
      for (const { uid } of before.accounts) runtime.ledger.clear(uid, runtime.clock.now())
    const asked = before.accounts.filter(({ enabled }) => enabled !== false)
    const errors = await readAllLimits(runtime, asked, context)
    const pool = await runtime.store.read()
    const nowMs = runtime.clock.now()
    const accounts = viewsOf(runtime, pool, context).map((view) => {
      const expiresAt = pool.accounts[view.index - 1]?.expiresAt
      const error = errors.get(view.uid) ?? null
      const isSkipped = !view.enabled || view.kind === 'api-key'
      const health: Health = isSkipped ? 'skipped' : error === null ? 'healthy' : 'unhealthy'
      return {
        ...rowOf(view, pool, nowMs, context),
        health,
        error,
        /** ms until the access token ends. */
        tokenLeftMs: expiresAt === undefined ? null : expiresAt - nowMs,
      }
    })
    const count = (health: Health): number => accounts.filter((row) => row.health === health).length
    return {
      totalAccounts: accounts.length,
      healthyCount: count('healthy'),
      unhealthyCount: count('unhealthy'),
      skippedCount: count('skipped'),
      unreadable: unreadableRecords(pool).length,
      accounts,
    }
  },
  render(data, view) {
    const unreadable = data.unreadable === 0 ? '' : `\n${unreadableText(data.unreadable)}`
    if (data.totalAccounts === 0) return `${NO_ACCOUNT}${unreadable}`
    const who: readonly Column<(typeof data.accounts)[number]>[] = [
      { title: '#', value: (row) => String(row.index), align: 'right' },
      { title: 'Account', value: shortName, cutTo: SHORTEST_NAME },
      { title: 'Health', value: (row) => [{ text: row.health, tone: TONES[row.health] }] },
    ]
    const why: Column<(typeof data.accounts)[number]> = {
      title: 'Why',
      value: (row) => row.error ?? '',
      priority: 2,
    }
    const hasRoom = fits(data.accounts, [...who, why], view.width)
    const table = renderTable(
      data.accounts,
      [
        ...who,
        {
          title: 'Status',
          value: ({ status, state }) => [{ text: status, tone: STATE_TONES[state] }],
          priority: 1,
        },
        {
          title: 'Token',
          value: (row) =>
            row.tokenLeftMs === null
              ? '-'
              : row.tokenLeftMs <= 0
                ? 'ended'
                : formatDuration(row.tokenLeftMs),
          priority: 0,
        },
        ...(hasRoom ? [why] : []),
      ],
      view.width,
    )
    const problems = hasRoom ? [] : problemLines(data.accounts)
    return [table, ...problems].join('\n') + unreadable
  },
  failed: (data) => data.unhealthyCount > 0,
})
