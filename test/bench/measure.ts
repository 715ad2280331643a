import { failover } from './failover.js'
import { load } from './load.js'
import { streams } from './streams.js'
import { createBench } from './support.js'
import { untilUpstream } from './until-upstream.js'

const [dist = '', upstream = '', size = 'full'] = process.argv.slice(2)
const bench = createBench({ dist, upstream, isQuick: size === 'quick' })
await untilUpstream(bench)
await streams(bench)
await failover(bench)
await load(bench)
process.stdout.write(`${JSON.stringify(bench.rows)}\n`)
process.exit(0)
