import * as z from 'zod'

import { unreadableRecords, unreadableText } from '../accounts/unreadable.js'
import { poolText } from '../forecast/pace-text.js'
import { type ApiValue, apiValue } from '../forecast/api-value.js'
import { PRICES_DATE } from '../forecast/price-table.js'
import type { PoolForecast } from '../forecast/types.js'
import { poolForecastOf } from '../history/forecasts.js'
import { type MoveCost, moveCosts, type TurnShare, turnShares } from '../history/prices.js'
import { CodexError } from '../kernel/errors.js'
import { renderTable } from '../kernel/table.js'
import { REPORT_MARK, renderReport } from '../report/page.js'
import { type QuotaWindow, WINDOW_NAMES } from '../routing/limits.js'
import type { Runtime } from '../runtime.js'
import { type AccountRow, accountRows, percentLeft, shortName } from './account-row.js'
import { nextAction } from './codex-status.js'
import { defineTool } from './definition.js'
import { writeOwnFile } from './own-file.js'
import { reportData } from './report-data.js'

interface DashboardData {
  readonly accounts: readonly AccountRow[]
  readonly usable: number
  /** Records of the file that hold no login that can be read. */
  readonly unreadable: number
  /** Mean of what is left over the accounts with a reading, by window; the pool as one. */
  readonly pool: readonly {
    readonly window: string
    readonly leftPercent: number
    readonly accounts: number
  }[]
  readonly strategy: string
  readonly retryProfile: string
  readonly requests: {
    readonly completed: number
    readonly failed: number
    readonly attempts: number
  }
  /** Null when the history says too little. */
  readonly forecast: PoolForecast | null
  /** What was used through this plugin on this machine; `usd` is what the public API would have cost, not a charge; without answers of API keys. */
  readonly use: { readonly today: ApiValue; readonly week: ApiValue; readonly pricesDate: string }
  /** What an answer takes of a window, learned from the history. */
  readonly turnShares: readonly (TurnShare & { readonly index: number })[]
  /** What moving the session of the newest answer to each other account would cost. */
  readonly moveCosts: readonly (Omit<MoveCost, 'uid'> & { readonly index: number })[]
  readonly recommendedNextAction: string
  /** Where the page was written; only when asked for. */
  readonly report?: { readonly path: string }
}

/** `codex-dashboard`. */
export const codexDashboard = defineTool({
  name: 'dashboard',
  group: 'Daily use',
  summary: 'Show the whole pool at a glance: accounts, what is left, requests, and what to do.',
  risk: 'read',
  args: {
    html: z
      .string()
      .describe('write the whole picture with its history to this HTML file')
      .optional(),
    force: z.boolean().describe('replace a file that is not a report').optional(),
  },
  userOnly: ['html', 'force'],
  async run(runtime, { html: wanted, force = false }, context): Promise<DashboardData> {
    if (wanted === '')
      throw new CodexError('invalid_input', 'Argument html needs the name of a file.', { hint: '' })
    const pool = await runtime.store.read()
    const accounts = accountRows(runtime, pool, context)
    const { counters } = runtime.metrics.snapshot()
    const nowMs = runtime.clock.now()
    const entries = await runtime.history.read()
    const windows = pool.accounts.map(({ uid }) => ({ uid, limits: windowsOf(runtime, uid) }))
    const serving = windows.filter((_account, position) =>
      ['ok', 'active'].includes(statusWord(accounts[position])),
    )
    const turns = entries.filter((entry) => entry.type === 'turn')
    // Answers of an API key are billed: they have no equivalent.
    const keys = new Set(
      pool.accounts.filter(({ kind }) => kind === 'api-key').map(({ uid }) => uid),
    )
    const since = (fromMs: number): ApiValue => {
      const newer = turns.filter(({ atMs }) => atMs >= fromMs)
      const { usd, unpricedModels } = apiValue(newer.filter(({ uid }) => !keys.has(uid)))
      return { ...apiValue(newer), usd, unpricedModels }
    }
    const names = [
      ...new Set(
        accounts.flatMap((row) =>
          row.windows.filter((window) => window.limitId === 'codex').map((window) => window.name),
        ),
      ),
    ]
    return {
      accounts,
      unreadable: unreadableRecords(pool).length,
      usable: accounts.filter((row) => row.status === 'ok' || row.status === 'active').length,
      pool: names.map((name) => {
        const left = accounts
          .filter((row) => row.enabled)
          .flatMap((row) =>
            row.windows
              .filter((window) => window.name === name && window.limitId === 'codex')
              .map((window) => window.leftPercent),
          )
        return {
          window: name,
          leftPercent: left.reduce((sum, one) => sum + one, 0) / Math.max(1, left.length),
          accounts: left.length,
        }
      }),
      strategy: runtime.config.rotationStrategy,
      retryProfile: runtime.config.retryProfile,
      requests: {
        completed: counters['requests.completed'] ?? 0,
        failed: counters['requests.failed'] ?? 0,
        attempts: counters.attempts ?? 0,
      },
      forecast: poolForecastOf(entries, serving, nowMs) ?? null,
      use: {
        today: since(new Date(nowMs).setHours(0, 0, 0, 0)),
        week: since(nowMs - WEEK_MS),
        pricesDate: PRICES_DATE,
      },
      turnShares: pool.accounts.flatMap(({ uid }, position) =>
        turnShares(entries, uid).map((share) => ({ ...share, index: position + 1 })),
      ),
      moveCosts: moveCosts(
        entries,
        pool.accounts.map(({ uid }) => uid),
      ).map(({ uid, ...cost }) => ({
        ...cost,
        index: pool.accounts.findIndex((account) => account.uid === uid) + 1,
      })),
      recommendedNextAction: nextAction(accounts),
      ...(wanted === undefined
        ? {}
        : {
            report: {
              path: await writeOwnFile({
                wanted,
                directory: context.directory,
                text: renderReport(
                  reportData({ rows: accounts, accounts: windows, entries, nowMs }),
                ),
                mark: REPORT_MARK,
                force,
              }),
            },
          }),
    }
  },
  render(data, view) {
    if (data.report !== undefined) return `Report written to ${data.report.path}.`
    const unreadable = data.unreadable === 0 ? [] : [unreadableText(data.unreadable)]
    if (data.accounts.length === 0)
      return ['No account is signed in. Run: opencode auth login', ...unreadable].join('\n')
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
      poolText(data.forecast ?? undefined, view.nowMs),
      ...useLines(data.use),
      ...data.turnShares.map(shareLine),
      ...moveLines(data.moveCosts),
      data.recommendedNextAction,
      ...unreadable,
    ].join('\n')
  },
})

const WEEK_MS = 7 * 86_400_000

/** The first word of the status: accounts at a limit come back and count too. */
function statusWord(row: AccountRow | undefined): string {
  const word = row?.status.split(' ')[0] ?? ''
  return word === 'limited' ? 'ok' : word
}

/** Also windows whose reset has passed: the forecast takes them for full. */
function windowsOf(runtime: Runtime, uid: string): Record<string, readonly QuotaWindow[]> {
  return Object.fromEntries(
    Object.entries(runtime.ledger.of(uid)?.limits ?? {}).map(([id, { windows }]) => [id, windows]),
  )
}

function useLines({ today, week, pricesDate }: DashboardData['use']): string[] {
  if (week.turns === 0) return []
  const line = (name: string, use: ApiValue): string =>
    `${name}: ${use.turns} ${use.turns === 1 ? 'answer' : 'answers'}, ${tokens(use.inputTokens)} tokens in (${tokens(use.cachedTokens)} cached), ${tokens(use.outputTokens)} out, API-equivalent ${usd(use)}.`
  return [
    line('Today', today),
    line('Last 7 days', week),
    `API-equivalent is not a charge: your plan pays. Public prices of ${pricesDate}${week.unpricedModels.length === 0 ? '' : `; not known for ${week.unpricedModels.join(', ')}`}.`,
  ]
}

function shareLine({
  index,
  kind,
  turns,
  low,
  mid,
  high,
}: DashboardData['turnShares'][number]): string {
  return `Account ${index}: the last ${turns === 1 ? 'answer' : `${turns} answers`} took about ${mid.toFixed(2)} % of the ${WINDOW_NAMES[kind]} window each (80 %: ${low.toFixed(2)} to ${high.toFixed(2)}).`
}

function moveLines(costs: DashboardData['moveCosts']): string[] {
  const [first] = costs
  if (first === undefined) return []
  const shares = costs.flatMap(({ index, shares: list }) =>
    list.map(
      ({ kind, low, mid, high }) =>
        `on account ${index} about ${mid.toFixed(2)} % of the ${WINDOW_NAMES[kind]} window (80 %: ${low.toFixed(2)} to ${high.toFixed(2)})`,
    ),
  )
  return [
    `Moving the newest session to another account would bill its ${tokens(first.tokens)} tokens of input in full again${shares.length === 0 ? '' : `: ${shares.join(', ')}`}.`,
  ]
}

function usd({ usd: value, unpricedModels }: ApiValue): string {
  if (value === 0 && unpricedModels.length > 0) return 'unknown'
  return `$${value.toFixed(2)}${unpricedModels.length === 0 ? '' : ' and more'}`
}

function tokens(count: number): string {
  if (count < 10_000) return String(count)
  return count < 1e6 ? `${Math.round(count / 1000)}k` : `${(count / 1e6).toFixed(1)}M`
}

function barsCell(row: AccountRow): string {
  const usual = row.windows.filter((window) => window.limitId === 'codex')
  return usual.length === 0
    ? '-'
    : usual
        .map(
          (window) =>
            `${window.name} ${'█'.repeat(Math.round(window.leftPercent / 12.5)).padEnd(8, '░')} ${percentLeft(window.leftPercent)}`,
        )
        .join('  ')
}
