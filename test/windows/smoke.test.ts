import { readFile } from 'node:fs/promises'

import { beforeAll, describe, expect, it } from 'vitest'

import { WindowsHost } from './host.js'
import { noWindows, Windows } from './windows.js'

describe.skipIf(noWindows)(
  'opencode.exe with the packed plugin, for a user with a blank and an umlaut in the name',
  () => {
    let windows: Windows
    let cli: string
    beforeAll(async () => {
      windows = await Windows.open()
      cli = windows.dos(await windows.packedCli())
    })

    it('installs it from the registry, signs in by device code, answers, calls a tool and renews the token', async () => {
      const home = await windows.home('Jörg Müller')
      const host = await WindowsHost.start(windows, home)
      const { simulator, registry } = host
      const node = (...args: string[]) => windows.run('node', [cli, ...args], { env: host.env })

      const installed = await node('install')
      expect(installed.code, installed.stderr).toBe(0)
      expect(JSON.parse(await readFile(home.hostConfig, 'utf8')).plugin).toEqual([
        'oc-codex-multi-auth',
      ])

      const login = await host.signIn('personal')
      expect(login.stdout + login.stderr).toMatch(/success/i)
      expect(registry.requests.some((asked) => asked.endsWith('.tgz'))).toBe(true)
      expect(JSON.parse(await readFile(home.accountsFile, 'utf8')).accounts).toHaveLength(1)

      const answered = await host.prompt('SIM:say grüße')
      expect(answered.stdout, answered.stderr).toContain('grüße')

      const called = await host.prompt('SIM:tool codex-list {}', { CODEX_AUTH_TOOLS: 'full' })
      expect(called.code, called.stderr).toBe(0)
      const outputs = simulator.requests.filter(({ body }) => body.includes('function_call_output'))
      // As a model may see it.
      expect(outputs.at(-1)?.body).toContain('pe…@e….test')

      simulator.expireAccess()
      const from = simulator.requests.length
      const renewed = await host.prompt('SIM:say renewed')
      expect(renewed.stdout, renewed.stderr).toContain('renewed')
      expect(
        simulator.requests.slice(from).filter(({ path }) => path === '/oauth/token'),
      ).toHaveLength(1)

      const listed = await node('list', '--json')
      expect(JSON.parse(listed.stdout), listed.stderr).toMatchObject({ totalAccounts: 1 })
    })
  },
)
