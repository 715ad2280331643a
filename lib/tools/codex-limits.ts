import * as z from 'zod'

import type { Account } from '../accounts/account.js'
import { unreadableRecords, unreadableText } from '../accounts/unreadable.js'
import { paceText } from '../forecast/pace-text.js'
import { formatDuration, formatWhen } from '../kernel/moments.js'
import type { Forecast } from '../forecast/types.js'
import { budgetToStayOnPace } from '../forecast/window.js'
import { forecastOf } from '../history/forecasts.js'
import { CodexError, messageOf } from '../kernel/errors.js'
import { redactText } from '../kernel/redact.js'
import { renderTable } from '../kernel/table.js'
import { readUsage } from '../quota/usage-client.js'
import { DEFAULT_LIMIT_ID } from '../routing/limits.js'
import type { Runtime } from '../runtime.js'
import { accountArg, findAccount } from './account-ref.js'
import {
  type AccountRow,
  accountRows,
  percentLeft,
  shortName,
  type WindowRow,
} from './account-row.js'
import { defineTool, type ToolContext } from './definition.js'

/** One account with a fresh reading, or why there is none. */
type LimitsRow = Omit<AccountRow, 'windows'> & {
  readonly windows: readonly LimitsWindow[]
  /** Null when the reading worked. */
  readonly error: string | null
  readonly credits: {
    readonly hasCredits: boolean
    readonly unlimited: boolean
    readonly balance?: string | undefined
  } | null
}

/** A window and what is expected of it; null when the history says too little. */
type LimitsWindow = WindowRow & { readonly forecast: Forecast | null }

interface LimitsData {
  /** Records of the file that hold no login that can be read. */
  readonly unreadable: number
  readonly accounts: readonly LimitsRow[]
}

/** Readings asked for at the same time. */
const PARALLEL = 4

/** `codex-limits`. */
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
  async run(runtime, { account, cached }, context): Promise<LimitsData> {
    const pool = await runtime.store.read()
    const chosen =
      account === undefined
        ? pool.accounts
        : [findAccount(pool, account, runtime.config.maskEmail).account]
    const errors = new Map<string, string>()
    if (cached !== true) await readAll(runtime, chosen, errors, context)
    const uids = new Set(chosen.map(({ uid }) => uid))
    const entries = await runtime.history.read()
    const nowMs = runtime.clock.now()
    const rows = accountRows(runtime, pool, context).filter((_row, position) =>
      uids.has(pool.accounts[position]?.uid ?? ''),
    )
    return {
      unreadable: unreadableRecords(pool).length,
      accounts: rows.map((row) => {
        const uid = pool.accounts[row.index - 1]?.uid ?? ''
        const windows = row.windows.map((one): LimitsWindow => {
          const window = runtime.ledger
            .windowsByLimit(uid, nowMs)
            [one.limitId]?.find(({ kind }) => kind === one.kind)
          return {
            ...one,
            forecast:
              (window && forecastOf(entries, { uid, limitId: one.limitId, window }, nowMs)) ?? null,
          }
        })
        return {
          ...row,
          windows,
          error: errors.get(uid) ?? null,
          credits: runtime.ledger.of(uid)?.credits ?? null,
        }
      }),
    }
  },
  render(data, view) {
    const unreadable = data.unreadable === 0 ? [] : [unreadableText(data.unreadable)]
    if (data.accounts.length === 0)
      return ['No account is signed in. Run: opencode auth login', ...unreadable].join('\n')
    const lines = data.accounts.flatMap((row) => {
      const windows: readonly (LimitsWindow | undefined)[] =
        row.windows.length === 0 ? [undefined] : row.windows
      return windows.map((window) => ({ row, window }))
    })
    const table = renderTable(
      lines,
      [
        { title: '#', value: ({ row }) => String(row.index), align: 'right' },
        { title: 'Account', value: ({ row }) => shortName(row) },
        {
          title: 'Window',
          value: ({ window }) => (window === undefined ? '-' : windowName(window)),
        },
        {
          title: 'Left',
          value: ({ window }) => (window === undefined ? '-' : percentLeft(window.leftPercent)),
          align: 'right',
        },
        {
          title: 'Resets',
          value: ({ window }) =>
            window?.resetsAtMs == null ? '-' : formatWhen(window.resetsAtMs, view.nowMs),
        },
        {
          title: 'Read',
          value: ({ row, window }) =>
            row.error ??
            (window === undefined
              ? 'no reading'
              : `${formatDuration(view.nowMs - window.observedAtMs)} ago`),
          priority: 1,
        },
      ],
      view.width,
    )
    const paces = lines.flatMap(({ row, window }) => {
      const text = paceText(window?.forecast ?? undefined, view.nowMs)
      return window === undefined || text === ''
        ? []
        : [
            `${row.index} ${shortName(row)}, ${windowName(window)}: at this pace ${text}.${budgetText(window, view.nowMs)}`,
          ]
    })
    const notes = [...paces, ...unreadable]
    return notes.length === 0 ? table : [table, '', ...notes].join('\n')
  },
  // A disabled account beside others is left out on purpose.
  failed: ({ accounts }) =>
    accounts.some((row) => row.error !== null && (row.enabled || accounts.length === 1)),
})

function windowName({ name, limitId }: WindowRow): string {
  return limitId === DEFAULT_LIMIT_ID ? name : `${name} ${limitId}`
}

const DAY_MS = 86_400_000

/** What would last, where the pace of now does not. */
function budgetText({ forecast, leftPercent, resetsAtMs }: LimitsWindow, nowMs: number): string {
  if (forecast?.runsOutAtMs?.mid === undefined) return ''
  const budget = budgetToStayOnPace(100 - leftPercent, resetsAtMs ?? undefined, nowMs)
  const isDayAhead = (resetsAtMs ?? 0) - nowMs >= DAY_MS
  return budget === undefined
    ? ''
    : ` To last: ${budget.perHour.toFixed(1)} % an hour${isDayAhead ? `, ${budget.nextDay.toFixed(0)} % in the next day` : ''}.`
}

async function readAll(
  runtime: Runtime,
  accounts: readonly Account[],
  errors: Map<string, string>,
  context: ToolContext,
): Promise<void> {
  const waiting = accounts.filter((account) => account.kind !== 'api-key')
  const total = waiting.length
  let done = 0
  const work = async (): Promise<void> => {
    for (let account = waiting.shift(); account !== undefined; account = waiting.shift()) {
      const { uid } = account
      await refreshReading(runtime, account, context.signal).catch((error: unknown) => {
        if (context.signal.aborted) throw error
        errors.set(uid, redactText(messageOf(error)))
      })
      done += 1
      context.progress(`${done} of ${total} accounts read`)
    }
  }
  await Promise.all(Array.from({ length: PARALLEL }, work))
  await runtime.ledger.flush()
}

/**
 * Reads the quota of one account anew; a failed reading changes nothing.
 * @throws CodexError when it cannot be had
 */
export async function refreshReading(
  runtime: Runtime,
  account: Account,
  signal: AbortSignal,
): Promise<void> {
  const { clock, fetch, endpoints, userAgent, ledger, tokens } = runtime
  if (account.enabled === false)
    throw new CodexError('account_not_allowed', 'Disabled; not asked.', { hint: '' })
  const grant = await tokens.access(account, signal)
  const reading = await readUsage(
    { fetch, backend: endpoints.backend, userAgent, now: () => clock.now() },
    { token: grant.token, accountId: account.accountId },
    signal,
  )
  ledger.observe(account.uid, reading, clock.now())
}
