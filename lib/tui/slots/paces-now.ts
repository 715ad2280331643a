import { setImmediate as nextTurn } from 'node:timers/promises'

import type { AccountView, WindowView } from '../../account-view/view.js'
import type { Forecast } from '../../forecast/types.js'
import type { HistoryEntry } from '../../history/entries.js'
import { forecastOf } from '../../history/estimates.js'
import { parseLine } from '../../history/lines.js'
import { MAX_FOREIGN_BYTES, readBoundedFile } from '../../kernel/files/bounded-file.js'
import { paceOf } from './pace.js'
import type { Pace } from './sidebar-lines.js'

/** Lines that are parsed in one go: between two goes the TUI draws and reads keys. */
const LINES_AT_ONCE = 500

/** How long each of the accounts lasts at its present pace, by uid, as far as the history file allows a claim. */
export async function pacesNow(
  accounts: readonly AccountView[],
  historyFile: string,
  nowMs: number,
): Promise<ReadonlyMap<string, Pace>> {
  const text = (await readBoundedFile(historyFile, MAX_FOREIGN_BYTES).catch(() => '')) ?? ''
  const lines = text
    .split('\n')
    .filter((line) => line.includes('"reading"') && accounts.some(({ uid }) => line.includes(uid)))
  const readings: HistoryEntry[] = []
  for (let from = 0; from < lines.length; from += LINES_AT_ONCE) {
    readings.push(
      ...lines.slice(from, from + LINES_AT_ONCE).flatMap((line) => parseLine(line) ?? []),
    )
    await nextTurn()
  }
  readings.sort((left, right) => left.atMs - right.atMs)
  const forecast = (uid: string, { limitId, reading }: WindowView): Forecast | undefined =>
    forecastOf(readings, { uid, limitId, window: reading }, nowMs)
  return new Map(
    accounts.flatMap((account) => {
      const pace = paceOf(account, (window) => forecast(account.uid, window))
      return pace === undefined ? [] : [[account.uid, pace] as const]
    }),
  )
}
