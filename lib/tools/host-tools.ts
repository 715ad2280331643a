import type { Hooks } from '@opencode-ai/plugin'
import type { Config } from '../config/settings.js'
import type { Runtime } from '../runtime.js'
import type { AnyTool } from './definition.js'
import { hostArgs, profileCost, toolsOfProfile } from './profiles.js'
import { runTool } from './run-tool.js'

type HostTools = NonNullable<Hooks['tool']>

/** Columns of text that a model or a dialog gets. */
const TEXT_WIDTH = 100

/**
 * The tools of a profile in the host's shape (host facts §5).
 * @param runtime asked for when a tool runs
 */
export function hostTools(profile: Config['tools'], runtime: () => Promise<Runtime>): HostTools {
  return Object.fromEntries(toolsOfProfile(profile).map((tool) => [`codex-${tool.name}`, hostTool(tool, runtime)]))
}

function hostTool(tool: AnyTool, runtime: () => Promise<Runtime>): HostTools[string] {
  return {
    description: tool.summary,
    // The host's types name its own copy of zod; at run time any copy of version 4 will do (host facts §5).
    args: hostArgs(tool) as never,
    async execute(given: Record<string, unknown>, context) {
      const { json, ...args } = given
      const { text } = await runTool(
        tool,
        await runtime(),
        { args, format: json === true ? 'json' : 'text', view: { width: TEXT_WIDTH, color: false } },
        // Addresses and ids are for the user's own terminal: the model and its provider get names only.
        { signal: context.abort, progress: () => undefined, includeSensitive: false, directory: context.directory, profileCost },
      )
      return { title: tool.name, output: text, metadata: {} }
    },
  }
}
