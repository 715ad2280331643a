import type { Runtime } from './runtime.js'
import { TOOLS } from './tools/index.js'
import { callForModel, type ModelContext } from './tools/model-call.js'
import { profileCost } from './tools/profiles.js'
import { checkedArguments } from './tools/run-tool.js'
import { codexPersonality } from './tools/setup/codex-personality.js'

export { outputPrompt } from './slash-commands/commands.js'
export { runSlashCommand } from './tools/slash-command.js'

/**
 * A call by the model, by the name of the tool.
 * @returns what the model reads
 * @throws CodexError for what the model may not ask for, and whatever the tool throws
 */
export async function callByName(
  runtime: Runtime,
  name: string,
  given: Record<string, unknown>,
  context: ModelContext,
): Promise<string> {
  const tool = [...TOOLS, codexPersonality].find((one) => one.name === name)
  if (tool === undefined) throw new Error(`There is no tool codex-${name}.`)
  return callForModel(tool, runtime, given, context)
}

/** Tools that tell what is in the memory of the process that sends the requests. */
const OF_THIS_PROCESS = ['status', 'metrics', 'diag']

/**
 * What such a tool comes to, for the TUI of this process, which shows it.
 * @returns undefined for every other tool
 */
export async function dataForTui(runtime: Runtime, asked: unknown): Promise<unknown> {
  const { name, args, includeSensitive } = asked as {
    readonly name: string
    readonly args: Readonly<Record<string, unknown>>
    readonly includeSensitive: boolean
  }
  const tool = TOOLS.find((one) => one.name === name)
  if (tool === undefined || !OF_THIS_PROCESS.includes(name)) return undefined
  await runtime.ledger.load()
  return tool.run(runtime, checkedArguments(tool, args), {
    signal: new AbortController().signal,
    progress: () => undefined,
    includeSensitive,
    width: Infinity,
    directory: runtime.directory,
    caller: 'user',
    profileCost,
  }) as Promise<unknown>
}
