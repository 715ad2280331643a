import type { HostPort } from '../kernel/host-port.js'
import { resolvePaths } from '../kernel/files/paths.js'
import { openRuntime } from '../open-runtime.js'
import { type Runtime } from '../runtime.js'
import type { AnyTool, ToolContext } from '../tools/definition.js'
import { profileCost } from '../tools/profiles.js'
import { runTool } from '../tools/run-tool.js'
import { helpOf, toolCallOf } from '../tools/tool-arguments.js'
import type { Command, CommandIo } from './io.js'

/** How soon a command ends after its tokens were stored. */
const STORED_POLL_MS = 200

/** The command of a tool: its arguments as flags, the first ones also without. */
export function toolCommand(tool: AnyTool): Command {
  return {
    name: tool.name,
    summary: tool.summary,
    async run(argv, io) {
      const { args, json, includeSensitive, help } = toolCallOf(tool, argv)
      if (help) {
        io.stdout(helpOf(tool))
        return 0
      }
      return withRuntime(io, async (runtime) => {
        const { text, failed } = await runTool(tool, runtime, {
          ...contextOf(io),
          args,
          json,
          includeSensitive,
        })
        io.progress('')
        io.stdout(`${text}\n`)
        return failed ? 1 : 0
      })
    },
  }
}

/** What a tool may do on this terminal; addresses and ids are not shown in full. */
export function contextOf(io: CommandIo): ToolContext {
  return {
    signal: io.signal,
    progress: (line) => io.progress(line),
    includeSensitive: false,
    // Output into a file or a pipe is not cut.
    width: io.columns ?? Infinity,
    directory: io.directory,
    caller: 'user',
    profileCost,
  }
}

/** Gives a command a runtime of its own and closes it afterwards, whatever happens. */
export async function withRuntime(
  io: CommandIo,
  work: (runtime: Runtime) => Promise<number>,
): Promise<number> {
  const host: HostPort = { log: () => undefined, toast: () => undefined }
  const runtime = openRuntime({
    env: io.env,
    directory: io.directory,
    paths: resolvePaths(io.env),
    host,
    watch: false,
  })
  try {
    return await work(runtime)
  } finally {
    await untilStored(runtime, io)
    await runtime.close()
    const lost = runtime.tokens.inMemoryAlone()
    if (lost.length > 0)
      io.stderr(
        `${lost.join(', ')}: the new tokens could not be written to any disk and are lost when this command ends. Sign in again: {login}\n`,
      )
  }
}

/**
 * On a terminal a command does not end while it alone has the new tokens of a login: the disk is asked again and again,
 * until it takes them or the user gives up. Where nobody sits a command has to end; closing asks for some seconds more.
 */
async function untilStored({ tokens, clock }: Runtime, io: CommandIo): Promise<void> {
  let isTold = false
  while (io.isInteractive && !io.signal.aborted && tokens.inMemoryAlone().length > 0) {
    if (!isTold)
      io.stderr(
        `${tokens.inMemoryAlone().join(', ')}: waiting to write the new tokens; retried every 2 s. Free space or make the disk writable. Ctrl-C gives up and loses the login.\n`,
      )
    isTold = true
    await clock.sleep(STORED_POLL_MS, io.signal).catch(() => undefined)
  }
  if (isTold && tokens.inMemoryAlone().length === 0) io.stderr('The new tokens are saved now.\n')
}
