import { failover } from './failover.js'
import { load } from './load.js'
import { streams } from './streams.js'
import { createBench } from './support.js'
import { transports } from './transports.js'
import { untilUpstream } from './until-upstream.js'

const [dist = '', upstream = '', size = 'full', ports = '[]', only = ''] = process.argv.slice(2)
const bench = createBench({ dist, upstream, isQuick: size === 'quick' })
const parts = {
  'until-upstream': untilUpstream,
  streams,
  failover,
  load,
  // Node has no WebSocket that is used.
  transports: async () =>
    process.versions.bun === undefined
      ? undefined
      : transports(bench, JSON.parse(ports) as readonly number[]),
}
for (const [name, measure] of Object.entries(parts))
  if (only === '' || only === name) await measure(bench)
process.stdout.write(`${JSON.stringify(bench.rows)}\n`)
process.exit(0)
