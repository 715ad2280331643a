import { loadConfig } from './loaded-config.js'
import type { Runtime } from './runtime.js'
import { hostTools } from './tools/host-tools.js'
import { toolsOfProfile } from './tools/profiles.js'
import { codexPersonality } from './tools/setup/codex-personality.js'
import type { Paths } from './kernel/files/paths.js'

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
