import * as z from 'zod'

import type { Config } from '../config/settings.js'
import type { AnyTool, ProfileCost, Risk } from './definition.js'
import { TOOLS } from './index.js'

/** JSON schema and English come to about this many bytes a token. */
const BYTES_PER_TOKEN = 4

/** What the user has switched on for the model beside the profile. */
export type ModelAllowance = Pick<Config, 'allowModelSecrets' | 'allowModelDestroy'>

const NOTHING_MORE: ModelAllowance = { allowModelSecrets: false, allowModelDestroy: false }

/**
 * Tools a profile offers to the model; every definition travels with every request. A tool that could move tokens or take
 * accounts away is never among them because of a profile alone.
 */
export function toolsOfProfile(
  profile: Config['tools'],
  allowed: ModelAllowance = NOTHING_MORE,
): readonly AnyTool[] {
  const offered = TOOLS.filter(({ risk }) => isOffered(risk, allowed))
  switch (profile) {
    case 'off':
      return []
    case 'core':
      return offered.filter((tool) => tool.core === true)
    case 'full':
      return offered
  }
}

function isOffered(risk: Risk, allowed: ModelAllowance): boolean {
  switch (risk) {
    case 'read':
    case 'edit':
    case 'spend':
      return true
    case 'secret':
      return allowed.allowModelSecrets
    case 'destroy':
      return allowed.allowModelDestroy
  }
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

/** Bytes that the definitions add to each request, roughly as the host serialises them. */
function definitionBytes(tools: readonly AnyTool[]): number {
  return tools.reduce((sum, tool) => {
    const parameters = z.toJSONSchema(z.object(hostArgs(tool)))
    return (
      sum +
      JSON.stringify({
        type: 'function',
        name: `codex-${tool.name}`,
        description: tool.summary,
        parameters,
        strict: false,
      }).length
    )
  }, 0)
}

/** What the tools of a profile cost with every request. */
export function profileCost(profile: Config['tools']): ProfileCost {
  const tools = toolsOfProfile(profile)
  const bytes = definitionBytes(tools)
  return { profile, count: tools.length, bytes, tokens: Math.round(bytes / BYTES_PER_TOKEN) }
}
