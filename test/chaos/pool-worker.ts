import { createCore } from '../../lib/core.js'
import { resolvePaths } from '../../lib/kernel/paths.js'

/** One OpenCode window: sends prompts through the whole plugin, one after the other in a few sessions, and reports. */
const [count = '200', name = 'w'] = process.argv.slice(2)
setInterval(() => undefined, 60_000)
const core = await createCore({ host: { log: () => undefined, toast: () => undefined }, paths: resolvePaths(process.env), env: process.env, directory: process.env.HOME ?? '' })
process.stdout.write('ready\n')
const body = (text: string): string =>
  JSON.stringify({ model: 'gpt-5.5', instructions: 'x', input: [{ role: 'user', content: [{ type: 'input_text', text }] }], store: false, stream: true, include: ['reasoning.encrypted_content'] })
const LANES = 4
let next = 0
async function lane(index: number): Promise<void> {
  while (next < Number(count)) {
    next += 1
    const said = `${name}-${next}`
    const response = await core.fetch('https://api.openai.com/v1/responses', { method: 'POST', headers: { 'session-id': `ses_${name}_${index}` }, body: body(`SIM:say ${said}`) })
    const text = await response.text()
    // The text of the answer is in the event that ends the message.
    const ok = response.status === 200 && text.includes(`"text":"${said}"`) && text.includes('response.completed')
    process.stdout.write(`${ok ? 'ok' : `bad ${response.status} ${text.slice(-300).replaceAll('\n', ' ')}`}\n`)
  }
}
await Promise.all(Array.from({ length: LANES }, (_, index) => lane(index)))
await core.close()
process.stdout.write('done\n')
process.exit(0)
