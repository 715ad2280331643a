import { commands } from '../../lib/cli/commands.js'
import type { CommandIo } from '../../lib/cli/io.js'
import { main } from '../../lib/cli/main.js'
import { homeIn } from './home.js'

export interface CliResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/**
 * Runs the command line in this process as if from a pipe.
 * @param answer what somebody types when asked; without it nobody can be asked
 */
export async function runCli(
  home: string,
  argv: readonly string[],
  options: {
    env?: NodeJS.ProcessEnv
    answer?: string | undefined
    directory?: string
    signal?: AbortSignal
    hasColours?: boolean
    onOutput?: (text: string) => void
    /** What comes through a pipe. */
    input?: string
    /** What an editor makes of the text it is given. */
    edit?: (text: string) => string | undefined
  } = {},
): Promise<CliResult> {
  let stdout = ''
  let stderr = ''
  const io: CommandIo = {
    stdout: (text) => {
      stdout += text
      options.onOutput?.(text)
    },
    stderr: (text) => void (stderr += text),
    progress: () => undefined,
    ask: async (question) => {
      stderr += question
      return options.answer
    },
    openScreen: () => undefined,
    isInteractive: false,
    hasColours: options.hasColours ?? false,
    columns: undefined,
    signal: options.signal ?? new AbortController().signal,
    env: { ...homeIn(home), ...options.env },
    directory: options.directory ?? home,
    ...(options.input !== undefined && { input: async () => options.input ?? '' }),
    ...(options.edit && { edit: async (_name, text) => options.edit?.(text) }),
  }
  return { code: await main(commands, argv, io), stdout, stderr }
}
