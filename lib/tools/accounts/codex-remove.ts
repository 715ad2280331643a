import * as z from 'zod'

import { removedText } from '../../account-view/actions.js'
import { findAccount } from '../../account-view/find-account.js'
import { agreeing, defineTool } from '../definition.js'
import { accountArg } from './account-edit.js'
import {
  type NamedAccount,
  previewRemoval,
  type RemovalRequest,
  removeAccounts,
} from './removal.js'

export const codexRemove = defineTool({
  name: 'remove',
  group: 'Account metadata',
  summary: 'Remove an account from the pool; without confirm it only says what would happen.',
  risk: 'destroy',
  args: {
    account: accountArg,
    confirm: z.boolean().describe('true removes it').optional(),
    purge: z.boolean().describe('also clear every copy of the login; cannot be undone').optional(),
  },
  positional: ['account'],
  userOnly: ['confirm', 'purge'],
  multiline: ['message'],
  async run(runtime, { account, confirm, purge = false }, context) {
    const { store, config } = runtime
    const request: RemovalRequest = {
      pick: (pool) => [findAccount(pool, account, config.maskEmail).account],
      purge: purge ? { everything: false, past: [] } : undefined,
    }
    if (confirm !== true) {
      const pool = await store.read()
      const { accounts, copies } = await previewRemoval(runtime, pool, request)
      const text = `${accounts[0]?.account ?? ''} would be removed. Nothing was changed; ${agreeing(context)} to remove it.`
      const message = [text, ...copies].join('\n')
      const remaining = pool.accounts.length
      return { ...named(accounts), removed: false, remaining, backup: null, message }
    }
    const { accounts, remaining, backup, copies } = await removeAccounts(runtime, request)
    const message = [
      removedText(accounts[0]?.account ?? '', remaining),
      ...(purge
        ? []
        : ['A copy of the file before is in the backups folder: {import} brings it back.']),
      ...copies,
    ].join('\n')
    return { ...named(accounts), removed: true, remaining, backup, message }
  },
  render: (data) => data.message,
})

function named([one]: readonly NamedAccount[]): {
  readonly index: number | null
  readonly account: string | null
} {
  return { index: one?.index ?? null, account: one?.account ?? null }
}
