import * as z from 'zod'

import { unreadableRecords, unreadableText } from '../accounts/unreadable.js'
import { formatDuration } from '../kernel/moments.js'
import { messageOf } from '../kernel/errors.js'
import { redactText } from '../kernel/redact.js'
import { renderTable } from '../kernel/table.js'
import { type AccountRow, accountRows, shortName } from './account-row.js'
import { refreshReading } from './codex-limits.js'
import { defineTool } from './definition.js'

interface HealthRow extends AccountRow {
  readonly health: 'healthy' | 'unhealthy' | 'skipped'
  readonly error: string | null
  /** ms until the access token ends; null when unknown. */
  readonly tokenLeftMs: number | null
}

interface HealthData {
  readonly totalAccounts: number
  readonly healthyCount: number
  readonly unhealthyCount: number
  readonly skippedCount: number
  /** Records of the file that hold no login that can be read. */
  readonly unreadable: number
  readonly accounts: readonly HealthRow[]
}

/** `codex-health`. */
export const codexHealth = defineTool({
  name: 'health',
  group: 'Diagnostics',
  summary:
    'Check that each account can still sign in and is served; a good answer lifts a block that is over.',
  risk: 'edit',
  args: {
    clear: z
      .boolean()
      .describe('forget blocks first, so that every account is tried anew')
      .optional(),
  },
  riskOf: ({ clear }) => (clear === true ? 'edit' : 'read'),
  async run(runtime, { clear }, context): Promise<HealthData> {
    const before = await runtime.store.read()
    if (clear === true)
      for (const { uid } of before.accounts) runtime.ledger.clear(uid, runtime.clock.now())
    const errors = new Map<string, string>()
    const skipped = new Set<string>()
    for (const [position, account] of before.accounts.entries()) {
      context.progress(`checking account ${position + 1} of ${before.accounts.length}`)
      if (account.enabled === false || account.kind === 'api-key') {
        skipped.add(account.uid)
        continue
      }
      await refreshReading(runtime, account, context.signal).catch((error: unknown) => {
        if (context.signal.aborted) throw error
        errors.set(account.uid, redactText(messageOf(error)))
      })
    }
    await runtime.ledger.flush()
    const pool = await runtime.store.read()
    const nowMs = runtime.clock.now()
    const accounts = accountRows(runtime, pool, context).map((row, position): HealthRow => {
      const account = pool.accounts[position]
      const uid = account?.uid ?? ''
      return {
        ...row,
        health: skipped.has(uid) ? 'skipped' : errors.has(uid) ? 'unhealthy' : 'healthy',
        error: errors.get(uid) ?? null,
        tokenLeftMs: account?.expiresAt === undefined ? null : account.expiresAt - nowMs,
      }
    })
    const count = (health: HealthRow['health']): number =>
      accounts.filter((row) => row.health === health).length
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
    if (data.totalAccounts === 0)
      return `No account is signed in. Run: opencode auth login${unreadable}`
    const table = renderTable(
      data.accounts,
      [
        { title: '#', value: (row) => String(row.index), align: 'right' },
        { title: 'Account', value: shortName },
        { title: 'Health', value: (row) => row.health },
        { title: 'Status', value: (row) => row.status, priority: 1 },
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
        { title: 'Why', value: (row) => row.error ?? '', priority: 2 },
      ],
      view.width,
    )
    return unreadable === '' ? table : `${table}\n${unreadable}`
  },
  failed: (data) => data.unhealthyCount > 0,
})
