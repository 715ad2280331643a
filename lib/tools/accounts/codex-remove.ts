import * as z from 'zod'

import { type ActionResult, applyAction } from '../../account-view/actions.js'
import { findAccount } from '../../account-view/find-account.js'
import type { Account } from '../../accounts/account.js'
import { withoutUnreadableOf } from '../../accounts/store/credential-copies.js'
import { CodexError } from '../../kernel/errors.js'
import { copiesLeftText, previewText, purge, purgePlan } from '../backup/purge.js'
import { defineTool } from '../definition.js'
import { accountArg } from './account-edit.js'

interface RemoveData {
  readonly index: number | null
  readonly account: string | null
  readonly removed: boolean
  readonly remaining: number
  /** Copy of the pool before. Null when nothing was changed, and after a purge. */
  readonly backup: string | null
  readonly message: string
}

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
  async run(runtime, { account, confirm, purge: isPurge = false }): Promise<RemoveData> {
    const context = { maskEmail: runtime.config.maskEmail, project: runtime.scope.project }
    if (confirm !== true) {
      const pool = await runtime.store.read()
      const { account: one } = findAccount(pool, account, context.maskEmail)
      const { index, account: name } = applyAction(pool, { do: 'remove', account }, context)
      const copies = isPurge ? `\n${previewText(await purgePlan(runtime, [one], false))}` : ''
      return {
        index,
        account: name,
        removed: false,
        remaining: pool.accounts.length,
        backup: null,
        message: `${name} would be removed. Nothing was changed; pass confirm to remove it.${copies}`,
      }
    }
    let gone: { readonly one: Account; readonly result: ActionResult } | undefined
    const written: string[] = []
    await runtime.store.update(
      (before) => {
        const { account: one } = findAccount(before, account, context.maskEmail)
        const result = applyAction(before, { do: 'remove', account: one.uid }, context)
        gone = { one, result }
        return isPurge ? withoutUnreadableOf(result.pool, [one]) : result.pool
      },
      (file) => void written.push(file),
    )
    if (gone === undefined) throw new CodexError('internal', 'Nothing was removed.')
    const { one, result } = gone
    const purgeCommand = `oc-codex-multi-auth logout ${one.uid} --purge`
    const after = isPurge
      ? await purge(runtime, [one], false)
      : [
          'A copy of the file before is in the backups folder: codex-import brings it back.',
          await copiesLeftText(runtime, [one], purgeCommand),
        ]
    return {
      index: result.index,
      account: result.account,
      removed: true,
      remaining: result.pool.accounts.length,
      backup: isPurge ? null : (written.at(-1) ?? null),
      message: [result.message, ...after].filter((line) => line !== '').join('\n'),
    }
  },
  render: (data) => data.message,
})
