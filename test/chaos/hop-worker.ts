/**
 * One OpenCode window that answers turns as it is told: a line of JSON `{session, input}` on its input is one turn, a line
 * `{status, events}` on its output what came of it.
 */
import { createInterface } from 'node:readline'

import { turnBody } from '../support/conversation.js'

const { createCore } = await import('../../lib/core.js')
const { resolvePaths } = await import('../../lib/kernel/files/paths.js')

const core = await createCore({
  host: { log: () => undefined, toast: () => undefined },
  paths: resolvePaths(process.env),
  env: process.env,
  directory: process.env.HOME ?? '',
})
process.stdout.write('ready\n')
for await (const line of createInterface({ input: process.stdin })) {
  const { session, input } = JSON.parse(line) as { session: string; input: unknown[] }
  const response = await core.fetch('https://api.openai.com/v1/responses', {
    method: 'POST',
    headers: { 'session-id': session },
    body: turnBody(input),
  })
  process.stdout.write(
    `${JSON.stringify({ status: response.status, text: await response.text() })}\n`,
  )
}
await core.close()
process.exit(0)
