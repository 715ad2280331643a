import * as z from 'zod'

import type { Config } from '../config/settings.js'
import type { AnyTool, ProfileCost } from './definition.js'
import { TOOLS } from './index.js'
import { ofProfile } from './offered.js'

/** JSON schema and English come to about this many bytes a token. */
const BYTES_PER_TOKEN = 4

/** The tools of `ofProfile`, with what runs them. */
export function toolsOfProfile(
  profile: Config['tools'],
  allowed: Pick<Config, 'allowModelSecrets' | 'allowModelDestroy'> = {
    allowModelSecrets: false,
    allowModelDestroy: false,
  },
): readonly AnyTool[] {
  return ofProfile(TOOLS, profile, allowed)
}

/**
 * The arguments a model is shown: those that are the user's own word are not among them. Beside its own a tool takes `json`,
 * except the few of the small profile, whose text is enough for a model.
 */
export function hostArgs(tool: AnyTool): z.ZodRawShape {
  const own = Object.fromEntries(
    Object.entries(tool.args as z.ZodRawShape).filter(
      ([name]) => tool.userOnly?.includes(name) !== true,
    ),
  )
  return tool.core === true ? own : { ...own, json: z.boolean().optional() }
}

/** What the tools of a profile cost with every request. */
export function profileCost(profile: Config['tools']): ProfileCost {
  const tools = toolsOfProfile(profile)
  // Roughly as the host serialises them.
  const definitions = tools.map((tool) =>
    JSON.stringify({
      type: 'function',
      name: `codex-${tool.name}`,
      description: tool.summary,
      parameters: z.toJSONSchema(z.object(hostArgs(tool))),
      strict: false,
    }),
  )
  const bytes = definitions.join('').length
  return { profile, count: tools.length, bytes, tokens: Math.round(bytes / BYTES_PER_TOKEN) }
}
