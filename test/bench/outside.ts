import { disk } from './disk.js'
import { createOutside } from './processes.js'
import { coldStart, firstRequest } from './starts.js'
import type { Given } from './support.js'
import { whole } from './whole.js'

const given = JSON.parse(process.argv[2] ?? '') as Given
const outside = createOutside(given)
const parts = { 'cold-start': coldStart, 'first-request': firstRequest, disk, whole }
for (const [name, measure] of Object.entries(parts)) {
  if (!given.only.includes(name)) continue
  process.stderr.write(`${given.runtime}: ${name}\n`)
  await measure(outside)
}
process.stdout.write(`${JSON.stringify(outside.rows)}\n`)
