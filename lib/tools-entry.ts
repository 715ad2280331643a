import { loadConfig } from './loaded-config.js'
import type { Runtime } from './runtime.js'
import { hostTools } from './tools/host-tools.js'
import { TOOLS } from './tools/index.js'
import { profileCost, toolsOfProfile } from './tools/profiles.js'
import { checkedArguments } from './tools/run-tool.js'
import { codexPersonality } from './tools/setup/codex-personality.js'
import type { Paths } from './kernel/files/paths.js'

export { outputPrompt } from './slash-commands/commands.js'
export { runSlashCommand } from './tools/slash-command.js'

/**
 * The tools for the host, at once: it asks for them without waiting, when the first prompt is sent. Reads the
 * configuration, two small files.
 */
export function toolsNow(input: {
  readonly env: NodeJS.ProcessEnv
  readonly paths: Paths
  readonly directory: string
  readonly runtime: () => Promise<Runtime>
}): ReturnType<typeof hostTools> {
  const { env, paths, directory } = input
  const { config } = loadConfig(env, paths, directory)
  const optional = config.personalityCommand && config.tools !== 'off' ? [codexPersonality] : []
  return hostTools([...toolsOfProfile(config.tools, config), ...optional], input.runtime)
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
