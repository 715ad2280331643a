import { readFile } from 'node:fs/promises'
import path from 'node:path'

import { expect, it, onTestFinished } from 'vitest'

import { systemClock } from '../../lib/kernel/clock.js'
import { createQuotaLedger } from '../../lib/quota/ledger.js'
import { parseLedger } from '../../lib/quota/ledger-state.js'
import { bundledWorker } from '../support/bundled-worker.js'
import { startProcess } from '../support/child-process.js'
import { recordFileOperations } from '../support/file-operations.js'
import { holdLock } from '../support/held-lock.js'
import { temporaryFolder } from '../support/temporary.js'
import { homeIn } from '../support/home.js'

const worker = bundledWorker('test/quota/block-worker.ts')
const WINDOWS = 12

it('windows that end at the same moment lose no block (each wrote without the lock after 0.1 s, over the others)', async () => {
  const folder = await temporaryFolder()
  const file = path.join(folder, 'quota.json')
  const uids = Array.from({ length: WINDOWS }, (_, index) => `uid-${index}`)
  const atMs = String(Date.now() + 3_000)
  const windows = uids.map((uid) =>
    startProcess({
      file: process.execPath,
      args: [worker(), file, uid, atMs],
      cwd: folder,
      env: { PATH: process.env.PATH ?? '', ...homeIn(folder) },
    }),
  )
  await Promise.all(windows.map(({ ended }) => ended))
  const stored = parseLedger(await readFile(file, 'utf8'))
  const blocked = Object.keys(stored).filter((uid) => (stored[uid]?.blocks.length ?? 0) > 0)
  expect(new Set(blocked)).toEqual(new Set(uids))
})

it('windows that end while another one holds the file keep every block, and none writes to the last of its tries', async () => {
  const file = path.join(await temporaryFolder(), 'quota.json')
  const uids = ['a', 'b', 'c', 'd']
  const sinceMs = Date.now()
  const ledgers = uids.map((uid) => {
    const ledger = createQuotaLedger({ file, clock: systemClock, log: { log: () => undefined } })
    const untilMs = sinceMs + 3_600_000
    ledger.block(uid, { scope: '*', reason: 'usage_limit', source: 'body', sinceMs, untilMs })
    return ledger
  })
  onTestFinished(await holdLock(file))
  const operations = recordFileOperations()
  await Promise.all(ledgers.map((ledger) => ledger.close()))
  const stored = parseLedger(await readFile(file, 'utf8'))
  expect(Object.keys(stored).sort()).toEqual(uids)
  const writes = operations.filter(({ name }) => name === 'rename')
  expect(writes.length).toBeLessThan(5 * uids.length)
})
