import { setTimeout } from 'node:timers/promises'

import { createCore } from '../../lib/core.js'
import { resolvePaths } from '../../lib/kernel/files/paths.js'

/** One window that takes so many turns of one session, the first well before the others, says so, and stays open. */
const [turns = '1', body = ''] = process.argv.slice(2)
const core = await createCore({
  host: { log: () => undefined, toast: () => undefined },
  paths: resolvePaths(process.env),
  env: process.env,
  directory: process.cwd(),
})
setInterval(() => undefined, 60_000)
for (let turn = 0; turn < Number(turns); turn += 1) {
  const answer = await core.fetch('https://api.openai.com/v1/responses', {
    method: 'POST',
    headers: { 'session-id': 'ses_1' },
    body,
  })
  await answer.text()
  if (turn === 0) await setTimeout(500)
}
process.stdout.write('turns are over\n')
