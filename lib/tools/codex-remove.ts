import * as z from 'zod'

import { withoutAccount } from '../accounts/edits.js'
import { accountName } from '../accounts/labels.js'
import { accountArg, findAccount } from './account-ref.js'
import { defineTool } from './definition.js'

interface RemoveData {
  readonly index: number
  readonly account: string
  readonly removed: boolean
  readonly remaining: number
  /** Copy of the pool before; null when nothing was changed. */
  readonly backup: string | null
  readonly message: string
}

/** `codex-remove`. */
export const codexRemove = defineTool({
  name: 'remove',
  group: 'Account metadata',
  summary: 'Remove an account from the pool; without confirm it only says what would happen.',
  risk: 'destroy',
  args: { account: accountArg, confirm: z.boolean().describe('true removes it').optional() },
  positional: ['account'],
  userOnly: ['confirm'],
  async run(runtime, { account, confirm }): Promise<RemoveData> {
    const describe = (pool: Awaited<ReturnType<typeof runtime.store.read>>): { uid: string; index: number; name: string } => {
      const found = findAccount(pool, account, runtime.config.maskEmail)
      return { uid: found.account.uid, index: found.position + 1, name: accountName(found.account, found.position, runtime.config) }
    }
    if (confirm !== true) {
      const pool = await runtime.store.read()
      const { index, name } = describe(pool)
      return { index, account: name, removed: false, remaining: pool.accounts.length, backup: null, message: `${name} would be removed. Nothing was changed; say confirm to do it.` }
    }
    let gone = { uid: '', index: 0, name: '' }
    const copies: string[] = []
    const pool = await runtime.store.update(
      (before) => {
        gone = describe(before)
        return withoutAccount(before, gone.uid)
      },
      (file) => void copies.push(file),
    )
    return { index: gone.index, account: gone.name, removed: true, remaining: pool.accounts.length, backup: copies.at(-1) ?? null, message: `${gone.name} was removed; ${pool.accounts.length} left. A copy of the file before is in the backups folder: codex-import brings it back.` }
  },
  render: (data) => data.message,
})
