import { readFile, stat } from 'node:fs/promises'

import { afterEach, describe, expect, it } from 'vitest'

import { startHostServer } from '../support/host-server.js'
import { noTerminal, openTerminal } from '../support/tmux.js'
import { isListening } from '../support/port.js'
import { METHODS, setStage, type Stage } from './setup.js'

describe('a login', () => {
  let stage: Stage | undefined
  afterEach(async () => {
    await stage?.close()
    stage = undefined
  })

  it('in the browser opens it, takes the redirect and leaves nothing listening', async () => {
    stage = await setStage({ simulator: { settings: { autoApprove: 'work' } } })
    const login = await stage.host.login(METHODS.browser)
    expect(login.code, login.stdout + login.stderr).toBe(0)
    expect(login.stdout).toContain('Login successful')
    const [opened] = await stage.host.openedInBrowser()
    expect(new URL(opened!).searchParams.get('code_challenge_method')).toBe('S256')
    const pool = JSON.parse(await readFile(stage.accountsFile, 'utf8'))
    expect(pool).toMatchObject({
      version: 3,
      accounts: [{ email: 'work@example.test', accountIdSource: 'token', planType: 'plus' }],
    })
    expect((await stat(stage.accountsFile)).mode & 0o777).toBe(0o600)
    for (const port of [1455, 1457]) expect(await isListening(port)).toBe(false)
  })

  it('puts no token into the login file of the host', async () => {
    stage = await setStage({ signedIn: ['personal'] })
    const entry = JSON.parse(await readFile(stage.host.authFile, 'utf8')).openai
    expect(entry).toMatchObject({
      type: 'oauth',
      refresh: 'managed-by-oc-codex-multi-auth',
      access: 'managed-by-oc-codex-multi-auth',
    })
    const tokens = JSON.parse(await readFile(stage.accountsFile, 'utf8')).accounts[0]
    expect(await readFile(stage.host.authFile, 'utf8')).not.toContain(tokens.refreshToken)
  })

  it('says what went wrong when the user refuses, and stores nothing', async () => {
    stage = await setStage({
      simulator: { scenario: { when: { endpoint: 'authorize' }, do: { type: 'deny' } } },
    })
    const login = await stage.host.login(METHODS.browser)
    expect(login.stdout + login.stderr).toContain('The login was refused')
    await expect(readFile(stage.accountsFile, 'utf8')).rejects.toThrow('ENOENT')
  })

  it('works through the routes the TUI’s /connect uses', async () => {
    stage = await setStage({
      simulator: { settings: { autoApprove: 'work' } },
      host: { env: { BROWSER_FOLLOWS: '0' } },
    })
    const server = await startHostServer(stage.host)
    try {
      const methods = (await server.request('GET', '/provider/auth')) as {
        openai: { label: string }[]
      }
      const method = methods.openai.findIndex(({ label }) => label === METHODS.browser)
      const pending = (await server.request('POST', '/provider/openai/oauth/authorize', {
        method,
        inputs: {},
      })) as { url: string; method: string }
      expect(pending.method).toBe('auto')
      await fetch(pending.url)
      expect(await server.request('POST', '/provider/openai/oauth/callback', { method })).toBe(true)
      expect(JSON.parse(await readFile(stage.accountsFile, 'utf8')).accounts).toHaveLength(1)
    } finally {
      await server.stop()
    }
  })

  it.skipIf(noTerminal).each([
    ['on a desktop', {}, ['browser', 'device', 'paste']],
    ['over SSH', { DISPLAY: '', SSH_CONNECTION: '10.0.0.2 5 10.0.0.1 22' }, ['device', 'browser']],
    ['in a container', { DISPLAY: '' }, ['device', 'browser', 'paste']],
    ['in WSL', { DISPLAY: '', WSL_DISTRO_NAME: 'Ubuntu' }, ['browser', 'device', 'paste']],
  ] as const)('is offered %s by the way that works there first', async (_name, env, order) => {
    stage = await setStage()
    const { host } = stage
    const terminal = await openTerminal({
      command: [host.binary, 'auth', 'login', '--provider', 'openai'],
      cwd: host.project,
      env: { ...host.env, ...env },
      columns: 120,
      rows: 30,
    })
    try {
      const screen = await terminal.waitFor(/paste the address/)
      const places = order.map((name) => screen.indexOf(METHODS[name]))
      expect(places.every((place) => place >= 0)).toBe(true)
      expect(places).toEqual([...places].sort((a, b) => a - b))
    } finally {
      await terminal.close()
    }
  })

  it.skipIf(noTerminal)('by pasting the last address works in a terminal', async () => {
    stage = await setStage()
    const { host, simulator } = stage
    const command = [
      host.binary,
      'auth',
      'login',
      '--provider',
      'openai',
      '--method',
      METHODS.paste,
    ] as const
    const terminal = await openTerminal({
      command: [...command],
      cwd: host.project,
      env: host.env,
      columns: 900,
      rows: 30,
    })
    try {
      const screen = await terminal.waitFor(/Paste the authorization code/)
      const url = /Go to: (http\S+)/.exec(screen)?.[1] ?? ''
      const answer = await fetch(`${url}&sim_account=personal`, { redirect: 'manual' })
      await terminal.type(answer.headers.get('location') ?? '')
      await terminal.press('Enter')
      await terminal.waitForEnd()
    } finally {
      await terminal.close()
    }
    expect(JSON.parse(await readFile(stage.accountsFile, 'utf8')).accounts[0].email).toBe(
      'personal@example.test',
    )
    expect(simulator.requests.find(({ path }) => path === '/oauth/token')).toMatchObject({
      status: 200,
    })
  })
})
