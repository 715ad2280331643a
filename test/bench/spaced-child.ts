/**
 * A session that asks once a second, in a fresh process. Prints when the second request began and when the last answer had
 * settled, in epoch ms, and how long the end took.
 */
import { send, startPlugin } from './host.js'

const [, , entry = '', count = '2', spacing = '1000'] = process.argv
const { env } = process
const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, Number(spacing)))

const plugin = await startPlugin(entry, {
  home: env.HOME,
  auth: JSON.parse(env.BENCH_AUTH ?? '') as unknown,
})
let answered = 0
let from = 0
for (let index = 0; index < Number(count); index += 1) {
  if (index === 1) from = Date.now()
  const response = await send(plugin.fetch, env.BENCH_BODY ?? '')
  if ((await response.text()).includes('response.completed')) answered += 1
  await pause()
}
const to = Date.now()
await plugin.dispose()
process.stdout.write(`${JSON.stringify({ from, to, endMs: Date.now() - to, answered })}\n`)
process.exit(0)
