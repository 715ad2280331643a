import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { isCodexError } from '../../../kernel/errors.js'
import { withFileLock } from '../../../kernel/lock/lock.js'
import { counted } from '../../../kernel/text/plural.js'
import { LOCK_STALE_MS } from '../job.js'
import { broken, held, type Round } from '../verdict.js'

/** Part of the time of a drill for counting. */
const SHARE = 0.15
const DEAD_HOLDERS = 2
/** A dead holder's lock may be kept until it is stale; then somebody must have it, ms. */
const TAKEOVER_MS = LOCK_STALE_MS + 8_000

/** One lock, many takers. */
export const lock: Round = {
  fault: 'lock',
  what: (processes) => `${processes} processes take one lock in turns`,
  async run(stage) {
    const file = path.join(stage.folder, 'counter')
    await writeFile(file, '0')
    const helpers = await stage.startAll(() => ({ kind: 'count', file }))
    for (const helper of helpers) helper.go()
    await stage.pause(stage.timeMs * SHARE)
    for (const helper of helpers) helper.stop()
    const ends = await Promise.all(helpers.map((helper) => helper.waitFor('counted')))
    const turns = ends.reduce((sum, end) => sum + end.turns, 0)
    const found = Number(await readFile(file, 'utf8'))
    return found === turns
      ? held(
          `${counted(turns, 'turn')} of ${helpers.length} processes with one lock, never two of them at once.`,
        )
      : broken(
          `${helpers.length} processes counted ${turns} turns with one lock, and the file says ${found}: two of them held it at once.`,
        )
  },
}

/** The lock of a process that was killed. */
export const deadHolder: Round = {
  fault: 'dead-holder',
  what: () => 'a process is killed while it holds a lock',
  async run(stage) {
    let longestMs = 0
    for (let round = 1; round <= DEAD_HOLDERS; round += 1) {
      const file = path.join(stage.folder, `held-${round}`)
      const helper = await stage.start({ kind: 'hold', file })
      helper.go()
      await helper.waitFor('holding')
      await helper.kill()
      const sinceMs = performance.now()
      const options = { staleMs: LOCK_STALE_MS, waitMs: TAKEOVER_MS, what: 'the lock' }
      try {
        await withFileLock(file, options, async () => undefined, stage.signal)
      } catch (error) {
        if (!isCodexError(error) || error.code !== 'store_busy') throw error
        return broken(
          `The lock of a killed process kept everybody out for more than ${TAKEOVER_MS / 1000} s.`,
        )
      }
      longestMs = Math.max(longestMs, performance.now() - sinceMs)
    }
    return held(
      `The lock of a killed process was free for the next one after ${(longestMs / 1000).toFixed(1)} s.`,
    )
  },
}
