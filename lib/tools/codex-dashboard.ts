import { renderTable } from '../kernel/table.js'
import { type AccountRow, accountRows, percentLeft, shortName } from './account-row.js'
import { nextAction } from './codex-status.js'
import { defineTool } from './definition.js'

interface DashboardData {
  readonly accounts: readonly AccountRow[]
  readonly usable: number
  /** Mean of what is left over the accounts with a reading, by window; the pool as one. */
  readonly pool: readonly { readonly window: string; readonly leftPercent: number; readonly accounts: number }[]
  readonly strategy: string
  readonly retryProfile: string
  readonly requests: { readonly completed: number; readonly failed: number; readonly attempts: number }
  readonly recommendedNextAction: string
}

/** `codex-dashboard`. */
export const codexDashboard = defineTool({
  name: 'dashboard',
  group: 'Daily use',
  summary: 'Show the whole pool at a glance: accounts, what is left, requests, and what to do.',
  args: {},
  async run(runtime, _args, context): Promise<DashboardData> {
    const pool = await runtime.store.read()
    const accounts = accountRows(runtime, pool, context)
    const { counters } = runtime.metrics.snapshot()
    const names = [...new Set(accounts.flatMap((row) => row.windows.filter((window) => window.limitId === 'codex').map((window) => window.name)))]
    return {
      accounts,
      usable: accounts.filter((row) => row.status === 'ok' || row.status === 'active').length,
      pool: names.map((name) => {
        const left = accounts.filter((row) => row.enabled).flatMap((row) => row.windows.filter((window) => window.name === name && window.limitId === 'codex').map((window) => window.leftPercent))
        return { window: name, leftPercent: left.reduce((sum, one) => sum + one, 0) / Math.max(1, left.length), accounts: left.length }
      }),
      strategy: runtime.config.rotationStrategy,
      retryProfile: runtime.config.retryProfile,
      requests: { completed: counters['requests.completed'] ?? 0, failed: counters['requests.failed'] ?? 0, attempts: counters.attempts ?? 0 },
      recommendedNextAction: nextAction(accounts),
    }
  },
  render(data, view) {
    if (data.accounts.length === 0) return 'No account is signed in. Run: opencode auth login'
    const table = renderTable(
      data.accounts,
      [
        { title: '#', value: (row) => `${row.index}${row.active ? '*' : ''}`, align: 'right' },
        { title: 'Account', value: shortName },
        { title: 'Status', value: (row) => row.status },
        { title: 'Left', value: barsCell, priority: 1 },
      ],
      view.width,
    )
    const pool = data.pool.map((one) => `${one.window} ${percentLeft(one.leftPercent)}`).join(', ')
    return [
      table,
      '',
      `Pool: ${data.usable} of ${data.accounts.length} can serve${pool === '' ? '' : `, left on average ${pool}`}. Strategy ${data.strategy}, retries ${data.retryProfile}.`,
      `This process: ${data.requests.completed} answered, ${data.requests.failed} failed, ${data.requests.attempts} sent.`,
      data.recommendedNextAction,
    ].join('\n')
  },
})

function barsCell(row: AccountRow): string {
  const usual = row.windows.filter((window) => window.limitId === 'codex')
  return usual.length === 0 ? '-' : usual.map((window) => `${window.name} ${'█'.repeat(Math.round(window.leftPercent / 12.5)).padEnd(8, '░')} ${percentLeft(window.leftPercent)}`).join('  ')
}
