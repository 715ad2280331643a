import { failover } from './failover.js'
import { load } from './load.js'
import { requests } from './requests.js'
import { streams } from './streams.js'
import { createBench, type Given } from './support.js'
import { transports } from './transports.js'
import { untilUpstream } from './until-upstream.js'

const given = JSON.parse(process.argv[2] ?? '') as Given
const bench = createBench(given)
// As the host does: the plugin's own pauses keep no process alive.
setInterval(() => undefined, 60_000)
const parts = {
  'until-upstream': untilUpstream,
  requests,
  streams,
  failover,
  load,
  // Node has no WebSocket that is used.
  transports: async () => (given.runtime === 'bun' ? transports(bench, given.ports) : undefined),
}
for (const [name, measure] of Object.entries(parts)) {
  if (!given.only.includes(name)) continue
  process.stderr.write(`${given.runtime}: ${name}\n`)
  await measure(bench)
}
process.stdout.write(`${JSON.stringify(bench.rows)}\n`)
process.exit(0)
