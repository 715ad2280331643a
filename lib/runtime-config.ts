import * as fs from 'node:fs'
import path from 'node:path'

import { findProjectRoot } from './accounts/project/project.js'
import type { ConfigFile } from './config/config-file.js'
import { MAX_CONFIG_BYTES, readBoundedFileSync } from './kernel/files/bounded-file.js'
import { messageOf } from './kernel/errors.js'
import { CONFIG_FILE, type Paths } from './kernel/files/paths.js'

/** The configuration files that count in a folder, the user's and the project's. Whatever stands in their place, this does not wait and does not throw. */
export function configFiles(
  paths: Paths,
  directory: string,
): { readonly userFile: ConfigFile; readonly projectFile?: ConfigFile } {
  const root = findProjectRoot(directory, paths.home)
  return {
    userFile: configFile(paths.configFile),
    ...(root === undefined
      ? {}
      : { projectFile: configFile(path.join(root, '.opencode', CONFIG_FILE)) }),
  }
}

/** Whether a file of `configFiles` says something, be it that it cannot be read. */
export function isThere({ text, problem }: ConfigFile): boolean {
  return text !== undefined || problem !== undefined
}

function configFile(file: string): ConfigFile {
  try {
    return { path: file, text: readBoundedFileSync(fs, file, MAX_CONFIG_BYTES) }
  } catch (error) {
    return { path: file, text: undefined, problem: messageOf(error) }
  }
}
