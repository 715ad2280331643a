import type { Hooks, PluginInput } from '@opencode-ai/plugin'

import type { Paths } from '../kernel/files/paths.js'
import { lazily } from '../kernel/lazy.js'
import type { HostSettings } from './config-hook.js'
import type { TurnParts } from './turn-parts.js'

type TurnHooks = Pick<Hooks, 'chat.params' | 'chat.headers' | 'event'>

/**
 * The hooks of a turn. They do nothing and load nothing until a setting is spoken of that adds to turns; what goes wrong in
 * an addition never keeps a turn from its answer.
 */
export function turnHooks(input: PluginInput, paths: Paths, settings: HostSettings): TurnHooks {
  const parts = lazily(async () =>
    (await import('./turn-parts.js')).createTurnParts(input, paths, process.env),
  )
  const withParts = async (use: (parts: TurnParts) => Promise<void> | void): Promise<void> => {
    if (settings.shapesTurns !== true) return
    try {
      await use(parts.ready() ?? (await parts()))
    } catch {
      // The turn goes on as it would without us.
    }
  }
  return {
    'chat.params': (asked, output) => withParts(({ params }) => params(asked, output)),
    'chat.headers': (asked, output) => withParts(({ headers }) => headers(asked, output)),
    async event({ event }) {
      if (event.type === 'session.deleted') parts.ready()?.forget(event.properties.info.id)
    },
  }
}
