import { parse as parseJsonc } from 'jsonc-parser'

import { isNestedTooDeep } from '../kernel/nesting.js'
import { ownConfigs, type Surroundings } from './own-config.js'
import { allowsByName, type UserAllowance } from './tool-permissions.js'

/**
 * What the user's own OpenCode configuration lets through by the name of a tool of ours. A project's file is not asked, nor
 * is one that cannot be read. Never throws.
 */
export async function userAllowance(around: Surroundings): Promise<UserAllowance> {
  const permissions = (await ownConfigs(around)).flatMap(({ text }) =>
    text.includes('codex') ? [permissionIn(text)] : [],
  )
  return (tool, risk) => allowsByName(permissions, tool, risk)
}

function permissionIn(text: string): unknown {
  if (isNestedTooDeep(text)) return undefined
  const config: unknown = parseJsonc(text, [], { allowTrailingComma: true })
  return typeof config === 'object' && config !== null && 'permission' in config
    ? config.permission
    : undefined
}
