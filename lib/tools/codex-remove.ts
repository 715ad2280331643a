import * as z from 'zod'

import type { Account, AccountPool } from '../accounts/account.js'
import { withoutAccount } from '../accounts/edits.js'
import { withoutUnreadableOf } from '../accounts/login-copies.js'
import { accountName } from '../accounts/labels.js'
import { CodexError } from '../kernel/errors.js'
import { accountArg, findAccount } from './account-ref.js'
import { defineTool } from './definition.js'
import { copiesLeftText, previewText, purge, purgePlan } from './purge.js'

interface RemoveData {
  readonly index: number
  readonly account: string
  readonly removed: boolean
  readonly remaining: number
  /** Copy of the pool before. Null when nothing was changed, and after a purge. */
  readonly backup: string | null
  readonly message: string
}

/** `codex-remove`. */
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
  async run(runtime, { account, confirm, purge: isPurge = false }): Promise<RemoveData> {
    const describe = (pool: AccountPool): { one: Account; index: number; name: string } => {
      const found = findAccount(pool, account, runtime.config.maskEmail)
      return {
        one: found.account,
        index: found.position + 1,
        name: accountName(found.account, found.position, runtime.config),
      }
    }
    if (confirm !== true) {
      const pool = await runtime.store.read()
      const { one, index, name } = describe(pool)
      const copies = isPurge ? `\n${previewText(await purgePlan(runtime, [one], false))}` : ''
      return {
        index,
        account: name,
        removed: false,
        remaining: pool.accounts.length,
        backup: null,
        message: `${name} would be removed. Nothing was changed; say confirm to do it.${copies}`,
      }
    }
    let gone: ReturnType<typeof describe> | undefined
    const copies: string[] = []
    const pool = await runtime.store.update(
      (before) => {
        gone = describe(before)
        const after = withoutAccount(before, gone.one.uid)
        return isPurge ? withoutUnreadableOf(after, [gone.one]) : after
      },
      (file) => void copies.push(file),
    )
    if (gone === undefined) throw new CodexError('internal', 'Nothing was removed.')
    if (isPurge) {
      const done = await purge(runtime, [gone.one], false)
      return {
        index: gone.index,
        account: gone.name,
        removed: true,
        remaining: pool.accounts.length,
        backup: null,
        message: [`${gone.name} was removed; ${pool.accounts.length} left.`, ...done].join('\n'),
      }
    }
    const left = await copiesLeftText(
      runtime,
      [gone.one],
      `oc-codex-multi-auth logout ${gone.one.uid} --purge`,
    )
    return {
      index: gone.index,
      account: gone.name,
      removed: true,
      remaining: pool.accounts.length,
      backup: copies.at(-1) ?? null,
      message: `${gone.name} was removed; ${pool.accounts.length} left. A copy of the file before is in the backups folder: codex-import brings it back.${left === '' ? '' : `\n${left}`}`,
    }
  },
  render: (data) => data.message,
})
