import path from 'node:path'

import { findProjectRoot } from './accounts/project.js'
import type { ConfigFile } from './config/load.js'
import { CONFIG_FILE, type Paths } from './kernel/paths.js'

/**
 * The configuration files that count in a folder, the user's and the project's.
 * @param read answers with the text of a file or throws
 */
export function configFiles(paths: Paths, directory: string, read: (file: string) => string): { readonly userFile: ConfigFile; readonly projectFile?: ConfigFile } {
  const root = findProjectRoot(directory, paths.home)
  const file = (name: string): ConfigFile => ({ path: name, text: attempt(() => read(name)) })
  return { userFile: file(paths.configFile), ...(root === undefined ? {} : { projectFile: file(path.join(root, '.opencode', CONFIG_FILE)) }) }
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
