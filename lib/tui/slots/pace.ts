import type { AccountView, WindowView } from '../../account-view/view.js'
import { dropUndefined } from '../../kernel/drop-undefined.js'
import type { Forecast } from '../../forecast/types.js'
import { usualWindows } from '../status-line.js'
import type { Pace } from './sidebar-lines.js'

/**
 * What to say of an account's pace: the window that is expected to be empty first, else the longest that lasts. Undefined
 * where no window has a forecast. Pure.
 */
export function paceOf(
  account: AccountView,
  forecastOf: (window: WindowView) => Forecast | undefined,
): Pace | undefined {
  const told = usualWindows(account).flatMap((window) => {
    const forecast = forecastOf(window)
    return forecast === undefined ? [] : [{ window, ...forecast }]
  })
  const emptying = told
    .filter(({ runsOutAtMs }) => runsOutAtMs?.mid !== undefined)
    .sort((left, right) => (left.runsOutAtMs?.mid ?? 0) - (right.runsOutAtMs?.mid ?? 0))
  const { window, runsOutAtMs, resetsAtMs } = emptying[0] ?? told.at(-1) ?? {}
  if (window === undefined) return undefined
  return dropUndefined({ window: window.name, runsOutAtMs, resetsAtMs })
}

/** A forecast changes slowly: it is made again this long after the last one at the earliest, ms. */
const PACE_EVERY_MS = 60_000

/**
 * Keeps the pace of the accounts that are shown. It is computed when a reading has changed, at most once a minute, by what
 * only then is loaded.
 * @param compute rejects where there is no forecast to be had; then there is none
 * @param onChange something new can be shown
 */
export function createPaces(deps: {
  readonly compute: (
    accounts: readonly AccountView[],
    nowMs: number,
  ) => Promise<ReadonlyMap<string, Pace>>
  readonly onChange: () => void
}) {
  let paces: ReadonlyMap<string, Pace> = new Map()
  let [computed, nextMs] = ['', 0]
  let timer: NodeJS.Timeout | undefined
  let wanted: readonly AccountView[] = []

  async function run(): Promise<void> {
    timer = undefined
    const nowMs = Date.now()
    nextMs = nowMs + PACE_EVERY_MS
    computed = readingsOf(wanted)
    const found = await deps.compute(wanted, nowMs).catch(() => undefined)
    if (found === undefined) return
    paces = found
    deps.onChange()
  }

  return {
    of: (uid: string): Pace | undefined => paces.get(uid),
    /** These accounts are shown now. */
    follow(accounts: readonly AccountView[]): void {
      wanted = accounts
      if (timer !== undefined || readingsOf(wanted) === computed) return
      timer = setTimeout(() => void run(), Math.max(0, nextMs - Date.now())).unref()
    },
    close(): void {
      clearTimeout(timer)
    },
  }
}

function readingsOf(accounts: readonly AccountView[]): string {
  return JSON.stringify(
    accounts.map((account) => [account.uid, usualWindows(account).map(({ reading }) => reading)]),
  )
}
