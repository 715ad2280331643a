import type { Hooks, PluginInput } from '@opencode-ai/plugin'

import type { Paths } from '../kernel/files/paths.js'
import { lazily } from '../kernel/lazy.js'
import type { HostSettings } from './host-settings.js'

/** The hooks of a turn that may do something. */
const NAMES = [
  'chat.params',
  'chat.headers',
  'experimental.session.compacting',
  'experimental.text.complete',
] as const

/** A hook whose input is only handed on. */
type AnyHook = (asked: never, output: never) => Promise<void> | void

/**
 * The hooks of a turn. They do nothing and load nothing until a setting is spoken of that adds to turns; what goes wrong in
 * an addition never keeps a turn from its answer.
 */
export function turnHooks(
  input: PluginInput,
  paths: Paths,
  settings: HostSettings,
): { readonly hooks: Pick<Hooks, (typeof NAMES)[number] | 'event'>; close(): Promise<void> } {
  const parts = lazily(async () =>
    (await import('./turn-parts.js')).createTurnParts(input, paths, settings),
  )
  const hook = (name: (typeof NAMES)[number]): readonly [string, AnyHook] => [
    name,
    async (asked, output) => {
      if (settings.shapesTurns !== true) return
      await parts()
        .then(({ [name]: own }) => (own as AnyHook | undefined)?.(asked, output))
        .catch(() => undefined)
    },
  ]
  return {
    hooks: {
      ...(Object.fromEntries(NAMES.map(hook)) as Hooks),
      async event({ event }) {
        if (event.type === 'session.deleted') parts.ready()?.forget(event.properties.info.id)
      },
    },
    async close() {
      await parts
        .started()
        ?.then(({ close }) => close())
        .catch(() => undefined)
    },
  }
}
