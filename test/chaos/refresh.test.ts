import { type ChildProcess, spawn } from 'node:child_process'
import path from 'node:path'

import { describe, expect, it, onTestFinished } from 'vitest'

import { withLogin } from '../../lib/accounts/edits.js'
import { createAccountStore } from '../../lib/accounts/store/store.js'
import { systemClock } from '../../lib/kernel/clock.js'
import { bundledWorker } from '../support/bundled-worker.js'
import { temporaryFolder } from '../support/temporary.js'
import { startTokenServer } from '../support/token-server.js'

type Outcome = PromiseSettledResult<{ token: string; atMs: number }>

describe('one expired token and several windows', () => {
  const worker = bundledWorker('test/chaos/refresh-worker.ts')

  async function setUp() {
    const folder = await temporaryFolder()
    const server = await startTokenServer()
    onTestFinished(() => server.close())
    const file = path.join(folder, 'accounts.json')
    const store = createAccountStore({
      path: file,
      backupsDir: path.join(folder, 'backups'),
      clock: systemClock,
    })
    await store.update(
      (pool) =>
        withLogin(pool, {
          refreshToken: server.grant('a'),
          accessToken: 'at_old',
          expiresAt: Date.now() - 1000,
          accountId: 'w',
          addedAt: 0,
          lastUsed: 0,
        }).pool,
    )
    const start = async (): Promise<{
      child: ChildProcess
      go: () => void
      outcomes: Promise<Outcome[]>
    }> => {
      const child = spawn(
        process.execPath,
        [worker(), file, path.join(folder, 'refresh'), server.issuer, '5'],
        { stdio: ['pipe', 'pipe', 'inherit'] },
      )
      let text = ''
      child.stdout.setEncoding('utf8').on('data', (part: string) => (text += part))
      const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
      await expect.poll(() => text, { timeout: 20_000 }).toContain('ready')
      return {
        child,
        go: () => void child.stdin.write('go\n'),
        outcomes: ended.then(() => {
          const line = text.split('\n').find((one) => one.startsWith('['))
          return line === undefined ? [] : (JSON.parse(line) as Outcome[])
        }),
      }
    }
    return { server, store, start }
  }

  it('spend one refresh for 4 processes with 5 requests each, and all 20 are answered', async () => {
    const { server, store, start } = await setUp()
    server.delayMs = 100
    const windows = await Promise.all([start(), start(), start(), start()])
    for (const window of windows) window.go()
    const outcomes = (await Promise.all(windows.map((window) => window.outcomes))).flat()
    expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(20)
    expect(server.counts).toEqual({ rotated: 1, reused: 0, failed: 0 })
    expect((await store.read()).accounts[0]?.refreshToken).toBe('rt_a_2')
  }, 60_000)

  it('are not harmed when the process that refreshes is killed before the answer: nobody spends the token twice', async () => {
    const { server, store, start } = await setUp()
    const victim = await start()
    server.delayMs = 300
    server.onSpent = () => {
      victim.child.kill('SIGKILL')
    }
    victim.go()
    await victim.outcomes
    server.onSpent = () => undefined
    const next = await start()
    next.go()
    const outcomes = await next.outcomes
    // The answer died with the process: the next one tries the old token, is told so, and says what happened.
    expect(outcomes.map((outcome) => outcome.status)).toEqual(
      Array.from({ length: 5 }, () => 'rejected'),
    )
    expect(server.counts.rotated).toBe(1)
    expect((await store.read()).accounts[0]?.needsLogin?.reason).toContain('never finished')
  }, 60_000)
})
