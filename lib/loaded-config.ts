import { resolveConfig } from './config/load.js'
import type { LoadedConfig } from './config/resolve.js'
import type { Paths } from './kernel/files/paths.js'
import { configFiles } from './runtime-config.js'

/** The configuration in force in a folder; what is wrong with its files is in it. Never throws. */
export function loadConfig(
  env: Readonly<Record<string, string | undefined>>,
  paths: Paths,
  directory: string,
): LoadedConfig {
  return resolveConfig({ env, ...configFiles(paths, directory) })
}
