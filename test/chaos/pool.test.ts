import { describe, expect, it } from 'vitest'

import { bunCommand } from '../../scripts/opencode-binary.mjs'
import { createPrng } from '../../simulator/prng.js'
import { bundledWorker } from '../support/bundled-worker.js'
import type { Running } from '../support/child-process.js'
import { SOAK } from './soak.js'
import { chaosStage, expectCleanEnds, reports } from './stage.js'

const PROCESSES = 8
const REQUESTS = 200 * SOAK
const ACCOUNTS = ['a', 'b', 'c', 'd', 'e']
const SEED = Number(process.env.CHAOS_SEED ?? 11)
const KILLS = 6 * SOAK

describe('eight windows over five accounts', () => {
  const worker = bundledWorker('test/chaos/pool-worker.ts')

  it.each([
    ['by HTTP', undefined, {}],
    [
      'by WebSocket and compressed',
      bunCommand(),
      { CODEX_AUTH_TRANSPORT: 'auto', CODEX_AUTH_REQUEST_COMPRESSION: 'auto' },
    ],
  ])(
    'get every answer right %s while tokens end, limits hit, the backend fails and windows are killed',
    async (_way, runtime, settings: Readonly<Record<string, string>>) => {
      const random = createPrng(SEED)
      const stage = await chaosStage(worker, ACCOUNTS, SEED, runtime)
      const { simulator } = stage
      simulator.addRules([
        {
          when: { endpoint: 'responses' },
          probability: 0.02,
          do: { type: 'server_error', status: 503 },
        },
        {
          when: { endpoint: 'responses' },
          probability: 0.02,
          do: { type: 'stream_failed', code: 'server_error' },
        },
        { when: { endpoint: 'responses' }, probability: 0.02, do: { type: 'cut', at: 'connect' } },
        {
          when: { endpoint: 'responses' },
          probability: 0.01,
          do: { type: 'rate_limit', retryAfterSec: 1 },
        },
        {
          when: { endpoint: 'token' },
          probability: 0.05,
          do: { type: 'server_error', status: 500 },
        },
      ])
      const windows = Array.from({ length: PROCESSES }, (_, index) =>
        stage.start(`w${index}`, String(REQUESTS), settings),
      )
      const victims: Running[] = []

      const mischief = (async () => {
        for (let round = 0; round < KILLS; round += 1) {
          await new Promise((resolve) => setTimeout(resolve, 300 + random.int(0, 500)))
          const name = ACCOUNTS[random.int(0, ACCOUNTS.length - 1)]!
          // One account at its limit for a moment; a victim window that dies in the middle of its work.
          simulator.patchAccount(name, {
            windows: [{ minutes: 300, limit: 100, used: 100, resetsInMs: 1_500 }],
          })
          const victim = stage.start(`v${round}`, String(REQUESTS), settings)
          victims.push(victim)
          await victim.waitFor(/ok\n/, 20_000).catch(() => undefined)
          victim.kill()
          await victim.ended
          simulator.patchAccount(name, { windows: [{ minutes: 300, limit: 1_000_000 }] })
        }
      })()
      const ends = await Promise.all(windows.map((window) => window.ended))
      await mischief

      const lines = reports(ends)
      const bad = lines.filter((line) => line !== 'ok')
      const { all, reused } = stage.refreshes()
      console.log(
        `pool: ${lines.length} requests by ${PROCESSES} windows, ${bad.length} not answered, ${all} refreshes, ${reused} reused tokens, ${KILLS} kills, seed ${SEED}`,
      )
      expectCleanEnds(ends)
      expect(bad).toEqual([])
      const continued = simulator.requests.filter(({ incremental }) => incremental).length
      console.log(`pool: ${continued} requests held what was new alone`)
      expect(continued > 0).toBe(runtime !== undefined)
      expect(lines).toHaveLength(PROCESSES * REQUESTS)

      // A token whose answer died with a killed window is the one way to lose a login; it is told, never silent.
      const accounts = await stage.accountsAfterwards()
      expect(accounts.map(({ accountId }) => accountId)).toEqual(stage.accountIds)
      const lost = accounts.filter(({ needsLogin }) => needsLogin !== undefined)
      // In Bun two windows were seen to meet such a token at the same time; the cause is not known.
      const tries = runtime === undefined ? 1 : 2
      expect(reused).toBeLessThanOrEqual(tries * lost.length)
      for (const { needsLogin } of lost)
        expect(needsLogin?.reason).toMatch(/never finished|got no answer/)
    },
    170_000 * SOAK,
  )
})
