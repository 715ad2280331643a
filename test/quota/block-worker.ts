import { setTimeout } from 'node:timers/promises'

import { systemClock } from '../../lib/kernel/clock.js'
import { createQuotaLedger } from '../../lib/quota/ledger.js'

/** One window that blocks an account of its own and ends, at a given moment (epoch ms). */
const [file = '', uid = '', atMs = '0'] = process.argv.slice(2)
const ledger = createQuotaLedger({ file, clock: systemClock, log: { log: () => undefined } })
await ledger.load()
await setTimeout(Math.max(0, Number(atMs) - Date.now()))
const sinceMs = Date.now()
ledger.block(uid, {
  scope: '*',
  reason: 'usage_limit',
  source: 'body',
  sinceMs,
  untilMs: sinceMs + 3_600_000,
})
await ledger.close()
