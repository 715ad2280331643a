import { isDiskBroken } from './faults.js'
import { itemsOf, turnBody, user } from '../support/conversation.js'

/**
 * One OpenCode window: sends prompts through the whole plugin, one after the other in a few sessions, and reports a line
 * for each: `ok`, or what came instead; `faulty` before it when the disk was broken meanwhile.
 * Arguments: how many requests (or `120s`: for how long), and the name of the window.
 */
const { createCore } = await import('../../lib/core.js')
const { resolvePaths } = await import('../../lib/kernel/files/paths.js')

const [amount = '200', name = 'w'] = process.argv.slice(2)
const count = amount.endsWith('s') ? Infinity : Number(amount)
const endMs = amount.endsWith('s')
  ? performance.now() + Number.parseFloat(amount) * 1_000
  : Infinity
/** Time between two requests of a session, ms: a window that runs for long need not be the fastest. */
const PACE_MS = 20

setInterval(() => undefined, 60_000)
const log = (level: string, message: string, details?: unknown): void => {
  if (process.env.CHAOS_LOG !== undefined)
    process.stderr.write(`${name} ${level} ${message} ${JSON.stringify(details ?? {})}\n`)
}
const core = await createCore({
  host: { log, toast: () => undefined },
  paths: resolvePaths(process.env),
  env: process.env,
  directory: process.env.HOME ?? '',
})
process.stdout.write('ready\n')
const LANES = 4
/** A conversation this long begins again, as after a compaction. */
const MAX_HISTORY = 12
let next = 0
async function lane(index: number): Promise<void> {
  const session = `ses_${name}_${index}`
  let history: readonly unknown[] = []
  while (next < count && performance.now() < endMs) {
    next += 1
    const said = `${name}-${next}`
    const wasBroken = isDiskBroken()
    const input = [...history, user(`SIM:say ${said}`)]
    const response = await core.fetch('https://api.openai.com/v1/responses', {
      method: 'POST',
      headers: { 'session-id': session },
      body: turnBody(input, { prompt_cache_key: session }),
    })
    const text = await response.text()
    // The text of the answer is in the event that ends the message.
    const ok =
      response.status === 200 &&
      text.includes(`"text":"${said}"`) &&
      text.includes('response.completed')
    if (ok) history = input.length > MAX_HISTORY ? [] : [...input, ...itemsOf(text)]
    const mark = !ok && (wasBroken || isDiskBroken()) ? 'faulty ' : ''
    process.stdout.write(
      ok ? 'ok\n' : `${mark}bad ${response.status} ${text.slice(-300).replaceAll('\n', ' ')}\n`,
    )
    if (endMs < Infinity) await new Promise((resolve) => setTimeout(resolve, PACE_MS))
  }
}
await Promise.all(Array.from({ length: LANES }, (_, index) => lane(index)))
await core.close()
process.stdout.write('done\n')
process.exit(0)
