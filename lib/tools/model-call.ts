import type { ToolContext as HostContext } from '@opencode-ai/plugin'

import { errorAt, isCodexError } from '../kernel/errors.js'
import type { Runtime } from '../runtime.js'
import type { AnyTool } from './definition.js'
import { admittedArguments, type HostPrompt } from './model-gate.js'
import { profileCost } from './profiles.js'
import { runTool } from './run-tool.js'

/** Columns of text that a model or a dialog gets. */
export const TEXT_WIDTH = 100

/** What a call needs of the host. */
export type ModelContext = HostPrompt & Pick<HostContext, 'abort' | 'directory'>

/**
 * Runs a tool for the model, if the model may and the user agrees.
 * @param given as the model wrote it; `json` asks for JSON in place of a text
 * @returns what the model reads
 * @throws CodexError for what the model may not ask for, and whatever the tool or the host's prompt throws
 */
export async function callForModel(
  tool: AnyTool,
  runtime: Runtime,
  given: Record<string, unknown>,
  context: ModelContext,
): Promise<string> {
  const { json, ...asked } = given
  try {
    const { text } = await runTool(tool, runtime, {
      args: await admittedArguments(tool, runtime, asked, context),
      json: json === true,
      signal: context.abort,
      progress: () => undefined,
      // Addresses and ids are for the user's own terminal: the model and its provider get names only.
      includeSensitive: false,
      width: TEXT_WIDTH,
      directory: context.directory,
      caller: 'model',
      profileCost,
    })
    return text
  } catch (error) {
    throw isCodexError(error) ? errorAt(error, runtime.place()) : error
  }
}
