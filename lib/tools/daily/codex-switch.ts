import * as z from 'zod'

import { type AccountAction, type AccountRef, performAction } from '../../account-view/actions.js'
import { findAccount } from '../../account-view/find-account.js'
import { projectPinOf, rulesOf } from '../../accounts/rules.js'
import { CodexError } from '../../kernel/errors.js'
import type { Pin } from '../../routing/types.js'
import { accountArg } from '../accounts/account-edit.js'
import { defineTool } from '../definition.js'
import { onlyByUser } from '../user-acts.js'

interface SwitchData {
  /** From 1; null when pins were lifted. */
  readonly index: number | null
  readonly account: string | null
  readonly pin: 'none' | 'soft' | 'hard'
  readonly scope: 'global' | 'project'
  readonly message: string
}

export const codexSwitch = defineTool({
  name: 'switch',
  group: 'Daily use',
  summary: 'Make another account serve new sessions; pin it to keep it there, or lift a pin.',
  risk: 'edit',
  args: {
    account: accountArg.optional(),
    pin: z
      .enum(['none', 'soft', 'hard'])
      .describe('soft: others help out when it cannot serve; hard: no other serves; none: no pin')
      .optional(),
    scope: z.enum(['global', 'project']).describe('where the pin counts').optional(),
  },
  positional: ['account'],
  core: true,
  refuseModel(runtime, pool, { account, pin = 'none', scope = 'global' }) {
    const rules = rulesOf(pool)
    const everywhere = rules.pin
    const here = projectPinOf(rules, runtime.scope.project)
    const target =
      account === undefined ? undefined : findAccount(pool, account, runtime.config.maskEmail)
    const command = [
      'switch',
      ...(target === undefined ? [] : [target.position + 1]),
      ...(pin === 'none' ? [] : ['--pin', pin]),
      ...(scope === 'global' ? [] : ['--scope', scope]),
    ].join(' ')
    if (target?.account.kind === 'api-key')
      throw onlyByUser('switch to an API key, because its use is paid for', command)
    if (pin === 'hard') throw onlyByUser('set a hard pin', command)
    if (everywhere?.mode === 'hard' || here?.mode === 'hard')
      throw onlyByUser('overrule a hard pin', command)
    const replaced = scope === 'project' ? here : everywhere
    if (target === undefined || (pin === 'none' ? (here ?? everywhere) : replaced) !== undefined)
      throw onlyByUser('lift a pin', command)
  },
  async run(runtime, args, { caller }): Promise<SwitchData> {
    const { account, pin = 'none', scope } = args
    if (account === undefined && pin !== 'none')
      throw new CodexError('invalid_input', 'Name the account to pin.')
    const {
      index,
      account: name,
      message,
    } = await performAction(runtime, actionOf(account, pin, scope), (pool) => {
      if (caller === 'model') codexSwitch.refuseModel?.(runtime, pool, args)
    })
    return { index, account: name, pin, scope: scope ?? 'global', message }
  },
  render: ({ message }) => message,
})

function actionOf(
  account: AccountRef | undefined,
  mode: SwitchData['pin'],
  scope: Pin['scope'] | undefined,
): AccountAction {
  if (account === undefined) return { do: 'unpin', scope }
  return mode === 'none'
    ? { do: 'switch', account }
    : { do: 'pin', account, mode, scope: scope ?? 'global' }
}
