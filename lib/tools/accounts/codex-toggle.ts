import * as z from 'zod'

import { findAccount } from '../../account-view/find-account.js'
import { rulesOf } from '../../accounts/rules.js'
import { defineTool } from '../definition.js'
import { onlyByUser } from '../user-acts.js'
import { accountArg, editAccount, type EditData } from './account-edit.js'

export const codexToggle = defineTool({
  name: 'toggle',
  group: 'Account metadata',
  summary: 'Enable or disable an account; a disabled one serves no request until you enable it.',
  risk: 'edit',
  args: {
    account: accountArg,
    enabled: z.boolean().describe('the state wanted; without it the other one').optional(),
  },
  positional: ['account'],
  refuseModel(runtime, pool, { account, enabled }) {
    const { account: target, position } = findAccount(pool, account, runtime.config.maskEmail)
    const command = `toggle ${position + 1}`
    const isOn = target.enabled !== false
    if ((enabled ?? !isOn) === isOn) return
    if (!isOn) throw onlyByUser('enable an account that is disabled', command)
    const { pin, projectPins } = rulesOf(pool)
    if (
      [pin, ...Object.values(projectPins ?? {})].some(
        (one) => one?.mode === 'hard' && one.uid === target.uid,
      )
    )
      throw onlyByUser('disable an account with a hard pin', command)
    const others = pool.accounts.filter((one) => one.uid !== target.uid && one.enabled !== false)
    if (
      target.kind !== 'api-key' &&
      others.length > 0 &&
      others.every(({ kind }) => kind === 'api-key')
    )
      throw onlyByUser('leave the work to API keys, because their use is paid for', command)
  },
  run(runtime, args, { caller }): Promise<EditData> {
    const { account, enabled } = args
    const wanted = enabled === undefined ? 'toggle' : enabled ? 'enable' : 'disable'
    return editAccount(runtime, { do: wanted, account }, (pool) => {
      if (caller === 'model') codexToggle.refuseModel?.(runtime, pool, args)
    })
  },
  render: ({ message }) => message,
})
