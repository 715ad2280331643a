import { resolveConfig } from './config/load.js'
import type { Config } from './config/settings.js'
import type { Paths } from './kernel/files/paths.js'
import { configFiles } from './runtime-config.js'

/** Which slash commands the user wants; reads the configuration. */
export function commandSettings(
  env: NodeJS.ProcessEnv,
  paths: Paths,
  directory: string,
): Pick<Config, 'slashCommands' | 'promptTemplates'> {
  return resolveConfig({ env, ...configFiles(paths, directory) }).config
}
