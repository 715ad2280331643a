import { type ConfigFile, settingsIn } from './config-file.js'
import { allowedOf } from './project-values.js'
import { type LoadedConfig, mergeSettings } from './resolve.js'

/** As `mergeSettings`, from the texts of the files. A bad value disables that one key and is reported; a file that is not JSON disables that file. */
export function resolveConfig(input: {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly userFile?: ConfigFile
  readonly projectFile?: ConfigFile
}): LoadedConfig {
  const { env, userFile, projectFile } = input
  return mergeSettings({
    env,
    ...(userFile && { user: settingsIn(userFile) }),
    ...(projectFile && { project: (own) => allowedOf(settingsIn(projectFile), own) }),
  })
}
