import { counted } from '../../kernel/text/plural.js'
import * as z from 'zod'

import { type Account, isSignedIn } from '../../accounts/account.js'
import { accountName } from '../../accounts/labels.js'
import { codexDestination } from '../../request/endpoint.js'
import { outgoingHeaders } from '../../request/headers/headers.js'
import { messageOf } from '../../kernel/errors.js'
import { redactText } from '../../kernel/text/redact.js'
import { type Tone, toned } from '../../kernel/text/tones.js'
import { readingOfHeaders } from '../../quota/readings.js'
import type { Runtime } from '../../runtime.js'
import { NO_ACCOUNT } from '../account-rows.js'
import { agreeing, defineTool } from '../definition.js'

type Status = 'started' | 'running' | 'skipped' | 'failed' | 'would_start'

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
    const rows: { index: number; account: string; status: Status; detail: string }[] = []
    for (const [position, one] of pool.accounts.entries()) {
      const account = accountName(one, position, runtime.config)
      const add = (status: Status, detail = ''): void =>
        void rows.push({ index: position + 1, account, status, detail })
      const windows = Object.values(runtime.ledger.windowsByLimit(one.uid, runtime.clock.now()))
      const isRunning = windows
        .flat()
        .some(({ kind, usedPercent }) => kind === 'five_hour' && usedPercent > 0)
      if (!isSignedIn(one) || one.kind === 'api-key') add('skipped', 'not usable for this')
      else if (isRunning) add('running', 'its window is open already')
      else if (confirm !== true) add('would_start')
      else {
        context.progress(`warming ${account}`)
        await warm(runtime, one, context.signal).then(
          () => add('started'),
          (error: unknown) => {
            if (context.signal.aborted) throw error
            add('failed', redactText(messageOf(error)).slice(0, 120))
          },
        )
      }
    }
    const count = (status: Status): number => rows.filter((row) => row.status === status).length
    const planned = count('would_start')
    return {
      warmed: count('started'),
      failed: count('failed'),
      accounts: rows,
      message:
        rows.length === 0
          ? NO_ACCOUNT
          : planned > 0
            ? `${counted(planned, 'request')} would be sent. Nothing was sent; ${agreeing(context)} to send them.`
            : confirm === true
              ? `${counted(count('started'), 'window')} opened.`
              : 'No account has a window to open.',
    }
  },
  render: (data) =>
    [
      ...data.accounts.map(
        (row) =>
          `${row.account}: ${toned({ text: row.status.replaceAll('_', ' '), tone: TONES[row.status] })}${row.detail === '' ? '' : ` (${row.detail})`}`,
      ),
      data.message,
    ].join('\n'),
  failed: (data) => data.failed > 0,
})

const TONES: Readonly<Record<Status, Tone>> = {
  started: 'good',
  running: 'good',
  would_start: 'low',
  failed: 'bad',
  skipped: 'faint',
}

/** @throws where no window was opened */
async function warm(runtime: Runtime, given: Account, signal: AbortSignal): Promise<void> {
  const { token, account } = await runtime.tokens.access(given, signal)
  const response = await runtime.fetch(codexDestination(runtime.endpoints), {
    method: 'POST',
    headers: outgoingHeaders(undefined, { token, account, userAgent: runtime.userAgent }),
    body: WARM_BODY,
    redirect: 'error',
    signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]),
  })
  const nowMs = runtime.clock.now()
  const reading = readingOfHeaders(response.headers, nowMs)
  if (reading !== undefined) runtime.ledger.observe(given.uid, reading, nowMs)
  const text = await response.text()
  if (!response.ok) throw new Error(`the backend answered with status ${response.status}`)
  // A limit can also end a stream that began well.
  if (!/"type":\s*"response\.(?:completed|done|incomplete)"/.test(text))
    throw new Error('the answer did not end well')
}
