import * as z from 'zod'

import { nextAction, servingText } from '../../account-view/next-action.js'
import { canServe } from '../../account-view/state.js'
import type { AccountView } from '../../account-view/view.js'
import { leftTone } from '../../account-view/tones.js'
import { percentText, sharePercent, windowName } from '../../account-view/words.js'
import { unreadableRecords, unreadableText } from '../../accounts/store/unreadable.js'
import { type ApiValue, apiValue, PRICES_DATE } from '../../forecast/api-value.js'
import { poolText } from '../../account-view/forecast-words.js'
import type { HistoryEntry } from '../../history/entries.js'
import {
  type MoveCost,
  moveCosts,
  poolForecastOf,
  type TurnShare,
  turnShares,
} from '../../history/estimates.js'
import { CodexError } from '../../kernel/errors.js'
import { givenPath } from '../../kernel/files/given-path.js'
import { counted } from '../../kernel/text/plural.js'
import { type Column, renderFitting } from '../../kernel/text/table.js'
import { toned } from '../../kernel/text/tones.js'
import { REPORT_MARK, renderReport } from '../../report/page.js'
import { DEFAULT_LIMIT_ID } from '../../routing/limits.js'
import {
  accountBeginnings,
  type AccountRow,
  NO_ACCOUNT,
  rowOf,
  viewsOf,
  windowsCell,
} from '../account-rows.js'
import { defineTool, LOCAL_PACE } from '../definition.js'
import { writeOwnFile } from '../own-file.js'
import { comparisonText } from './comparison-text.js'
import { PERIODS } from '../../report/comparison.js'
import { underOneKey } from '../../report/projects.js'
import { comparisonOf, reportData, usualWindows } from '../../report/report-data.js'

/** A fact about an account that is shown by its number. */
type Numbered<Fact> = Omit<Fact, 'uid'> & { readonly index: number }

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
    compare: z
      .enum(PERIODS)
      .describe('compare the last such time with the one before: day, week (7 days), fortnight')
      .optional(),
  },
  userOnly: ['html', 'force', 'compare'],
  watch: ({ html }) => (html === undefined ? LOCAL_PACE : undefined),
  async run(runtime, { html: wanted, force = false, compare }, context) {
    if (wanted === '')
      throw new CodexError('invalid_input', 'Argument html needs the name of a file.')
    const pool = await runtime.store.read()
    const views = viewsOf(runtime, pool, context)
    const { counters } = runtime.metrics.snapshot()
    const nowMs = runtime.clock.now()
    const entries = underOneKey(await runtime.history.read(), runtime.scope.project)
    const report =
      wanted === undefined
        ? undefined
        : givenPath(wanted, { directory: context.directory, home: runtime.paths.home })
    if (report !== undefined)
      await writeOwnFile(
        report,
        renderReport(reportData({ views, entries, nowMs, compare })),
        REPORT_MARK,
        force,
      )
    // An account at a limit comes back within the time that is forecast.
    const serving = views.filter(({ state }) => canServe(state) || state.kind === 'limited')
    const indexOf = (uid: string): number => views.find((view) => view.uid === uid)?.index ?? 0
    return {
      accounts: views.map((view) => rowOf(view, pool, nowMs, context)),
      unreadable: unreadableRecords(pool).length,
      usable: views.filter(({ state }) => canServe(state)).length,
      pool: poolLevels(views),
      strategy: runtime.config.rotationStrategy,
      retryProfile: runtime.config.retryProfile,
      requests: {
        completed: counters['requests.completed'] ?? 0,
        failed: counters['requests.failed'] ?? 0,
        attempts: counters.attempts ?? 0,
      },
      /** Null when the history says too little. */
      forecast: poolForecastOf(entries, serving.map(usualWindows), nowMs) ?? null,
      /** What was used through this plugin on this machine; `usd` is what the public API would have cost, not a charge. */
      use: {
        today: valueSince(new Date(nowMs).setHours(0, 0, 0, 0), entries, views),
        week: valueSince(nowMs - WEEK_MS, entries, views),
        pricesDate: PRICES_DATE,
      },
      /** What an answer takes of a window, learned from the history. */
      turnShares: views.flatMap(({ uid, index }) =>
        turnShares(entries, uid).map((share) => ({ ...share, index })),
      ),
      /** What moving the session of the newest answer to each other account would cost. */
      moveCosts: moveCosts(
        entries,
        views.map(({ uid }) => uid),
      ).map(({ uid, ...cost }) => ({ ...cost, index: indexOf(uid) })),
      ...(compare !== undefined && {
        /** The last such time beside the one before; what is not known in a period is null. */
        comparison: comparisonOf(views, entries, compare, nowMs),
      }),
      recommendedNextAction: nextAction(views, nowMs),
      ...(report !== undefined && { report: { path: report } }),
    }
  },
  render(data, view) {
    if (data.report !== undefined) return `Report written to ${data.report.path}.`
    const unreadable = data.unreadable === 0 ? [] : [unreadableText(data.unreadable)]
    if (data.accounts.length === 0) return [NO_ACCOUNT, ...unreadable].join('\n')
    const left = (picture?: typeof bar): Column<AccountRow> => ({
      title: 'Left',
      value: (row) => windowsCell(row, picture),
      priority: 1,
    })
    const [whole, ...shorter] = accountBeginnings(view.nowMs)
    const forms = [
      [...whole, left(bar)],
      ...[whole, ...shorter].map((beginning) => [...beginning, left()]),
    ]
    const table = renderFitting(data.accounts, forms, view.width)
    const pool = data.pool
      .map((one) =>
        toned({
          text: `${one.window} ${percentText(one.leftPercent)}`,
          tone: leftTone(one.leftPercent),
        }),
      )
      .join(', ')
    return [
      table,
      '',
      `Pool: ${servingText(data.usable, data.accounts.length)} can serve${pool === '' ? '' : `, left on average ${pool}`}. Strategy ${data.strategy}, retries ${data.retryProfile}.`,
      `This process: ${data.requests.completed} answered, ${data.requests.failed} failed, ${data.requests.attempts} sent.`,
      poolText(data.forecast ?? undefined, view.nowMs),
      ...useLines(data.use.today, data.use.week),
      ...data.turnShares.map(shareLine),
      ...moveLines(data.moveCosts),
      ...(data.comparison === undefined ? [] : ['', comparisonText(data.comparison, view), '']),
      data.recommendedNextAction,
      ...unreadable,
    ].join('\n')
  },
})

const WEEK_MS = 7 * 86_400_000

/** What is left on average over the enabled accounts with a reading, by window of the usual family. */
function poolLevels(views: readonly AccountView[]) {
  const windows = views
    .filter(({ enabled }) => enabled)
    .flatMap((view) => view.windows.filter(({ limitId }) => limitId === DEFAULT_LIMIT_ID))
  return [...new Set(windows.map(({ name }) => name))].map((name) => {
    const left = windows.filter((one) => one.name === name).map(({ leftPercent }) => leftPercent)
    const mean = left.reduce((sum, one) => sum + one, 0) / left.length
    return { window: name, leftPercent: mean, accounts: left.length }
  })
}

/** Answers of an API key are billed: they have no equivalent. */
function valueSince(
  fromMs: number,
  entries: readonly HistoryEntry[],
  views: readonly AccountView[],
): ApiValue {
  const keys = new Set(views.filter(({ kind }) => kind === 'api-key').map(({ uid }) => uid))
  const turns = entries
    .filter((entry) => entry.type === 'turn')
    .filter(({ atMs }) => atMs >= fromMs)
  const { usd, unpricedModels } = apiValue(turns.filter(({ uid }) => !keys.has(uid)))
  return { ...apiValue(turns), usd, unpricedModels }
}

function useLines(today: ApiValue, week: ApiValue): string[] {
  if (week.turns === 0) return []
  const line = (name: string, use: ApiValue): string =>
    `${name}: ${counted(use.turns, 'answer')}, ${tokens(use.inputTokens)} tokens in (${tokens(use.cachedTokens)} cached), ${tokens(use.outputTokens)} out, API-equivalent ${usd(use)}.`
  return [
    line('Today', today),
    line('Last 7 days', week),
    `API-equivalent is not a charge: your plan pays. Public prices of ${PRICES_DATE}${week.unpricedModels.length === 0 ? '' : `; not known for ${week.unpricedModels.join(', ')}`}.`,
  ]
}

function shareLine({ index, kind, turns, low, mid, high }: Numbered<TurnShare>): string {
  return `Account ${index}: the last ${turns === 1 ? 'answer' : counted(turns, 'answer')} took about ${sharePercent(mid)} of the ${windowName(kind)} window each (80%: ${sharePercent(low)} to ${sharePercent(high)}).`
}

function moveLines(costs: readonly Numbered<MoveCost>[]): string[] {
  const [first] = costs
  if (first === undefined) return []
  const shares = costs.flatMap(({ index, shares: list }) =>
    list.map(
      ({ kind, low, mid, high }) =>
        `on account ${index} about ${sharePercent(mid)} of the ${windowName(kind)} window (80%: ${sharePercent(low)} to ${sharePercent(high)})`,
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

function bar(leftPercent: number): string {
  return `${'█'.repeat(Math.round(leftPercent / 12.5)).padEnd(8, '░')} `
}
