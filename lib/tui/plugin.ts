import type { TuiPlugin } from '@opencode-ai/plugin/tui'
import { createSignal } from 'solid-js'

import { resolvePoolScope } from '../accounts/project/project.js'
import { loadConfig } from '../loaded-config.js'
import { messageOf } from '../kernel/errors.js'
import { resolvePaths } from '../kernel/files/paths.js'
import { registerCommands } from './commands.js'
import { tellCommands } from './commands-told.js'
import type { PartDeps } from './part.js'
import type { PoolView } from './pool-view.js'
import { watchPool } from './pool-watch.js'
import { registerSlots } from './slots/slots.js'

/** Times and ages on the screen move on this often, ms. */
const TICK_MS = 30_000

/** What the plugin consists of. One that this host has no place for is left out, with a line in the log. */
const PARTS: Readonly<Record<string, (deps: PartDeps) => void>> = {
  commands: registerCommands,
  slots: registerSlots,
}

/** Follows the files the server plugin writes, and shows what they say. Uses no network until somebody asks for it. */
export const tui: TuiPlugin = async (api) => {
  const paths = resolvePaths(process.env)
  const { config } = loadConfig(process.env, paths, process.cwd())
  const scope = resolvePoolScope(paths, process.cwd(), config.perProjectAccounts)
  const [view, setView] = createSignal<PoolView | undefined>(undefined)
  const [now, setNow] = createSignal(Date.now())
  const stop = watchPool(
    {
      accounts: scope.file,
      quota: paths.quotaFile,
      affinity: paths.affinityFile,
      notices: paths.noticesFile,
    },
    { config, project: scope.project },
    (next) => {
      setNow(Date.now())
      setView(next)
    },
  )
  const tick = setInterval(() => setNow(Date.now()), TICK_MS)
  tick.unref()
  api.lifecycle.onDispose(() => {
    clearInterval(tick)
    stop()
  })
  for (const [name, register] of Object.entries(PARTS)) {
    const isShown = attempt(name, () => register({ api, paths, config, view, now }))
    if (name === 'commands') void tellCommands(paths.tuiFile, isShown)
  }

  function attempt(name: string, register: () => void): boolean {
    try {
      register()
      return true
    } catch (error) {
      logOnce(api, `${name} are not shown: ${messageOf(error)}`)
      return false
    }
  }
}

/** One line in the host's log; where it has none, nothing. */
function logOnce(api: Parameters<TuiPlugin>[0], message: string): void {
  try {
    api.client.app
      .log({ service: 'oc-codex-multi-auth', level: 'warn', message })
      .then(undefined, () => undefined)
  } catch {
    // A host without a log is told nothing.
  }
}
