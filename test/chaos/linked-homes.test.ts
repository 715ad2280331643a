import { mkdir, readFile, realpath, symlink } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it } from 'vitest'

import { parsePool } from '../../lib/accounts/store/pool-format.js'
import { ACCOUNTS_FILE } from '../../lib/kernel/files/paths.js'
import { bundledWorker } from '../support/bundled-worker.js'
import { startProcess } from '../support/child-process.js'
import { temporaryFolder } from '../support/temporary.js'
import { SOAK } from './soak.js'
import { chaosStage, expectCleanEnds, reports } from './stage.js'

/** Ways in which a second home comes to the account file of the first. */
const LINKS = {
  'a linked file': async (real: string, root: string) => {
    await mkdir(root, { recursive: true })
    await symlink(path.join(real, ACCOUNTS_FILE), path.join(root, ACCOUNTS_FILE))
  },
  'a linked folder': async (real: string, root: string) => {
    await mkdir(path.dirname(root), { recursive: true })
    await symlink(real, root)
  },
  'a chain of links': async (real: string, root: string) => {
    await mkdir(root, { recursive: true })
    await symlink(path.join(real, ACCOUNTS_FILE), path.join(root, 'between.json'))
    await symlink('between.json', path.join(root, ACCOUNTS_FILE))
  },
} as const
const ways = Object.keys(LINKS) as (keyof typeof LINKS)[]

describe('two homes that are linked to one account file', () => {
  const windowWorker = bundledWorker('test/chaos/pool-worker.ts')
  const writerWorker = bundledWorker('test/chaos/store-writer.ts')

  it.each(SOAK > 1 ? ways : ways.slice(0, 1))(
    'spend every token once, with %s (each home had its own lease)',
    async (way) => {
      const stage = await chaosStage(windowWorker, ['a', 'b'], 31)
      const second = path.join(await temporaryFolder(), 'home')
      await LINKS[way](path.join(stage.home, '.opencode'), path.join(second, '.opencode'))
      const homes = [stage.home, second, stage.home, second]
      const ends = await Promise.all(
        homes.map((home, index) => stage.start(`w${index}`, '6s', { HOME: home }).ended),
      )
      expectCleanEnds(ends)
      expect(reports(ends).filter((line) => line !== 'ok')).toEqual([])
      const { all, reused } = stage.refreshes()
      console.log(
        `linked homes, ${way}: ${reports(ends).length} requests, ${all} refreshes, ${reused} reused tokens`,
      )
      expect(all).toBeGreaterThan(3)
      expect(reused).toBe(0)
      expect((await stage.accountsAfterwards()).map(({ needsLogin }) => needsLogin)).toEqual([
        undefined,
        undefined,
      ])
    },
    120_000,
  )

  it.each(ways)(
    'lose no edit, with %s, also when the file is still to be made',
    async (way) => {
      const real = path.join(await realpath(await temporaryFolder()), 'first', '.opencode')
      await mkdir(real, { recursive: true })
      const linked = path.join(path.dirname(path.dirname(real)), 'second', '.opencode')
      await LINKS[way](real, linked)
      const writers = [real, linked, real, linked].map((root, index) => {
        const name = `writer-${index}`
        return {
          name,
          running: startProcess({
            file: process.execPath,
            args: [
              writerWorker(),
              path.join(root, ACCOUNTS_FILE),
              path.join(root, 'backups'),
              name,
            ],
            cwd: path.dirname(real),
            env: {},
          }),
        }
      })
      await Promise.all(writers.map(({ running }) => running.waitFor(/\d+ 2\n/)))
      const stored = new Map<string, number>()
      for (const { name, running } of writers) {
        running.kill()
        const { stdout } = await running.ended
        stored.set(name, Number(/(\d+)\n$/.exec(stdout)?.[1]))
      }
      const parsed = parsePool(await readFile(path.join(real, ACCOUNTS_FILE), 'utf8'))
      if (parsed.kind !== 'pool') throw new Error('the account file is not whole')
      for (const [name, turn] of stored) {
        const account = parsed.pool.accounts.find((one) => one.accountId === name)
        // One more may have been stored than was said when the kill came.
        expect([`rt-${name}-${turn}`, `rt-${name}-${turn + 1}`]).toContain(account?.refreshToken)
      }
    },
    60_000,
  )
})
