import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'

import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'

import { parsePool } from '../../lib/accounts/store/pool-format.js'
import { anAccount, writePool } from '../support/records.js'
import { startTokenServer } from '../support/token-server.js'
import { noWindows, Windows } from './windows.js'

const PROCESSES = 5
const ACCOUNTS_EACH = 12
const REQUESTS_EACH = 5

describe.skipIf(noWindows)('several Windows processes on one account file', () => {
  let windows: Windows
  beforeAll(async () => {
    windows = await Windows.open()
  })

  async function accountsIn(file: string) {
    const parsed = parsePool(await readFile(file, 'utf8'))
    if (parsed.kind !== 'pool') throw new Error(`the file is not whole: ${JSON.stringify(parsed)}`)
    return parsed.pool.accounts
  }

  it('lose none of what they add at the same time, and leave no lock and no temporary file', async () => {
    const worker = windows.dos(await windows.built('test/windows/store-worker.ts'))
    const home = await windows.home('Anna Maria')
    const backups = windows.dos(home.file('backups'))
    const names = Array.from({ length: PROCESSES }, (_, index) => `p${index}`)
    const ends = await Promise.all(
      names.map((name) =>
        windows.run('node', [
          worker,
          windows.dos(home.accountsFile),
          backups,
          name,
          String(ACCOUNTS_EACH),
        ]),
      ),
    )
    expect(ends.map(({ code, stderr }) => `${code ?? 'ended'} ${stderr}`)).toEqual(
      names.map(() => '0 '),
    )
    const stored = (await accountsIn(home.accountsFile)).map(({ accountId }) => accountId)
    const added = names.flatMap((name) =>
      Array.from({ length: ACCOUNTS_EACH }, (_, turn) => `${name}-${turn}`),
    )
    expect(stored.toSorted()).toEqual(added.toSorted())
    const left = await readdir(path.dirname(home.accountsFile))
    expect(left.filter((name) => /lock|tmp/.test(name))).toEqual([])
  })

  it('renew an expired token once, and each request is answered', async () => {
    const worker = windows.dos(await windows.built('test/chaos/refresh-worker.ts'))
    const server = await startTokenServer()
    onTestFinished(() => server.close())
    server.delayMs = 500
    const home = await windows.home('Jörg')
    await writePool(home.accountsFile, [
      anAccount('a', { refreshToken: server.grant('a'), expiresAt: Date.now() - 1_000 }),
    ])
    const args = [
      worker,
      windows.dos(home.accountsFile),
      windows.dos(home.file('refresh')),
      server.issuer,
      String(REQUESTS_EACH),
    ]
    const ends = await Promise.all(
      Array.from({ length: PROCESSES }, () => windows.run('node', args, { stdin: 'go\n' })),
    )
    const outcomes = ends.flatMap(({ stdout, stderr }) => {
      const line = stdout.split('\n').find((one) => one.startsWith('['))
      if (line === undefined) throw new Error(`a window said nothing: ${stdout}${stderr}`)
      return JSON.parse(line) as PromiseSettledResult<unknown>[]
    })
    expect(outcomes.map(({ status }) => status)).toEqual(
      Array.from({ length: PROCESSES * REQUESTS_EACH }, () => 'fulfilled'),
    )
    expect(server.counts).toEqual({ rotated: 1, reused: 0, failed: 0 })
    expect((await accountsIn(home.accountsFile))[0]?.refreshToken).toBe('rt_a_2')
  })
})
