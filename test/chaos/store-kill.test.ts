import { readFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it } from 'vitest'

import { parsePool } from '../../lib/accounts/store/pool-format.js'
import { bundledWorker } from '../support/bundled-worker.js'
import { startProcess } from '../support/child-process.js'
import { temporaryFolder } from '../support/temporary.js'
import { SOAK } from './soak.js'

const ROUNDS = 8 * SOAK
const WRITERS = 3

/** A small generator with a seed, so that a failing run can be repeated. */
function mulberry(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

describe('the account file under SIGKILL', () => {
  const worker = bundledWorker('test/chaos/store-writer.ts')

  it(
    'is whole and has lost nothing after writers were killed at random moments, many times',
    async () => {
      const folder = await temporaryFolder()
      const file = path.join(folder, 'accounts.json')
      const seed = Number(process.env.CHAOS_SEED ?? 7)
      const random = mulberry(seed)
      const stored = new Map<string, number>()
      let kills = 0
      for (let round = 0; round < ROUNDS; round += 1) {
        const writers = Array.from({ length: WRITERS }, (_, index) => {
          const name = `writer-${index}`
          return {
            name,
            running: startProcess({
              file: process.execPath,
              args: [worker(), file, path.join(folder, 'backups'), name],
              cwd: folder,
              env: {},
            }),
          }
        })
        // Each in its turn: who comes first is luck, and every one has to come through.
        await writers[round % WRITERS]?.running.waitFor(/\d+ \d+\n/)
        await new Promise((resolve) => setTimeout(resolve, random() * 120))
        for (const { name, running } of writers) {
          running.kill()
          kills += 1
          const { stdout } = await running.ended
          const last = /(\d+)\n$/.exec(stdout)?.[1]
          if (last !== undefined) stored.set(name, Number(last))
        }
        const parsed = parsePool(await readFile(file, 'utf8'))
        expect(parsed, `seed ${seed}, round ${round}`).toMatchObject({ kind: 'pool' })
        if (parsed.kind !== 'pool') return
        for (const [name] of stored) {
          const account = parsed.pool.accounts.find((one) => one.accountId === name)
          expect(account?.refreshToken, `seed ${seed}, round ${round}, ${name}`).toMatch(
            new RegExp(`^rt-${name}-\\d+$`),
          )
        }
      }
      expect(stored.size).toBe(WRITERS)
      console.log(
        `account file: ${kills} kills of ${WRITERS} writers, seed ${seed}, file whole after each`,
      )
    },
    170_000 * SOAK,
  )
})
