import path from 'node:path'

import { MAX_CONFIG_BYTES, readBoundedFile } from '../kernel/bounded-file.js'
import type { Paths } from '../kernel/paths.js'

/** Where OpenCode looks for the settings of whoever administers the machine; they stand above those of its users. */
const MANAGED_FOLDERS: Readonly<Partial<Record<NodeJS.Platform, string>>> = {
  darwin: '/Library/Application Support/opencode',
  win32: 'C:\\ProgramData\\opencode',
}
const MANAGED_FOLDER = '/etc/opencode'

export interface Surroundings {
  readonly paths: Pick<Paths, 'home' | 'root' | 'hostConfigDir'>
  readonly env: Readonly<Record<string, string | undefined>>
}

/** A configuration of OpenCode as it is written. */
export interface OwnConfig {
  readonly text: string
  /** What relative names in it start from. */
  readonly folder: string
}

/**
 * The configurations that the user, the environment or the machine's administrator wrote, in the order in which OpenCode
 * reads them; a project's are not among them. The host's merged configuration does not tell who said what. What cannot be
 * read is empty. Never throws.
 */
export async function ownConfigs({ paths, env }: Surroundings): Promise<readonly OwnConfig[]> {
  const both = (folder: string): string[] =>
    ['opencode.json', 'opencode.jsonc'].map((name) => path.join(folder, name))
  const files = [
    path.join(paths.hostConfigDir, 'config.json'),
    ...both(paths.hostConfigDir),
    ...named(env.OPENCODE_CONFIG),
    ...both(paths.root),
    ...named(env.OPENCODE_CONFIG_DIR).flatMap(both),
  ]
  const inline = { text: env.OPENCODE_CONFIG_CONTENT ?? '', folder: process.cwd() }
  const managed = both(MANAGED_FOLDERS[process.platform] ?? MANAGED_FOLDER)
  return [
    ...(await Promise.all(files.map(configIn))),
    inline,
    ...(await Promise.all(managed.map(configIn))),
  ]
}

/** The folders in which the user keeps agents and commands of their own, one file each. */
export function ownFolders({ paths, env }: Surroundings): readonly string[] {
  return [paths.hostConfigDir, paths.root, ...named(env.OPENCODE_CONFIG_DIR)]
}

function named(value: string | undefined): string[] {
  return value === undefined || value.trim() === '' ? [] : [path.resolve(value)]
}

async function configIn(file: string): Promise<OwnConfig> {
  const text = await readBoundedFile(file, MAX_CONFIG_BYTES).catch(() => undefined)
  return { text: text ?? '', folder: path.dirname(file) }
}
