import type { Hooks } from '@opencode-ai/plugin'
import { errorAt, isCodexError } from '../kernel/errors.js'
import type { Runtime } from '../runtime.js'
import type { AnyTool } from './definition.js'
import { admittedArguments } from './model-gate.js'
import { hostArgs, profileCost } from './profiles.js'
import { runTool } from './run-tool.js'

type HostTools = NonNullable<Hooks['tool']>

/** Columns of text that a model or a dialog gets. */
export const TEXT_WIDTH = 100

/**
 * Tools in the host's shape, for the model (docs/development/facts/opencode-host.md#tools).
 * @param runtime asked for when a tool runs
 */
export function hostTools(tools: readonly AnyTool[], runtime: () => Promise<Runtime>): HostTools {
  return Object.fromEntries(tools.map((tool) => [`codex-${tool.name}`, hostTool(tool, runtime)]))
}

function hostTool(tool: AnyTool, runtime: () => Promise<Runtime>): HostTools[string] {
  return {
    description: tool.summary,
    // The host's types name its own copy of zod; at run time any copy of version 4 will do
    // (docs/development/facts/opencode-host.md#tools).
    args: hostArgs(tool) as never,
    async execute(given: Record<string, unknown>, context) {
      const { json, ...asked } = given
      const running = await runtime()
      const { text } = await admittedArguments(tool, running, asked, context)
        .then((args) =>
          runTool(tool, running, {
            args,
            json: json === true,
            signal: context.abort,
            progress: () => undefined,
            // Addresses and ids are for the user's own terminal: the model and its provider get names only.
            includeSensitive: false,
            width: TEXT_WIDTH,
            directory: context.directory,
            caller: 'model',
            profileCost,
          }),
        )
        .catch((error: unknown) => {
          throw isCodexError(error) ? errorAt(error, running.place()) : error
        })
      return { title: tool.name, output: text, metadata: {} }
    },
  }
}
