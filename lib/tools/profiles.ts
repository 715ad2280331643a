import * as z from 'zod'

import type { Config } from '../config/settings.js'
import type { AnyTool, ProfileCost } from './definition.js'
import { TOOLS } from './index.js'

/** JSON schema and English come to about this many bytes a token. */
const BYTES_PER_TOKEN = 4

/** Tools a profile offers to the model; every definition travels with every request. */
export function toolsOfProfile(profile: Config['tools']): readonly AnyTool[] {
  switch (profile) {
    case 'off':
      return []
    case 'core':
      return TOOLS.filter((tool) => tool.core === true)
    case 'full':
      return TOOLS
  }
}

/** Beside its own arguments a tool takes `json`, except the few of the small profile, whose text is enough for a model. */
export function hostArgs(tool: AnyTool): z.ZodRawShape {
  const own = tool.args as z.ZodRawShape
  return tool.core === true ? own : { ...own, json: z.boolean().optional() }
}

/** Bytes that the definitions add to each request, roughly as the host serialises them. */
function definitionBytes(tools: readonly AnyTool[]): number {
  return tools.reduce((sum, tool) => {
    const parameters = z.toJSONSchema(z.object(hostArgs(tool)))
    return sum + JSON.stringify({ type: 'function', name: `codex-${tool.name}`, description: tool.summary, parameters, strict: false }).length
  }, 0)
}

/** What the tools of a profile cost with every request. */
export function profileCost(profile: Config['tools']): ProfileCost {
  const tools = toolsOfProfile(profile)
  const bytes = definitionBytes(tools)
  return { profile, count: tools.length, bytes, tokens: Math.round(bytes / BYTES_PER_TOKEN) }
}
