import type { Hooks, PluginInput } from '@opencode-ai/plugin'

import { addOrchestrator } from '../collaboration/orchestrator-agent.js'
import { roleOf, SUB_AGENT_HEADER, SUB_AGENT_KIND } from '../collaboration/roles.js'
import { textOf } from '../collaboration/texts.js'
import type { Config } from '../config/settings.js'
import { systemClock } from '../kernel/clock.js'
import type { Paths } from '../kernel/files/paths.js'
import { packageVersion } from '../kernel/version.js'
import { DEFAULT_ENDPOINTS, resolveEndpoints } from '../oauth/endpoints.js'
import { createPromptCache, type PromptCache } from '../prompts/prompt-cache.js'
import { loadConfig } from '../settings-entry.js'
import { type CompactionHooks, createCompaction } from './compaction.js'
import { createHostPort } from './host-client.js'
import type { HostSettings } from './host-settings.js'
import { type InstructionPart, type InstructionParts, withParts } from './instructions.js'
import { personalityPart } from './personality-part.js'
import { createTurns, type Turns } from './turns.js'

type HostConfig = Parameters<NonNullable<Hooks['config']>>[0]

/** What our settings add to turns, by the hooks of the host. */
export interface TurnParts extends CompactionHooks {
  readonly 'chat.params': NonNullable<Hooks['chat.params']>
  readonly 'chat.headers': NonNullable<Hooks['chat.headers']>
  /** The session is deleted. */
  readonly forget: (session: string) => void
  readonly close: () => Promise<void>
}

/** What the host has to know before the first turn. */
export function prepareTurns(
  hostConfig: HostConfig,
  settings: HostSettings,
  input: PluginInput,
  paths: Paths,
): void {
  const { config } = loadConfig(process.env, paths, input.directory)
  const { compaction } = hostConfig.agent ?? {}
  if (typeof compaction?.model === 'string') settings.compactionModel = compaction.model
  settings.hasOrchestrator = config.collaboration === 'codex' && addOrchestrator(hostConfig)
}

/** What stands in the configuration when the first turn asks is in force until the host builds its instance again. */
export async function createTurnParts(
  input: PluginInput,
  paths: Paths,
  settings: HostSettings,
): Promise<TurnParts> {
  const { config } = loadConfig(process.env, paths, input.directory)
  const { client } = input
  const turns = createTurns(client)
  const prompts = promptsFor(config, client, paths)
  await prompts?.load()
  const texts = prompts ?? NO_PROMPTS
  const personality = personalityPart(config, input, { paths, env: process.env, turns })
  const parts = {
    ...(personality && { personality }),
    ...partsInForce(config, { turns, settings, texts }),
  }
  const compaction =
    config.compactionPrompt === 'codex'
      ? createCompaction({ client, prompts: texts, model: settings.compactionModel })
      : undefined
  /** Sessions whose last turn had its instructions elsewhere. */
  const others = new Set<string>()
  return {
    ...compaction?.hooks,
    async 'chat.params'(asked, output) {
      const turn = turns.of(asked)
      if (turn === undefined) return
      // Where the instructions are elsewhere, such as with an API key, nothing is added.
      const instructions: unknown = output.options.instructions
      if (typeof instructions !== 'string') return void others.add(turn.session)
      others.delete(turn.session)
      output.options.instructions = await withParts(instructions, turn, parts)
    },
    async 'chat.headers'(asked, output) {
      const turn = turns.of(asked)
      if (turn === undefined) return
      if (compaction !== undefined && turn.agent === 'compaction')
        settings.compacting.add(turn.session)
      else settings.compacting.delete(turn.session)
      if (config.collaboration !== 'codex' || others.has(turn.session)) return
      if ((await turns.placeOf(turn.session)) === 'child')
        output.headers[SUB_AGENT_HEADER] = SUB_AGENT_KIND
    },
    forget(session) {
      turns.forget(session)
      others.delete(session)
      settings.compacting.delete(session)
      compaction?.forget(session)
    },
    close: async () => prompts?.close(),
  }
}

const NO_PROMPTS: Pick<PromptCache, 'current'> = { current: () => undefined }

/** Beside the simulator nobody else is asked; undefined also where no text of the Codex CLI is wanted. */
function promptsFor(
  { collaboration, compactionPrompt }: Config,
  client: PluginInput['client'],
  paths: Paths,
): PromptCache | undefined {
  if (collaboration === 'off' && compactionPrompt === 'host') return undefined
  if (resolveEndpoints(process.env).backend !== DEFAULT_ENDPOINTS.backend) return undefined
  return createPromptCache({
    file: paths.promptsFile,
    fetch: globalThis.fetch,
    userAgent: `oc-codex-multi-auth/${packageVersion()}`,
    clock: systemClock,
    log: createHostPort(client),
  })
}

interface CollaborationDeps {
  readonly turns: Turns
  readonly settings: HostSettings
  readonly texts: Pick<PromptCache, 'current'>
}

function partsInForce(
  { collaboration }: Config,
  deps: CollaborationDeps,
): Partial<InstructionParts> {
  return {
    ...(collaboration === 'codex' && { collaboration: collaborationPart(deps) }),
  }
}

function collaborationPart({ turns, settings, texts }: CollaborationDeps): InstructionPart {
  return async ({ agent, session }) => {
    const place = await turns.placeOf(session)
    const role = roleOf({ agent, place }, settings.hasOrchestrator === true)
    if (role === undefined) return undefined
    return textOf(role, role === 'plan' ? texts.current('plan') : undefined)
  }
}
