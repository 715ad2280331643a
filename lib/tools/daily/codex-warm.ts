import { counted } from '../../kernel/text/plural.js'
import * as z from 'zod'

import { accountName } from '../../accounts/labels.js'
import { codexDestination } from '../../request/endpoint.js'
import { outgoingHeaders } from '../../request/headers/headers.js'
import { messageOf } from '../../kernel/errors.js'
import { redactText } from '../../kernel/text/redact.js'
import { readingOfHeaders } from '../../quota/readings.js'
import { defineTool } from '../definition.js'

interface WarmRow {
  readonly index: number
  readonly account: string
  readonly status: 'started' | 'running' | 'skipped' | 'failed' | 'would_start'
  readonly detail: string
}

/** The cheapest request that opens a window. */
const WARM_BODY = JSON.stringify({
  model: 'gpt-5.5',
  instructions: 'Answer with one word.',
  input: [{ role: 'user', content: [{ type: 'input_text', text: 'ok' }] }],
  reasoning: { effort: 'low' },
  store: false,
  stream: true,
  include: ['reasoning.encrypted_content'],
})
const ANSWER_TIMEOUT_MS = 30_000

export const codexWarm = defineTool({
  name: 'warm',
  group: 'Daily use',
  summary:
    'Open the 5-hour window of every idle account with one tiny request each; only with confirm, because it counts.',
  risk: 'spend',
  args: { confirm: z.boolean().describe('true sends the requests').optional() },
  userOnly: ['confirm'],
  async run(runtime, { confirm }, context) {
    const pool = await runtime.store.read()
    const rows: WarmRow[] = []
    for (const [position, account] of pool.accounts.entries()) {
      const row = { index: position + 1, account: accountName(account, position, runtime.config) }
      const nowMs = runtime.clock.now()
      const windows = Object.values(runtime.ledger.windowsByLimit(account.uid, nowMs)).flat()
      const isRunning = windows.some(
        (window) => window.kind === 'five_hour' && window.usedPercent > 0,
      )
      if (
        account.enabled === false ||
        account.needsLogin !== undefined ||
        account.kind === 'api-key'
      )
        rows.push({ ...row, status: 'skipped', detail: 'not usable for this' })
      else if (isRunning)
        rows.push({ ...row, status: 'running', detail: 'its window is open already' })
      else if (confirm !== true) rows.push({ ...row, status: 'would_start', detail: '' })
      else {
        context.progress(`warming ${row.account}`)
        rows.push(
          await warm(position).then(
            (): WarmRow => ({ ...row, status: 'started', detail: '' }),
            (error: unknown): WarmRow => {
              if (context.signal.aborted) throw error
              return {
                ...row,
                status: 'failed',
                detail: redactText(messageOf(error)).slice(0, 120),
              }
            },
          ),
        )
      }
    }
    const count = (status: WarmRow['status']): number =>
      rows.filter((row) => row.status === status).length
    const planned = count('would_start')
    return {
      warmed: count('started'),
      failed: count('failed'),
      accounts: rows,
      message:
        planned > 0
          ? `${counted(planned, 'request')} would be sent. Nothing was sent; pass confirm to send them.`
          : `${counted(count('started'), 'window')} opened.`,
    }

    async function warm(position: number): Promise<void> {
      const account = pool.accounts[position]
      if (account === undefined) return
      const grant = await runtime.tokens.access(account, context.signal)
      const response = await runtime.fetch(codexDestination(runtime.endpoints), {
        method: 'POST',
        headers: outgoingHeaders(undefined, {
          token: grant.token,
          account: grant.account,
          userAgent: runtime.userAgent,
        }),
        body: WARM_BODY,
        redirect: 'error',
        signal: AbortSignal.any([context.signal, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]),
      })
      const nowMs = runtime.clock.now()
      const reading = readingOfHeaders(response.headers, nowMs)
      if (reading !== undefined) runtime.ledger.observe(account.uid, reading, nowMs)
      const text = await response.text()
      if (!response.ok) throw new Error(`the backend answered with status ${response.status}`)
      // A limit can also end a stream that began well.
      if (!/"type":\s*"response\.(?:completed|done|incomplete)"/.test(text))
        throw new Error('the answer did not end well')
    }
  },
  render: (data) =>
    [
      ...data.accounts.map(
        (row) =>
          `${row.account}: ${row.status.replaceAll('_', ' ')}${row.detail === '' ? '' : ` (${row.detail})`}`,
      ),
      data.message,
    ].join('\n'),
  failed: (data) => data.failed > 0,
})
