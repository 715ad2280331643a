import { performAction } from './account-view/actions.js'
import { accountDetails } from './account-view/details.js'
import { backupsDirOf } from './accounts/store/pool-file.js'
import { resolvePoolScope } from './accounts/project/project.js'
import { createAccountStore } from './accounts/store/store.js'
import { loadConfig } from './loaded-config.js'
import { parseLines } from './history/lines.js'
import { systemClock } from './kernel/clock.js'
import { CodexError, messageOf } from './kernel/errors.js'
import { MAX_FOREIGN_BYTES, readBoundedFile } from './kernel/files/bounded-file.js'
import { resolvePaths } from './kernel/files/paths.js'
import { commandsIn } from './kernel/text/command-words.js'
import { redactText } from './kernel/text/redact.js'
import { openRuntime } from './open-runtime.js'
import { readLimits } from './tools/read-limits.js'
import type { DialogChunk } from './tui/dialog-chunk.js'

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
