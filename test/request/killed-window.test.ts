import { readFile } from 'node:fs/promises'

import { expect, it, onTestFinished } from 'vitest'

import { createCore } from '../../lib/core.js'
import { parseLines } from '../../lib/history/lines.js'
import { resolvePaths } from '../../lib/kernel/files/paths.js'
import { parseLedger } from '../../lib/quota/ledger-state.js'
import { startSimulator } from '../../simulator/index.js'
import { bundledWorker } from '../support/bundled-worker.js'
import { startProcess } from '../support/child-process.js'
import { ask, firstTurn, FULL, ROOMY, served } from '../support/core-over.js'
import { aHome, homeIn } from '../support/home.js'
import { signedIn } from '../support/records.js'

const worker = bundledWorker('test/request/turns-worker.ts')
const TURNS = 8

it('a window that is killed right behind a turn loses readings, and neither a block nor a token', async () => {
  const simulator = await startSimulator({
    accounts: [
      { name: 'full', windows: FULL },
      { name: 'free', windows: ROOMY },
    ],
  })
  onTestFinished(() => simulator.close())
  const home = await aHome(['full', 'free'].map((name) => signedIn(simulator, name, -1_000)))
  const env = {
    ...homeIn(home),
    PATH: process.env.PATH ?? '',
    OC_CODEX_SIMULATOR_ISSUER: simulator.url,
    OC_CODEX_SIMULATOR_BACKEND: simulator.backend,
  }
  const body = await firstTurn()
  const window = startProcess({
    file: process.execPath,
    args: [worker(), String(TURNS), body],
    cwd: home,
    env,
  })
  onTestFinished(() => window.kill())
  await window.waitFor('turns are over')
  window.signal('SIGKILL')
  await window.ended
  expect(served(simulator)).toEqual(['full', ...Array.from({ length: TURNS }, () => 'free')])

  const paths = resolvePaths(env)
  const stored = Object.values(parseLedger(await readFile(paths.quotaFile, 'utf8')))
  expect(stored.flatMap(({ blocks }) => blocks.map(({ reason }) => reason))).toEqual([
    'usage_limit',
  ])
  // The first reading of an account is told; the next ones were waiting for their time.
  expect(stored.every(({ readAtMs }) => readAtMs !== undefined)).toBe(true)
  const turns = parseLines(await readFile(paths.historyFile, 'utf8').catch(() => ''))
  expect(turns.filter(({ type }) => type === 'turn').length).toBeLessThan(TURNS)

  const refreshes = () => simulator.requests.filter((one) => one.path === '/oauth/token').length
  const before = refreshes()
  const next = await createCore({
    host: { log: () => undefined, toast: () => undefined },
    paths,
    env,
    directory: home,
  })
  onTestFinished(() => next.close())
  const from = simulator.requests.length
  expect((await ask(next, body)).status).toBe(200)
  expect(served(simulator, from)).toEqual(['free'])
  expect(refreshes()).toBe(before)
})
