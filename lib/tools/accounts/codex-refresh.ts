import { findAccount } from '../../account-view/find-account.js'
import { accountName } from '../../accounts/labels.js'
import { messageOf } from '../../kernel/errors.js'
import { redactText } from '../../kernel/text/redact.js'
import { type Tone, toned } from '../../kernel/text/tones.js'
import { NO_ACCOUNT } from '../account-rows.js'
import { defineTool } from '../definition.js'
import { accountArg } from './account-edit.js'

type Result = 'refreshed' | 'failed' | 'skipped'

export const codexRefresh = defineTool({
  name: 'refresh',
  group: 'Account metadata',
  summary: 'Refresh the access tokens of one account or of all enabled ones.',
  risk: 'edit',
  args: { account: accountArg.optional() },
  positional: ['account'],
  async run(runtime, { account: wanted }, context) {
    const pool = await runtime.store.read()
    const only =
      wanted === undefined
        ? undefined
        : findAccount(pool, wanted, runtime.config.maskEmail).account.uid
    const rows: { index: number; account: string; result: Result; detail: string }[] = []
    for (const [position, one] of pool.accounts.entries()) {
      if (only !== undefined && one.uid !== only) continue
      const account = accountName(one, position, runtime.config)
      const add = (result: Result, detail = ''): void =>
        void rows.push({ index: position + 1, account, result, detail })
      context.progress(`refreshing ${account}`)
      if (one.kind === 'api-key') add('skipped', 'an API key needs no refresh')
      else if (one.enabled === false && only === undefined) add('skipped', 'disabled')
      else
        await runtime.tokens.refreshNow(one, context.signal).then(
          () => add('refreshed'),
          (error: unknown) => {
            if (context.signal.aborted) throw error
            add('failed', redactText(messageOf(error)))
          },
        )
    }
    const count = (result: Result): number => rows.filter((row) => row.result === result).length
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
            (row) =>
              `${row.account}: ${toned({ text: row.result, tone: TONES[row.result] })}${row.detail === '' ? '' : ` (${row.detail})`}`,
          )
          .join('\n'),
  failed: (data) => data.failed > 0,
})

const TONES: Readonly<Record<Result, Tone>> = { refreshed: 'good', failed: 'bad', skipped: 'faint' }
