import type { Hooks, PluginInput } from '@opencode-ai/plugin'

import type { Paths } from '../kernel/files/paths.js'
import { loadConfig } from '../settings-entry.js'
import { type InstructionParts, withParts } from './instructions.js'
import { personalityPart } from './personality-part.js'
import { createTurns } from './turns.js'

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

/** What stands in the configuration when the first turn asks is in force until the host builds its instance again. */
export function createTurnParts(
  input: PluginInput,
  paths: Paths,
  env: NodeJS.ProcessEnv,
): TurnParts {
  const { config } = loadConfig(env, paths, input.directory)
  const turns = createTurns(input.client)
  const personality = personalityPart(config, input, { paths, env, turns })
  const parts: Partial<InstructionParts> = { ...(personality && { personality }) }
  return {
    async params(asked, output) {
      const turn = turns.of(asked)
      if (turn === undefined) return
      // Where the instructions are elsewhere, such as with an API key, nothing is added.
      const instructions: unknown = output.options.instructions
      if (typeof instructions !== 'string') return
      output.options.instructions = await withParts(instructions, turn, parts)
    },
    async headers() {
      // Set with the collaboration.
    },
    forget: (session) => turns.forget(session),
  }
}
