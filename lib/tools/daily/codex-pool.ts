import * as z from 'zod'

import { findAccount } from '../../account-view/find-account.js'
import type { Account, AccountPool } from '../../accounts/account.js'
import { accountName } from '../../accounts/labels.js'
import {
  fenceOf,
  projectPinOf,
  rulesOf,
  uidsOfKeys,
  withFence,
  withRules,
} from '../../accounts/rules.js'
import { unreadableRecords, unreadableText } from '../../accounts/store/unreadable.js'
import { CodexError } from '../../kernel/errors.js'
import { counted } from '../../kernel/text/plural.js'
import type { Runtime } from '../../runtime.js'
import { accountArg } from '../accounts/account-edit.js'
import { defineTool } from '../definition.js'
import { onlyByUser } from '../user-acts.js'

const ARGS = {
  action: z
    .enum(['status', 'fence', 'unfence'])
    .describe('fence: only the named accounts serve this project')
    .optional(),
  accounts: z.array(accountArg).describe('for fence: the accounts that may serve').optional(),
}

export const codexPool = defineTool({
  name: 'pool',
  group: 'Daily use',
  summary:
    'Show which accounts are set aside for models, and fence this project off to some accounts.',
  risk: 'edit',
  args: ARGS,
  riskOf: ({ action }) => (action === undefined || action === 'status' ? 'read' : 'edit'),
  refuseModel,
  async run(runtime, args, { caller }) {
    const { action = 'status', accounts = [] } = args
    const { project } = runtime.scope
    if (action !== 'status' && project === undefined)
      throw new CodexError(
        'invalid_input',
        'This folder belongs to no project, so there is nothing to fence.',
      )
    if (action === 'fence' && accounts.length === 0)
      throw new CodexError(
        'invalid_input',
        'Name at least one account that may serve this project.',
      )
    let changed = false
    const pool = await (action === 'status' || project === undefined
      ? runtime.store.read()
      : runtime.store.update((before) => {
          if (caller === 'model') refuseModel(runtime, before, args)
          const rules = rulesOf(before)
          const uids = accounts.map(
            (wanted) => findAccount(before, wanted, runtime.config.maskEmail).account.uid,
          )
          changed = true
          return withRules(before, withFence(rules, project, action === 'fence' ? uids : undefined))
        }))
    const nameOf = (account: Account): string =>
      accountName(account, pool.accounts.indexOf(account), runtime.config)
    const modelPools = Object.entries(runtime.config.modelAccountPools).map(([model, keys]) => {
      const uids = uidsOfKeys(keys, pool.accounts)
      return {
        model,
        mode: runtime.config.modelAccountPoolModes[model] ?? 'preferred',
        accounts: pool.accounts.filter((account) => uids.has(account.uid)).map(nameOf),
        /** Entries of the configuration that name no account. */
        unresolved: keys.filter((key) => uidsOfKeys([key], pool.accounts).size === 0).length,
      }
    })
    await runtime.catalogue.load()
    // Idle accounts are asked for their lists only here, where somebody wants to see them; a model does not.
    if (action === 'status' && caller !== 'model') await runtime.catalogue.refresh()
    /** What the backend lists for each account. */
    const lists = pool.accounts.map((account) => ({
      name: nameOf(account),
      models: runtime.catalogue.modelsOf(account.uid),
    }))
    const names = [...new Set(lists.flatMap(({ models }) => models ?? []))]
    const models = names.map((model) => ({
      model,
      accounts: lists
        .filter((list) => list.models?.includes(model) === true)
        .map(({ name }) => name),
    }))
    const modelsUnknown = lists.filter((list) => list.models === undefined).map(({ name }) => name)
    const fence = fenceOf(rulesOf(pool), project)
    /** Null when every account may serve. */
    const projectFence =
      fence === undefined
        ? null
        : pool.accounts.filter((account) => fence.includes(account.uid)).map(nameOf)
    const around =
      action === 'unfence' && projectFence !== null
        ? ' That is the fence of the repository around this folder; lift it there.'
        : ''
    const message =
      projectFence === null
        ? 'Every account may serve this project.'
        : `Only these may serve this project: ${projectFence.join(', ')}.${around}`
    return {
      modelPools,
      models,
      modelsUnknown,
      projectFence,
      unreadable: unreadableRecords(pool).length,
      changed,
      message,
    }
  },
  render(data) {
    const pools = data.modelPools.map(
      (row) =>
        `${row.model} (${row.mode}): ${row.accounts.join(', ')}${row.unresolved === 0 ? '' : `; ${counted(row.unresolved, 'entry names', 'entries name')} no account`}`,
    )
    const known = new Set(data.models.flatMap(({ accounts }) => accounts)).size
    const served = (accounts: readonly string[]): string =>
      accounts.length === known ? 'every account' : accounts.join(', ')
    const models = [...new Set(data.models.map(({ accounts }) => served(accounts)))].map(
      (who) =>
        `${data.models
          .filter(({ accounts }) => served(accounts) === who)
          .map(({ model }) => model)
          .join(', ')}: ${who}`,
    )
    const unreadable = unreadableText(data.unreadable)
    return [
      data.message,
      ...(unreadable === '' ? [] : [unreadable]),
      ...(models.length === 0 ? [] : ['', 'Models the backend lists:', ...models]),
      ...(models.length === 0 || data.modelsUnknown.length === 0
        ? []
        : [`Not known yet: ${data.modelsUnknown.join(', ')}`]),
      '',
      ...(pools.length === 0
        ? ['No accounts are set aside for a model; see modelAccountPools in docs/configuration.md.']
        : pools),
    ].join('\n')
  },
})

function refuseModel(
  runtime: Runtime,
  pool: AccountPool,
  { action = 'status', accounts = [] }: z.output<z.ZodObject<typeof ARGS>>,
): void {
  if (action === 'status') return
  const command = 'pool --help'
  const rules = rulesOf(pool)
  const { project } = runtime.scope
  if (action === 'unfence' || fenceOf(rules, project) !== undefined)
    throw onlyByUser('lift or change the fence of a project', command)
  const wanted = accounts.map((one) => findAccount(pool, one, runtime.config.maskEmail).account)
  if (wanted.some(({ kind }) => kind === 'api-key'))
    throw onlyByUser('fence a project to an API key, because its use is paid for', command)
  if (
    [rules.pin, projectPinOf(rules, project)].some(
      (one) => one?.mode === 'hard' && !wanted.some(({ uid }) => uid === one.uid),
    )
  )
    throw onlyByUser('fence off an account with a hard pin', command)
}
