import { readFile } from 'node:fs/promises'
import path from 'node:path'

import { expect, it } from 'vitest'

import { parseLedger } from '../../lib/quota/ledger-state.js'
import { bundledWorker } from '../support/bundled-worker.js'
import { startProcess } from '../support/child-process.js'
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
