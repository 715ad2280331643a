import type { Hooks } from '@opencode-ai/plugin'
import * as z from 'zod'

import type { Config } from '../config/settings.js'
import type { Runtime } from '../runtime.js'
import type { AnyTool } from './definition.js'
import { TOOLS } from './index.js'
import { runTool } from './run-tool.js'

type HostTools = NonNullable<Hooks['tool']>

/** Columns of text that a model or a dialog gets. */
const TEXT_WIDTH = 100

/** Tools a profile offers to the model; every definition travels with every request. */
export function toolsOfProfile(profile: Config['tools']): readonly AnyTool[] {
  switch (profile) {
    case 'off':
      return []
    case 'core':
      return TOOLS.filter((tool) => tool.core === true)
    case 'full':
      return TOOLS
  }
}

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
        { signal: context.abort, progress: () => undefined, includeSensitive: false, directory: context.directory },
      )
      return { title: tool.name, output: text, metadata: {} }
    },
  }
}

/** Beside its own arguments a tool takes `json`, except the few of the small profile, whose text is enough for a model. */
function hostArgs(tool: AnyTool): z.ZodRawShape {
  const own = tool.args as z.ZodRawShape
  return tool.core === true ? own : { ...own, json: z.boolean().optional() }
}

/** Bytes that the registered definitions add to each request, roughly as the host serialises them. */
export function definitionBytes(tools: readonly AnyTool[]): number {
  return tools.reduce((sum, tool) => {
    const parameters = z.toJSONSchema(z.object(hostArgs(tool)))
    return sum + JSON.stringify({ type: 'function', name: `codex-${tool.name}`, description: tool.summary, parameters, strict: false }).length
  }, 0)
}
