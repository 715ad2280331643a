import { machineMark } from './same-machine.js'
import { TOOL_SUMMARIES } from './tool-list.js'

/** A command as OpenCode's configuration takes it (docs/development/facts/opencode-host.md#slash-commands). */
export interface SlashCommand {
  readonly description: string
  readonly template: string
}

/**
 * Every tool as a slash command. The template asks for nothing: the host runs what looks like a shell word in it, also in
 * the arguments it puts in, so ours stay out of it (the host drops what no placeholder takes up to the one named last), and
 * the plugin puts the output in their place before the prompt is sent.
 * @param root of our data, by which a TUI of this machine knows the commands for its own
 */
export function slashCommands(root: string): Record<string, SlashCommand> {
  const template = TEMPLATE + machineMark(root)
  return Object.fromEntries(
    Object.entries(TOOL_SUMMARIES).map(([name, description]) => [
      `codex-${name}`,
      { description: `${description} ${COST}`, template },
    ]),
  )
}

/** Every client of the server reads it, also a TUI that runs the command itself. */
const COST = 'Costs a turn of the model, but not in a TUI on the same machine that has this plugin.'

/** Seen by the model only when the output could not be put in. The number is larger than any line has words. */
const TEMPLATE = 'Tell the user that the command gave no output.$999999'

/** The prompt that hands the output to the model. */
export function outputPrompt(output: string): string {
  const fence = '`'.repeat(
    Math.max(3, ...[...output.matchAll(/`+/g)].map(([run]) => run.length + 1)),
  )
  return `Show the user the following output as it is, in a code block, without comment and without calling a tool:\n\n${fence}\n${output}\n${fence}`
}
