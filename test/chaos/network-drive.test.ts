import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { describe, expect, it } from 'vitest'

import { parsePool } from '../../lib/accounts/store/pool-format.js'
import { bundledWorker } from '../support/bundled-worker.js'
import { endOf, type Running, startProcess } from '../support/child-process.js'
import { temporaryFolder } from '../support/temporary.js'
import { tokenStage } from '../support/token-stage.js'
import { SOAK } from './soak.js'
import { readTurns } from './turns.js'

const END_MS = 60_000

describe('a home on a network drive', () => {
  const drive = bundledWorker('test/chaos/network-drive.ts')
  const locker = bundledWorker('test/chaos/lock-worker.ts')
  const writer = bundledWorker('test/chaos/store-writer.ts')
  const window = bundledWorker('test/chaos/refresh-worker.ts')
  const coarse = bundledWorker('test/chaos/coarse-worker.ts')

  function start(
    root: string,
    options: Readonly<Record<string, unknown>>,
    args: readonly string[],
    stdin?: string,
  ): Running {
    return startProcess({
      file: process.execPath,
      args: ['--import', drive(), ...args],
      cwd: root,
      env: { DRIVE: JSON.stringify({ root, ...options }) },
      ...(stdin === undefined ? {} : { stdin }),
    })
  }

  it.skipIf(process.platform !== 'linux')(
    'has one holder of a lock, and who slept too long is told, although what is said of its files is half a minute old',
    async () => {
      const folder = await temporaryFolder()
      const file = path.join(folder, 'counter')
      await writeFile(`${file}.log`, '')
      const options = { cacheMs: 30_000, tickMs: 1_000 }
      const workers = ['a', 'b', 'c'].map((name) =>
        start(folder, options, [locker(), file, name, '2000', '3000']),
      )
      for (let round = 0; round < 4 * SOAK; round += 1) {
        const one = workers[round % workers.length]!
        await sleep(700)
        one.signal('SIGSTOP')
        await sleep(3_600)
        one.signal('SIGCONT')
      }
      for (const one of workers) one.kill()
      await Promise.all(workers.map(({ ended }) => ended))
      const { turns } = readTurns(await readFile(`${file}.log`, 'utf8'))
      const overlaps = turns.filter(
        (turn, index) => index > 0 && turn.from < turns[index - 1]!.until,
      )
      expect(overlaps, 'two held the lock at the same time').toEqual([])
      expect(turns.length).toBeGreaterThan(2)
    },
    60_000 * SOAK,
  )

  it('has no token spent twice by a window that is told of an account file of a while ago', async () => {
    const { folder, file, dir, server, store, newTokens } = await tokenStage({ expiresInMs: -1000 })
    // It reads the file before another window renews the token, and asks afterwards.
    const late = startProcess({
      file: process.execPath,
      args: ['--import', drive(), window(), file, dir, server.issuer, '3'],
      cwd: folder,
      env: { DRIVE: JSON.stringify({ root: folder, cacheMs: 30_000 }), GO_AFTER_MS: '2500' },
      stdin: 'go\n',
    })
    await late.waitFor('ready')
    const [account] = (await store.read()).accounts
    await newTokens().access(account!)
    expect(server.counts).toEqual({ rotated: 1, reused: 0, failed: 0 })
    const { stdout } = await endOf(late, END_MS)
    expect(stdout).not.toContain('rejected')
    expect(server.counts).toMatchObject({ reused: 0 })
  }, 60_000)

  it.each([
    ['fsync is not supported', { refuses: { sync: 'ENOTSUP' } }],
    ['fsync is not known', { refuses: { sync: 'EINVAL' } }],
    ['modes cannot be changed', { refuses: { chmod: 'EPERM' } }],
    ['files have no number and no birth', { isNameless: true, tickMs: 2_000 }],
    ['answers to a rename get lost', { losesRenames: 4 }],
    ['nothing tells of changes', { refuses: { watch: 'ENOSYS' }, cacheMs: 3_000 }],
  ])(
    'stores every change where %s',
    async (_name, options) => {
      const folder = await temporaryFolder()
      const file = path.join(folder, 'accounts.json')
      const writers = ['one', 'two', 'three'].map((name) => ({
        name,
        running: start(folder, options, [writer(), file, path.join(folder, 'backups'), name]),
      }))
      await Promise.all(writers.map(({ running }) => running.waitFor(/\d+ 4\n/)))
      for (const { name, running } of writers) {
        running.kill()
        const { stdout } = await running.ended
        const turn = Number(/(\d+)\n$/.exec(stdout)?.[1])
        const parsed = parsePool(await readFile(file, 'utf8'))
        if (parsed.kind !== 'pool') throw new Error('the account file is not whole')
        const account = parsed.pool.accounts.find((one) => one.accountId === name)
        // One more may have been stored than was said when the kill came.
        expect([`rt-${name}-${turn}`, `rt-${name}-${turn + 1}`]).toContain(account?.refreshToken)
      }
    },
    60_000,
  )

  it('shows every version of a file as another one, although times are of two seconds', async () => {
    const folder = await temporaryFolder()
    const options = { isNameless: true, tickMs: 2_000 }
    const worker = start(folder, options, [coarse(), path.join(folder, 'file'), '20'])
    expect(await endOf(worker, END_MS)).toMatchObject({ stdout: '20\n' })
  })
})
