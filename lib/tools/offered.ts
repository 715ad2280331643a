import type { Config } from '../config/settings.js'
import type { Risk } from './definition.js'

/**
 * Tools a profile offers to the model; every definition travels with every request. A tool that could move tokens or take
 * accounts away is never among them because of a profile alone.
 * @param allowed what the user has switched on for the model beside the profile
 */
export function ofProfile<Tool extends { readonly risk: Risk; readonly core?: boolean }>(
  tools: readonly Tool[],
  profile: Config['tools'],
  allowed: Pick<Config, 'allowModelSecrets' | 'allowModelDestroy'>,
): readonly Tool[] {
  const isOffered: Record<Risk, boolean> = {
    read: true,
    edit: true,
    spend: true,
    secret: allowed.allowModelSecrets,
    destroy: allowed.allowModelDestroy,
  }
  if (profile === 'off') return []
  return tools.filter(({ risk, core }) => isOffered[risk] && (profile === 'full' || core === true))
}
