import { parse as parseJsonc } from 'jsonc-parser'

import { MAX_CONFIG_BYTES, readBoundedFile } from '../kernel/bounded-file.js'
import { isNestedTooDeep } from '../kernel/nesting.js'
import type { Paths } from '../kernel/paths.js'
import { findConfigFiles } from './config-files.js'
import { allowsByName } from './tool-permissions.js'

/**
 * Whether the user's own OpenCode configuration lets a tool of ours through by its name. A project's file is not asked.
 */
export async function userAllowance(paths: Paths, env: NodeJS.ProcessEnv): Promise<(tool: string) => boolean> {
  const { server } = await findConfigFiles(paths, env)
  const read = await readBoundedFile(server, MAX_CONFIG_BYTES).catch(() => undefined)
  const text = read === undefined || isNestedTooDeep(read) ? '{}' : read
  const config: unknown = parseJsonc(text)
  const permission: unknown = typeof config === 'object' && config !== null && 'permission' in config ? config.permission : undefined
  return (tool) => allowsByName(permission, tool)
}
