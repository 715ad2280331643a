import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it, onTestFinished } from 'vitest'

import { parsePool } from '../../lib/accounts/pool-format.js'
import { parseLedger } from '../../lib/quota/ledger-state.js'
import { createPrng } from '../../lib/simulator/prng.js'
import { startSimulator } from '../../lib/simulator/index.js'
import { bundledWorker } from '../support/bundled-worker.js'
import { type Running, startProcess } from '../support/child-process.js'
import { temporaryFolder } from '../support/temporary.js'

const PROCESSES = 8
const REQUESTS = Number(process.env.CHAOS_REQUESTS ?? 200)
const ACCOUNTS = ['a', 'b', 'c', 'd', 'e']
const SEED = Number(process.env.CHAOS_SEED ?? 11)
/** Kills during a run; a longer soak asks for more. */
const KILLS = Number(process.env.CHAOS_KILLS ?? 6)

describe('eight windows over five accounts', () => {
  const worker = bundledWorker('test/chaos/pool-worker.ts')

  it('get every answer right while tokens end, limits hit, the backend fails and windows are killed', async () => {
    const home = await temporaryFolder()
    const random = createPrng(SEED)
    const simulator = await startSimulator({ accounts: ACCOUNTS.map((name) => ({ name, windows: [{ minutes: 300, limit: 1_000_000 }] })), seed: SEED, settings: { accessTokenSeconds: 1 } })
    onTestFinished(() => simulator.close())
    const stored = ACCOUNTS.map((name) => {
      const tokens = simulator.login(name)
      const { accountId, uid } = simulator.account(name)
      return { refreshToken: tokens.refresh_token, accessToken: tokens.access_token, expiresAt: Date.now() + 1_000, accountId, accountUserId: uid, email: `${name}@example.test`, addedAt: 1, lastUsed: 0 }
    })
    const root = path.join(home, '.opencode')
    const file = path.join(root, 'oc-codex-multi-auth-accounts.json')
    await mkdir(root)
    await writeFile(file, JSON.stringify({ version: 3, accounts: stored, activeIndex: 0 }), { mode: 0o600 })
    simulator.addRules([
      { when: { endpoint: 'responses' }, probability: 0.02, do: { type: 'server_error', status: 503 } },
      { when: { endpoint: 'responses' }, probability: 0.02, do: { type: 'stream_failed', code: 'server_error' } },
      { when: { endpoint: 'responses' }, probability: 0.02, do: { type: 'cut', at: 'connect' } },
      { when: { endpoint: 'responses' }, probability: 0.01, do: { type: 'rate_limit', retryAfterSec: 1 } },
      { when: { endpoint: 'token' }, probability: 0.05, do: { type: 'server_error', status: 500 } },
    ])
    const env = { HOME: home, PATH: process.env.PATH ?? '', OC_CODEX_SIMULATOR_ISSUER: simulator.url, OC_CODEX_SIMULATOR_BACKEND: simulator.backend, CODEX_AUTH_TOKEN_REFRESH_SKEW_MS: '500', CODEX_AUTH_RETRY_PROFILE: 'aggressive' }
    const start = (index: number): Running => startProcess({ file: process.execPath, args: [worker(), String(REQUESTS), `w${index}`], cwd: home, env })
    const windows = Array.from({ length: PROCESSES }, (_, index) => start(index))
    const victims: Running[] = []

    const mischief = (async () => {
      for (let round = 0; round < KILLS; round += 1) {
        await new Promise((resolve) => setTimeout(resolve, 300 + random.int(0, 500)))
        const name = ACCOUNTS[random.int(0, ACCOUNTS.length - 1)]!
        // One account at its limit for a moment; a victim window that dies in the middle of its work.
        simulator.patchAccount(name, { windows: [{ minutes: 300, limit: 100, used: 100, resetsInMs: 1_500 }] })
        const victim = start(100 + round)
        victims.push(victim)
        await victim.waitFor(/ok\n/, 20_000).catch(() => undefined)
        victim.kill()
        await victim.ended
        simulator.patchAccount(name, { windows: [{ minutes: 300, limit: 1_000_000 }] })
      }
    })()
    const ends = await Promise.all(windows.map((window) => window.ended))
    await mischief

    const lines = ends.flatMap(({ stdout }) => stdout.split('\n').filter((line) => /^(?:ok|bad)/.test(line)))
    const bad = lines.filter((line) => line !== 'ok')
    const refreshes = simulator.requests.filter((request) => request.path === '/oauth/token')
    const reused = refreshes.filter((request) => request.status === 401)
    console.log(`pool: ${lines.length} requests by ${PROCESSES} windows, ${bad.length} not answered, ${refreshes.length} refreshes, ${reused.length} reused tokens, ${KILLS} kills, seed ${SEED}`)
    expect(ends.map(({ code }) => code), ends.map(({ stderr }) => stderr).join('\n')).toEqual(Array.from({ length: PROCESSES }, () => 0))
    expect(bad).toEqual([])
    expect(lines).toHaveLength(PROCESSES * REQUESTS)

    // A token whose answer died with a killed window is the one way to lose a login; it is told, never silent.
    const pool = parsePool(await readFile(file, 'utf8'))
    if (pool.kind !== 'pool') throw new Error(`the account file is not whole: ${JSON.stringify(pool)}`)
    expect(pool.pool.accounts.map(({ accountId }) => accountId)).toEqual(stored.map(({ accountId }) => accountId))
    const lost = pool.pool.accounts.filter(({ needsLogin }) => needsLogin !== undefined)
    expect(reused.length).toBeLessThanOrEqual(lost.length)
    for (const { needsLogin } of lost) expect(needsLogin?.reason).toMatch(/never finished|got no answer/)
    const state = path.join(home, '.local', 'state', 'opencode')
    parseLedger(await readFile(path.join(state, 'oc-codex-multi-auth-quota.json'), 'utf8'))
    expect((await readdir(root)).filter((name) => name.includes('corrupt'))).toEqual([])
  }, 170_000)
})
