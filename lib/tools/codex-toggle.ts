import * as z from 'zod'

import { editAccount, type EditData, withField } from './account-edit.js'
import { accountArg } from './account-ref.js'
import { defineTool } from './definition.js'

/** `codex-toggle`. */
export const codexToggle = defineTool({
  name: 'toggle',
  group: 'Account metadata',
  summary: 'Enable or disable an account; a disabled one serves no request until you enable it.',
  args: { account: accountArg, enabled: z.boolean().describe('the state wanted; without it the other one').optional() },
  positional: ['account'],
  run(runtime, { account, enabled }): Promise<EditData> {
    let state = true
    return editAccount(
      runtime,
      account,
      (one) => {
        state = enabled ?? one.enabled === false
        // Like the earlier plugin, only "disabled" is written down.
        return (one.enabled !== false) === state ? one : withField(one, 'enabled', state ? undefined : false)
      },
      (name, changed) => `${name} is ${changed ? 'now' : 'already'} ${state ? 'enabled' : 'disabled'}.`,
    )
  },
  render: (data) => data.message,
})
