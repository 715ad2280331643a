import * as z from 'zod'

import { withActive } from '../accounts/edits.js'
import { accountName } from '../accounts/labels.js'
import { projectPinOf, rulesOf, withProjectPin, withRules } from '../accounts/rules.js'
import { CodexError } from '../kernel/errors.js'
import { accountArg, findAccount } from './account-ref.js'
import { defineTool } from './definition.js'
import { onlyByUser } from './user-acts.js'

interface SwitchData {
  /** From 1; null when pins were lifted. */
  readonly index: number | null
  readonly account: string | null
  readonly pin: 'none' | 'soft' | 'hard'
  readonly scope: 'global' | 'project'
  readonly message: string
}

/** `codex-switch`. */
export const codexSwitch = defineTool({
  name: 'switch',
  group: 'Daily use',
  summary: 'Make another account serve new sessions; pin it to keep it there, or lift a pin.',
  risk: 'edit',
  args: {
    account: accountArg.optional(),
    pin: z
      .enum(['none', 'soft', 'hard'])
      .describe(
        'soft: others help out when it cannot serve; hard: nobody else serves; none: no pin',
      )
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
    if (target === undefined || (scope === 'project' ? here : everywhere) !== undefined)
      throw onlyByUser('lift a pin', command)
  },
  async run(runtime, args, { caller }): Promise<SwitchData> {
    const { account, pin = 'none', scope = 'global' } = args
    const { project } = runtime.scope
    if (scope === 'project' && project === undefined)
      throw new CodexError(
        'invalid_input',
        'This folder belongs to no project, so a pin for the project has no place.',
        { hint: '' },
      )
    if (account === undefined && pin !== 'none')
      throw new CodexError('invalid_input', 'Say which account is to be pinned.', { hint: '' })
    let result: SwitchData | undefined
    await runtime.store.update((pool) => {
      if (caller === 'model') codexSwitch.refuseModel?.(runtime, pool, args)
      const target =
        account === undefined ? undefined : findAccount(pool, account, runtime.config.maskEmail)
      if (target?.account.enabled === false)
        throw new CodexError(
          'account_not_allowed',
          `${accountName(target.account, target.position, runtime.config)} is disabled.`,
          { hint: 'Enable it first: codex-toggle' },
        )
      const rules = rulesOf(pool)
      const entry =
        target === undefined || pin === 'none' ? undefined : { uid: target.account.uid, mode: pin }
      const { pin: _global, ...rest } = rules
      const next =
        scope === 'project' && project !== undefined
          ? withProjectPin(rules, project, entry)
          : { ...rest, ...(entry === undefined ? {} : { pin: entry }) }
      const name =
        target === undefined ? null : accountName(target.account, target.position, runtime.config)
      result = {
        index: target === undefined ? null : target.position + 1,
        account: name,
        pin,
        scope,
        message:
          name === null
            ? 'The pin is lifted.'
            : pin === 'none'
              ? `New sessions go to ${name}.`
              : `${name} is pinned (${scope}, ${pin}).`,
      }
      return withRules(target === undefined ? pool : withActive(pool, target.account.uid), next)
    })
    if (result === undefined) throw new CodexError('internal', 'The switch had no result.')
    return result
  },
  render: (data) => data.message,
})
