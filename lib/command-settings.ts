import type { ConfigFile } from './config/load.js'
import type { Config } from './config/settings.js'

type CommandSettings = Pick<Config, 'slashCommands' | 'promptTemplates'>

const MENTION = /slashCommands|promptTemplates/
const DEFAULTS: CommandSettings = { slashCommands: true, promptTemplates: false }

/**
 * Which commands the user wants. OpenCode waits for this at every start, so the configuration is only interpreted where
 * it speaks of them.
 */
export async function commandSettings(env: NodeJS.ProcessEnv, files: { readonly userFile: ConfigFile; readonly projectFile?: ConfigFile }): Promise<CommandSettings> {
  const isInFile = [files.userFile, files.projectFile].some((file) => MENTION.test(file?.text ?? ''))
  if (!isInFile && env.CODEX_AUTH_SLASH_COMMANDS === undefined && env.CODEX_AUTH_PROMPT_TEMPLATES === undefined) return DEFAULTS
  const { resolveConfig } = await import('./config/load.js')
  return resolveConfig({ env, ...files }).config
}
