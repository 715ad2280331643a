import { access } from 'node:fs/promises'
import path from 'node:path'

import type { Paths } from '../kernel/files/paths.js'

/**
 * The two files that decide what OpenCode loads: server plugins in one, TUI plugins in the other
 * (docs/development/facts/opencode-host.md#tui-plugins).
 */
export interface HostConfigFiles {
  readonly server: string
  readonly tui: string
}

/**
 * Finds the user's configuration files. The JSONC name wins where it exists, because OpenCode reads it last; a file that
 * is missing gets the plain JSON name.
 * @param override the file given with `--config-path`
 */
export async function findConfigFiles(
  paths: Paths,
  env: NodeJS.ProcessEnv,
  override?: string,
): Promise<HostConfigFiles> {
  const folder = env.OPENCODE_CONFIG_DIR?.trim()
    ? path.resolve(env.OPENCODE_CONFIG_DIR)
    : paths.hostConfigDir
  const named = override ?? (env.OPENCODE_CONFIG?.trim() ? env.OPENCODE_CONFIG : undefined)
  const server =
    named === undefined
      ? await firstExisting(folder, ['opencode.jsonc', 'opencode.json'], 'opencode.json')
      : path.resolve(named)
  const tuiNamed = env.OPENCODE_TUI_CONFIG?.trim() ? env.OPENCODE_TUI_CONFIG : undefined
  const tuiFolder = override === undefined ? folder : path.dirname(server)
  const tui =
    tuiNamed === undefined
      ? await firstExisting(tuiFolder, ['tui.jsonc', 'tui.json'], 'tui.json')
      : path.resolve(tuiNamed)
  return { server, tui }
}

async function firstExisting(
  folder: string,
  names: readonly string[],
  otherwise: string,
): Promise<string> {
  for (const name of names) {
    const file = path.join(folder, name)
    if (await exists(file)) return file
  }
  return path.join(folder, otherwise)
}

/** True when something is there, also when it cannot be read: such a file must not be taken for missing. */
async function exists(file: string): Promise<boolean> {
  try {
    await access(file)
    return true
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ENOENT')
  }
}
