import { commands } from '../../lib/cli/commands.js'
import { main } from '../../lib/cli/main.js'

/** How a command ended. */
export interface EndedCommand {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs the command line in this process, without a terminal unless there is an answer for its questions. */
export async function runCommand(args: readonly string[], options: { readonly env: NodeJS.ProcessEnv; readonly directory: string; readonly answer?: string }): Promise<EndedCommand> {
  const out = { stdout: '', stderr: '' }
  const code = await main(commands, args, {
    stdout: (text) => void (out.stdout += text),
    stderr: (text) => void (out.stderr += text),
    progress: () => undefined,
    ask: () => Promise.resolve(options.answer),
    columns: undefined,
    isInteractive: false,
    signal: new AbortController().signal,
    env: options.env,
    directory: options.directory,
  })
  return { code, ...out }
}
