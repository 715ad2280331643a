import * as z from 'zod'

import { findAccount } from '../../account-view/find-account.js'
import { leftTone } from '../../account-view/tones.js'
import type { WindowView } from '../../account-view/view.js'
import { percentText, windowName } from '../../account-view/words.js'
import { unreadableRecords, unreadableText } from '../../accounts/store/unreadable.js'
import { paceText } from '../../account-view/forecast-words.js'
import type { Forecast } from '../../forecast/types.js'
import { budgetToStayOnPace } from '../../forecast/window.js'
import type { HistoryEntry } from '../../history/entries.js'
import { forecastOf } from '../../history/estimates.js'
import { formatAge, formatMoment, formatWhen } from '../../kernel/text/moments.js'
import { type Column, fits, renderTable } from '../../kernel/text/table.js'
import {
  type AccountRow,
  NO_ACCOUNT,
  problemLines,
  rowOf,
  SHORTEST_NAME,
  shortName,
  viewsOf,
} from '../account-rows.js'
import { accountArg } from '../accounts/account-edit.js'
import { BACKEND_PACE, defineTool, LOCAL_PACE } from '../definition.js'
import { readAllLimits } from '../read-limits.js'

/** A window and what is expected of it; null when the history says too little. */
type LimitsWindow = AccountRow['windows'][number] & { readonly forecast: Forecast | null }

export const codexLimits = defineTool({
  name: 'limits',
  group: 'Daily use',
  summary: 'Ask the backend what is left of each limit, when it resets, and whether it lasts.',
  risk: 'read',
  args: {
    account: accountArg.optional(),
    cached: z.boolean().describe('show what is known without asking the backend').optional(),
  },
  positional: ['account'],
  core: true,
  watch: ({ cached }) => (cached === true ? LOCAL_PACE : BACKEND_PACE),
  async run(runtime, { account, cached }, context) {
    const pool = await runtime.store.read()
    const chosen =
      account === undefined
        ? pool.accounts
        : [findAccount(pool, account, runtime.config.maskEmail).account]
    const errors = cached === true ? undefined : await readAllLimits(runtime, chosen, context)
    const uids = new Set(chosen.map(({ uid }) => uid))
    const entries = await runtime.history.read()
    const nowMs = runtime.clock.now()
    return {
      unreadable: unreadableRecords(pool).length,
      accounts: viewsOf(runtime, pool, context)
        .filter(({ uid }) => uids.has(uid))
        .map((view) => {
          const row = rowOf(view, pool, nowMs, context)
          return {
            ...row,
            windows: row.windows.map((window, place): LimitsWindow => ({
              ...window,
              forecast: forecastOfView(entries, view.uid, view.windows[place], nowMs),
            })),
            /** Null when the reading worked. */
            error: errors?.get(view.uid) ?? null,
            credits: runtime.ledger.of(view.uid)?.credits ?? null,
          }
        }),
    }
  },
  render(data, view) {
    const unreadable = data.unreadable === 0 ? [] : [unreadableText(data.unreadable)]
    if (data.accounts.length === 0) return [NO_ACCOUNT, ...unreadable].join('\n')
    const lines = data.accounts.flatMap((row) => {
      const windows: readonly (LimitsWindow | undefined)[] =
        row.windows.length === 0 ? [undefined] : row.windows
      return windows.map((window) => ({ row, window }))
    })
    const columns = (
      moment: typeof formatWhen,
      isShort = false,
    ): readonly Column<(typeof lines)[number]>[] => [
      { title: '#', value: ({ row }) => String(row.index), align: 'right' },
      {
        title: 'Account',
        value: ({ row }) => shortName(row),
        cutTo: isShort ? SHORTEST_NAME : Infinity,
      },
      {
        title: 'Window',
        value: ({ window }) =>
          window === undefined ? '-' : windowName(window.kind, window.limitId),
      },
      {
        title: 'Left',
        value: ({ window }) =>
          window === undefined
            ? '-'
            : [{ text: percentText(window.leftPercent), tone: leftTone(window.leftPercent) }],
        align: 'right',
      },
      {
        title: 'Resets',
        value: ({ window }) =>
          window?.resetsAtMs == null ? '-' : moment(window.resetsAtMs, view.nowMs),
      },
      {
        title: 'Read',
        value: ({ row, window }) =>
          row.error === null
            ? window === undefined
              ? 'no reading'
              : formatAge(view.nowMs - window.observedAtMs)
            : [{ text: isShort ? 'not read' : row.error, tone: row.enabled ? 'bad' : 'faint' }],
        priority: 1,
      },
    ]
    const whole = [columns(formatWhen), columns(formatMoment)].find((form) =>
      fits(lines, form, view.width),
    )
    const table = renderTable(lines, whole ?? columns(formatMoment, true), view.width)
    const problems = whole === undefined ? problemLines(data.accounts) : []
    const paces = lines.flatMap(({ row, window }) => {
      const text = paceText(window?.forecast ?? undefined, view.nowMs)
      return window === undefined || text === ''
        ? []
        : [
            `${row.index} ${shortName(row)}, ${windowName(window.kind, window.limitId)}: at this pace ${text}.${budgetText(window, view.nowMs)}`,
          ]
    })
    const notes = [...problems, ...paces, ...unreadable]
    return notes.length === 0 ? table : [table, '', ...notes].join('\n')
  },
  // A disabled account beside others is left out on purpose.
  failed: ({ accounts }) =>
    accounts.some((row) => row.error !== null && (row.enabled || accounts.length === 1)),
})

const DAY_MS = 86_400_000

/** Of the time after a reset nothing is claimed. */
function forecastOfView(
  entries: readonly HistoryEntry[],
  uid: string,
  view: WindowView | undefined,
  nowMs: number,
): Forecast | null {
  const { limitId, reading: window } = view ?? {}
  if (limitId === undefined || window === undefined) return null
  if (window.resetsAtMs !== undefined && window.resetsAtMs <= nowMs) return null
  return forecastOf(entries, { uid, limitId, window }, nowMs) ?? null
}

/** What would last, where the pace of now does not. */
function budgetText({ forecast, leftPercent, resetsAtMs }: LimitsWindow, nowMs: number): string {
  if (forecast?.runsOutAtMs?.mid === undefined) return ''
  const budget = budgetToStayOnPace(100 - leftPercent, resetsAtMs ?? undefined, nowMs)
  const isDayAhead = (resetsAtMs ?? 0) - nowMs >= DAY_MS
  return budget === undefined
    ? ''
    : ` To last: ${budget.perHour.toFixed(1)}% an hour${isDayAhead ? `, ${budget.nextDay.toFixed(0)}% in the next day` : ''}.`
}
