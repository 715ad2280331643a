import type { Hooks, PluginInput } from '@opencode-ai/plugin'

import { addOrchestrator } from '../collaboration/orchestrator-agent.js'
import { roleOf, SUB_AGENT_HEADER, SUB_AGENT_KIND } from '../collaboration/roles.js'
import { textOf } from '../collaboration/texts.js'
import type { Config } from '../config/settings.js'
import type { Paths } from '../kernel/files/paths.js'
import { loadConfig } from '../settings-entry.js'
import type { HostSettings } from './host-settings.js'
import { type InstructionPart, type InstructionParts, withParts } from './instructions.js'
import { createTurns, type Turns } from './turns.js'

type Hook<Name extends keyof Hooks> = Extract<
  NonNullable<Hooks[Name]>,
  (...input: never[]) => unknown
>

/** What our settings add to turns. */
export interface TurnParts {
  readonly params: Hook<'chat.params'>
  readonly headers: Hook<'chat.headers'>
  /** The session is deleted. */
  forget(session: string): void
}

/** What the host has to know before the first turn. */
export function prepareTurns(
  hostConfig: Parameters<typeof addOrchestrator>[0],
  settings: HostSettings,
  input: PluginInput,
  paths: Paths,
): void {
  const { config } = loadConfig(process.env, paths, input.directory)
  settings.hasOrchestrator = config.collaboration === 'codex' && addOrchestrator(hostConfig)
}

/** What stands in the configuration when the first turn asks is in force until the host builds its instance again. */
export function createTurnParts(
  input: PluginInput,
  paths: Paths,
  settings: HostSettings,
): TurnParts {
  const { config } = loadConfig(process.env, paths, input.directory)
  const turns = createTurns(input.client)
  const parts = partsInForce(config, turns, settings)
  return {
    async params(asked, output) {
      const turn = turns.of(asked)
      if (turn === undefined) return
      // Where the instructions are elsewhere, such as with an API key, nothing is added.
      const instructions: unknown = output.options.instructions
      if (typeof instructions !== 'string') return
      output.options.instructions = await withParts(instructions, turn, parts)
    },
    async headers(asked, output) {
      const turn = turns.of(asked)
      if (turn === undefined || config.collaboration !== 'codex') return
      if ((await turns.placeOf(turn.session)) === 'child')
        output.headers[SUB_AGENT_HEADER] = SUB_AGENT_KIND
    },
    forget: (session) => turns.forget(session),
  }
}

function partsInForce(
  { collaboration }: Config,
  turns: Turns,
  settings: HostSettings,
): Partial<InstructionParts> {
  return {
    ...(collaboration === 'codex' && { collaboration: collaborationPart(turns, settings) }),
  }
}

function collaborationPart(turns: Turns, { hasOrchestrator }: HostSettings): InstructionPart {
  return async ({ agent, session }) => {
    const role = roleOf({ agent, place: await turns.placeOf(session) }, hasOrchestrator === true)
    return role === undefined ? undefined : textOf(role, undefined)
  }
}
