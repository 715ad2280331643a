import { createCore } from '../../../lib/core.js'
import { resolvePaths } from '../../../lib/kernel/files/paths.js'

/**
 * One OpenCode window as a process: sends so many prompts through the whole plugin, one after the other, and says in JSON
 * lines what became of each and what the user was told.
 */
const count = Number(process.argv[2] ?? 1)
const say = (line: Record<string, unknown>): void =>
  void process.stdout.write(`${JSON.stringify(line)}\n`)

setInterval(() => undefined, 60_000)
const core = await createCore({
  host: {
    log: (level, message) => {
      if (level === 'error') say({ logged: message })
    },
    toast: ({ variant, message }) => say({ toast: variant, message }),
  },
  paths: resolvePaths(process.env),
  env: process.env,
  directory: process.env.HOME ?? '',
})
for (let turn = 1; turn <= count; turn += 1) {
  const body = {
    model: 'gpt-5.5',
    instructions: 'x',
    input: [{ role: 'user', content: [{ type: 'input_text', text: `SIM:say turn-${turn}` }] }],
    store: false,
    stream: true,
  }
  const response = await core.fetch('https://api.openai.com/v1/responses', {
    method: 'POST',
    headers: { 'session-id': `ses_${turn}` },
    body: JSON.stringify(body),
  })
  const text = await response.text()
  const isAnswered =
    response.status === 200 && text.includes(`turn-${turn}`) && text.includes('response.completed')
  say({
    turn,
    isAnswered,
    ...(isAnswered ? {} : { status: response.status, text: text.slice(-400) }),
  })
}
await core.close()
process.exit(0)
