import { findAccount } from '../../account-view/find-account.js'
import { accountName } from '../../accounts/labels.js'
import { messageOf } from '../../kernel/errors.js'
import { redactText } from '../../kernel/text/redact.js'
import { NO_ACCOUNT } from '../account-rows.js'
import { defineTool } from '../definition.js'
import { accountArg } from './account-edit.js'

interface RefreshRow {
  readonly index: number
  readonly account: string
  readonly result: 'refreshed' | 'failed' | 'skipped'
  readonly detail: string
}

export const codexRefresh = defineTool({
  name: 'refresh',
  group: 'Account metadata',
  summary: 'Refresh the access tokens of one account or of all enabled ones.',
  risk: 'edit',
  args: { account: accountArg.optional() },
  positional: ['account'],
  async run(runtime, { account }, context) {
    const pool = await runtime.store.read()
    const only =
      account === undefined
        ? undefined
        : findAccount(pool, account, runtime.config.maskEmail).account.uid
    const rows: RefreshRow[] = []
    for (const [position, one] of pool.accounts.entries()) {
      if (only !== undefined && one.uid !== only) continue
      const row = { index: position + 1, account: accountName(one, position, runtime.config) }
      context.progress(`refreshing ${row.account}`)
      if (one.kind === 'api-key')
        rows.push({ ...row, result: 'skipped', detail: 'an API key needs no refresh' })
      else if (one.enabled === false && only === undefined)
        rows.push({ ...row, result: 'skipped', detail: 'disabled' })
      else {
        rows.push(
          await runtime.tokens.refreshNow(one, context.signal).then(
            (): RefreshRow => ({ ...row, result: 'refreshed', detail: '' }),
            (error: unknown): RefreshRow => {
              if (context.signal.aborted) throw error
              return { ...row, result: 'failed', detail: redactText(messageOf(error)) }
            },
          ),
        )
      }
    }
    const count = (result: RefreshRow['result']): number =>
      rows.filter((row) => row.result === result).length
    return {
      refreshed: count('refreshed'),
      failed: count('failed'),
      skipped: count('skipped'),
      accounts: rows,
    }
  },
  render: (data) =>
    data.accounts.length === 0
      ? NO_ACCOUNT
      : data.accounts
          .map(
            (row) => `${row.account}: ${row.result}${row.detail === '' ? '' : ` (${row.detail})`}`,
          )
          .join('\n'),
  failed: (data) => data.failed > 0,
})
