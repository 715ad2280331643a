import { fileURLToPath } from 'node:url'

import { TOOL_LIST } from './tool-list.js'

/** A command as OpenCode's configuration takes it (host facts §5). */
export interface SlashCommand {
  readonly description: string
  readonly template: string
}

/**
 * Every tool as a slash command. The command line does the work, also for tools that are not offered to the model; it
 * runs in OpenCode's own runtime, so nothing else has to be installed. The model only repeats the output.
 * @param program the running OpenCode
 * @param cli the command line beside this bundle
 */
export function slashCommands(program = process.execPath, cli = fileURLToPath(new URL('cli.js', import.meta.url))): Record<string, SlashCommand> {
  // Which shell the host's commands run in on Windows is not known.
  if (process.platform === 'win32') return {}
  return Object.fromEntries(
    TOOL_LIST.map(([name, description]) => [
      `codex-${name}`,
      {
        description,
        template: `Show the user the following output as it is, in a code block, without comment and without calling a tool:\n\n!\`BUN_BE_BUN=1 ${quoted(program)} ${quoted(cli)} ${name} $ARGUMENTS 2>&1\``,
      },
    ]),
  )
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
