import { isCodexError, messageOf, WrongUsage } from '../kernel/errors.js'
import { commandsIn, type Place } from '../kernel/text/command-words.js'
import { redactText } from '../kernel/text/redact.js'
import type { Runtime } from '../runtime.js'
import { wordsOf } from './command-line.js'
import { TOOLS } from './index.js'
import { TEXT_WIDTH } from './model-call.js'
import { profileCost } from './profiles.js'
import { runTool } from './run-tool.js'
import { helpOf, toolCallOf } from './tool-arguments.js'

/**
 * Runs a tool for a slash command: the user's own act, so no permission is asked for. What comes back goes to the model as text, so
 * addresses and ids stay masked; a failure is told in the same way.
 * @param call `command` with the prefix `codex-`, `line` what follows it, `directory` for relative names of files
 */
export async function runSlashCommand(
  runtime: () => Promise<Runtime>,
  call: { readonly command: string; readonly line: string; readonly directory: string },
): Promise<string> {
  const { command, line, directory } = call
  try {
    const tool = TOOLS.find(({ name }) => command === `codex-${name}`)
    if (tool === undefined) throw new WrongUsage(`There is no command /${command}.`)
    const { args, json, includeSensitive, help } = toolCallOf(
      tool,
      wordsOf(line, tool.takesRest === true ? (tool.positional?.length ?? 1) - 1 : undefined),
    )
    if (help) return helpOf(tool)
    if (includeSensitive)
      throw new WrongUsage(
        'Addresses and ids in full would go to the model.',
        commandsIn(`In a terminal: {${tool.name} --include-sensitive}`, 'terminal'),
      )
    const { text } = await runTool(tool, await runtime(), {
      args,
      json,
      signal: new AbortController().signal,
      progress: () => undefined,
      includeSensitive: false,
      width: TEXT_WIDTH,
      directory,
      caller: 'user',
      profileCost,
    })
    return text
  } catch (error) {
    const hint = isCodexError(error) ? error.hint : ''
    const said = [redactText(messageOf(error)), ...(hint === '' ? [] : [hint])].join('\n')
    return commandsIn(said, await placeOf(runtime))
  }
}

/** Without a runtime nothing is known of the screen. */
async function placeOf(runtime: () => Promise<Runtime>): Promise<Place> {
  return runtime().then(
    (running) => running.place(),
    () => 'terminal',
  )
}
