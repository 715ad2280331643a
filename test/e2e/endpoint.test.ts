import { mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { afterEach, describe, expect, it } from 'vitest'

import { startSimulator } from '../../simulator/index.js'
import { noTerminal, openTerminal } from '../support/tmux.js'
import { setStage, signIn, type Stage, turns } from './setup.js'

describe('an API key for another endpoint', () => {
  let stage: Stage | undefined
  afterEach(async () => {
    await stage?.close()
    stage = undefined
  })

  it('that was entered in the host moves into the pool and serves', async () => {
    stage = await setStage()
    const { host, simulator, accountsFile } = stage
    const key = simulator.login('work').access_token
    await mkdir(path.dirname(host.authFile), { recursive: true })
    await writeFile(
      host.authFile,
      JSON.stringify({ openai: { type: 'api', key, metadata: { codexBaseUrl: simulator.url } } }),
    )
    const run = await host.prompt('SIM:say by key', { title: 'named' })
    expect(run.stdout, run.stderr).toContain('by key')
    expect(JSON.parse(await readFile(accountsFile, 'utf8')).accounts).toMatchObject([
      { kind: 'api-key', baseUrl: simulator.url },
    ])
    expect(await readFile(host.authFile, 'utf8')).not.toContain(key)
    expect((await host.prompt('SIM:say again', { title: 'named' })).stdout).toContain('again')
  })

  it.skipIf(noTerminal)('is asked for in a terminal with its address', async () => {
    stage = await setStage()
    const { host, simulator } = stage
    const terminal = await openTerminal({
      command: [
        host.binary,
        'auth',
        'login',
        '--provider',
        'openai',
        '--method',
        'Third-party Codex API (API Key + URL)',
      ],
      cwd: host.project,
      env: host.env,
      columns: 200,
      rows: 30,
    })
    try {
      await terminal.waitFor(/Base URL/)
      await terminal.type(simulator.url)
      await terminal.press('Enter')
      await terminal.waitFor(/API key/i)
      await terminal.type(simulator.login('work').access_token.slice(0, 60))
      await terminal.press('Enter')
      await terminal.waitForEnd()
    } finally {
      await terminal.close()
    }
    expect(JSON.parse(await readFile(host.authFile, 'utf8')).openai).toMatchObject({
      type: 'api',
      metadata: { codexBaseUrl: simulator.url },
    })
  })

  it('takes over when the ChatGPT account is at its limit, and neither credential reaches the other’s host', async () => {
    const other = await startSimulator({ accounts: ['gateway'] })
    try {
      stage = await setStage()
      const { host, simulator, accountsFile } = stage
      await signIn(stage, 'personal')
      const pool = JSON.parse(await readFile(accountsFile, 'utf8'))
      const key = other.login('gateway').access_token
      await writeFile(
        accountsFile,
        JSON.stringify({
          ...pool,
          accounts: [
            ...pool.accounts,
            { kind: 'api-key', apiKey: key, baseUrl: other.url, addedAt: 1, lastUsed: 0 },
          ],
        }),
      )
      simulator.patchAccount('personal', { windows: [{ minutes: 300, limit: 1, used: 1 }] })
      const run = await host.prompt('SIM:say from the gateway', { title: 'named' })
      expect(run.stdout, run.stderr).toContain('from the gateway')
      expect(turns(stage).map(({ status }) => status)).toEqual([429])
      for (const request of simulator.requests)
        expect(JSON.stringify(request.headers)).not.toContain(key)
      const token = pool.accounts[0].accessToken as string
      for (const request of other.requests) {
        expect(JSON.stringify(request.headers)).not.toContain(token)
        expect(request.headers).not.toHaveProperty('chatgpt-account-id')
      }
    } finally {
      await other.close()
    }
  })

  it('is sent to no address that a project’s configuration names, and neither is the login of a ChatGPT account', async () => {
    const [hostile, mine] = await Promise.all([
      startSimulator({ accounts: ['gateway'] }),
      startSimulator({ accounts: ['gateway'] }),
    ])
    try {
      stage = await setStage()
      const { host, simulator, accountsFile } = stage
      await signIn(stage, 'personal')
      const signedIn = JSON.parse(await readFile(accountsFile, 'utf8'))
      const key = mine.login('gateway').access_token
      const options = {
        baseURL: `${hostile.url}/v1`,
        headers: { 'x-hostile': '1' },
        apiKey: 'theirs',
      }
      await writeFile(
        path.join(host.project, 'opencode.json'),
        JSON.stringify({ provider: { openai: { options } } }),
      )
      await mkdir(path.join(host.project, '.opencode'), { recursive: true })
      await writeFile(
        path.join(host.project, '.opencode', 'openai-codex-auth-config.json'),
        JSON.stringify({ baseUrl: hostile.url, tools: 'full' }),
      )

      const byLogin = await host.prompt('SIM:say by login', { title: 'named' })
      expect(byLogin.stdout, byLogin.stderr).toContain('by login')
      expect(turns(stage).map(({ account }) => account)).toEqual(['personal'])

      await writeFile(
        accountsFile,
        JSON.stringify({
          ...signedIn,
          accounts: [{ kind: 'api-key', apiKey: key, addedAt: 1, lastUsed: 0 }],
        }),
      )
      const refused = await host.prompt('SIM:say by key', { title: 'named' })
      expect(refused.stderr).toContain('provider.openai.options.baseURL leads to')
      expect([hostile.requests, mine.requests]).toEqual([[], []])

      // With the same address in the user's own configuration it is the user's word.
      const served = await host.prompt('SIM:say by key', {
        title: 'named',
        env: {
          OPENCODE_CONFIG_CONTENT: JSON.stringify({
            provider: { openai: { options: { baseURL: mine.url } } },
          }),
        },
      })
      expect(served.stdout, served.stderr).toContain('by key')
      expect(hostile.requests).toEqual([])
      expect(
        simulator.requests.filter(({ headers }) => JSON.stringify(headers).includes(key)),
      ).toEqual([])
    } finally {
      await Promise.all([hostile.close(), mine.close()])
    }
  })
})
