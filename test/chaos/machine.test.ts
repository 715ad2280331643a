import { describe, expect, it } from 'vitest'

import { bundledWorker } from '../support/bundled-worker.js'
import type { Fault } from './faults.js'
import { SOAK } from './soak.js'
import { chaosStage, expectCleanEnds, reports } from './stage.js'

const ACCOUNTS = ['a', 'b', 'c']
const WINDOWS = 4
const HOUR_MS = 3_600_000
/** One pass of trouble; a soak repeats it. Between the faults the windows have time to recover. */
const ROUND_MS = 12_000

/** Starts are slow on a busy machine: the first fault waits until the windows run. */
const START_MS = 3_000

function rounds(faults: readonly Fault[]): Fault[] {
  return Array.from({ length: SOAK }, (_, round) =>
    faults.map((fault) => ({
      ...fault,
      fromMs: START_MS + round * ROUND_MS + fault.fromMs,
      untilMs: START_MS + round * ROUND_MS + fault.untilMs,
    })),
  ).flat()
}

describe('four windows on a machine in trouble', () => {
  const worker = bundledWorker('test/chaos/pool-worker.ts')

  async function run(faults: readonly Fault[], seed: number) {
    const stage = await chaosStage(worker, ACCOUNTS, seed)
    const env = {
      OC_FAULTS: JSON.stringify(rounds(faults)),
      OC_FAULTS_EPOCH: String(Date.now()),
      ...(process.env.CHAOS_LOG === undefined ? {} : { CHAOS_LOG: '1' }),
    }
    const seconds = (START_MS + ROUND_MS * SOAK) / 1_000
    const ends = await Promise.all(
      Array.from(
        { length: WINDOWS },
        (_, index) => stage.start(`w${index}`, `${seconds}s`, env).ended,
      ),
    )
    if (process.env.CHAOS_LOG !== undefined)
      console.log(ends.map(({ stderr }) => stderr).join('\n'))
    const lines = reports(ends)
    const bad = lines.filter((line) => line.startsWith('bad'))
    const excused = lines.filter((line) => line.startsWith('faulty'))
    expectCleanEnds(ends)
    return {
      stage,
      lines,
      bad,
      excused,
      accounts: await stage.accountsAfterwards(),
      refreshes: stage.refreshes(),
    }
  }

  it(
    'lose no account and no token when the disk is full and when it turns read-only, and go on by themselves',
    async () => {
      const { stage, lines, bad, excused, accounts, refreshes } = await run(
        [
          { kind: 'disk-full', fromMs: 0, untilMs: 3_000 },
          { kind: 'read-only', fromMs: 6_000, untilMs: 9_000 },
        ],
        21,
      )
      console.log(
        `disk: ${lines.length} requests by ${WINDOWS} windows, ${excused.length} refused while the disk took nothing, ${bad.length} wrong, ${refreshes.all} refreshes, ${refreshes.reused} reused tokens`,
      )
      expect(bad).toEqual([])
      // A token whose successor cannot be stored is not spent; the user reads why.
      for (const line of excused)
        expect(line).toMatch(
          /could not be written|cannot be written|is not writable|has not saved the result yet/,
        )
      expect(refreshes.reused).toBe(0)
      expect(accounts.map(({ accountId, needsLogin }) => [accountId, needsLogin])).toEqual(
        stage.accountIds.map((id) => [id, undefined]),
      )
    },
    120_000 * SOAK,
  )

  it(
    'answer everything while the clock jumps forth and back by hours',
    async () => {
      const { stage, lines, bad, accounts, refreshes } = await run(
        [
          { kind: 'clock', fromMs: 0, untilMs: 2_500, offsetMs: 3 * HOUR_MS },
          { kind: 'clock', fromMs: 5_000, untilMs: 7_500, offsetMs: -3 * HOUR_MS },
          { kind: 'clock', fromMs: 7_500, untilMs: 10_000, offsetMs: 20_000 },
        ],
        22,
      )
      console.log(
        `clock: ${lines.length} requests by ${WINDOWS} windows, ${bad.length} not answered, ${refreshes.all} refreshes, ${refreshes.reused} reused tokens`,
      )
      expect(bad).toEqual([])
      expect(refreshes.reused).toBe(0)
      expect(accounts.map(({ accountId, needsLogin }) => [accountId, needsLogin])).toEqual(
        stage.accountIds.map((id) => [id, undefined]),
      )
    },
    120_000 * SOAK,
  )
})
