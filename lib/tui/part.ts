import type { TuiPluginApi } from '@opencode-ai/plugin/tui'

import type { Config } from '../config/settings.js'
import type { Paths } from '../kernel/files/paths.js'
import type { PoolView } from './pool-view.js'

/** What every part of the plugin stands on. */
export interface PartDeps {
  readonly api: TuiPluginApi
  readonly paths: Paths
  readonly config: Config
  /** The pool as the files say it now; a signal. */
  readonly view: () => PoolView | undefined
  /** Moves on with every view and tick, ms; a signal. */
  readonly now: () => number
}
