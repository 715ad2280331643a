import { setImmediate as nextTurn } from 'node:timers/promises'

import { performAction } from './account-view/actions.js'
import { accountDetails } from './account-view/details.js'
import type { WindowView } from './account-view/view.js'
import { backupsDirOf } from './accounts/store/pool-file.js'
import { resolvePoolScope } from './accounts/project/project.js'
import { createAccountStore } from './accounts/store/store.js'
import type { Forecast } from './forecast/types.js'
import { loadConfig } from './loaded-config.js'
import type { HistoryEntry } from './history/entries.js'
import { forecastOf } from './history/estimates.js'
import { parseLine, parseLines } from './history/lines.js'
import { systemClock } from './kernel/clock.js'
import { CodexError, messageOf } from './kernel/errors.js'
import { MAX_FOREIGN_BYTES, readBoundedFile } from './kernel/files/bounded-file.js'
import { resolvePaths } from './kernel/files/paths.js'
import { commandsIn } from './kernel/text/command-words.js'
import { redactText } from './kernel/text/redact.js'
import { openRuntime } from './open-runtime.js'
import { readLimits } from './tools/read-limits.js'
import type { DialogChunk } from './tui/dialog-chunk.js'
import { paceOf } from './tui/slots/pace.js'

const TIMEOUT_MS = 60_000

export const readLimitsNow: DialogChunk['readLimitsNow'] = async (uid, { env, directory }) => {
  const runtime = openRuntime({
    env,
    directory,
    paths: resolvePaths(env),
    host: { log: () => undefined, toast: () => undefined },
    watch: false,
  })
  const signal = AbortSignal.timeout(TIMEOUT_MS)
  try {
    const account = (await runtime.store.read()).accounts.find((one) => one.uid === uid)
    if (account === undefined)
      throw new CodexError('invalid_input', 'The account is gone.', { hint: '' })
    await runtime.ledger.load()
    await readLimits(runtime, account, signal)
    await runtime.ledger.flush()
  } catch (error) {
    throw new Error(
      signal.aborted ? 'The backend did not answer in time.' : redactText(messageOf(error)),
      { cause: error },
    )
  } finally {
    await runtime.close()
  }
}

export const performNow: DialogChunk['performNow'] = async (action, { env, directory }) => {
  const paths = resolvePaths(env)
  const { config } = loadConfig(env, paths, directory)
  const scope = resolvePoolScope(paths, directory, config.perProjectAccounts)
  // Without the vault: no action needs a secret, so the keychain asks nobody.
  const store = createAccountStore({
    path: scope.file,
    backupsDir: backupsDirOf(scope.file),
    clock: systemClock,
  })
  return commandsIn((await performAction({ store, config, scope }, action)).message, 'tui')
}

export const detailsNow: DialogChunk['detailsNow'] = async (account, historyFile, nowMs) => {
  const text = (await readBoundedFile(historyFile, MAX_FOREIGN_BYTES).catch(() => '')) ?? ''
  const isWanted = (line: string): boolean =>
    line.includes(account.uid) && /"(?:reading|turn)"/.test(line)
  const details = accountDetails(account, parseLines(text, isWanted), nowMs)
  return details.map((detail) => ({ ...detail, text: commandsIn(detail.text, 'tui') }))
}

/** Lines that are parsed in one go: between two goes the TUI draws and reads keys. */
const LINES_AT_ONCE = 500

export const pacesNow: DialogChunk['pacesNow'] = async (accounts, historyFile, nowMs) => {
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
  const forecast = (uid: string, { limitId, reading }: WindowView): Forecast | undefined =>
    forecastOf(readings, { uid, limitId, window: reading }, nowMs)
  return new Map(
    accounts.flatMap((account) => {
      const pace = paceOf(account, (window) => forecast(account.uid, window))
      return pace === undefined ? [] : [[account.uid, pace] as const]
    }),
  )
}
