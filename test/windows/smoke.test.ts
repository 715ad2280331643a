import { readFile } from 'node:fs/promises'
import path from 'node:path'

import { beforeAll, describe, expect, it } from 'vitest'

import { DEFAULT_MODEL } from '../support/host.js'
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
        simulator.requests.slice(from).filter((request) => request.path === '/oauth/token'),
      ).toHaveLength(1)

      const listed = await node('list', '--json')
      expect(JSON.parse(listed.stdout), listed.stderr).toMatchObject({ totalAccounts: 1 })
    })

    it('runs a slash command without a shell, and starts opencode.exe for a self-test, found by PATH with quotes and PATHEXT', async () => {
      const host = await WindowsHost.start(windows, await windows.home('Jörg Müller'))
      const node = (args: string[], env: Record<string, string>) =>
        windows.run('node', [cli, ...args], { env: { ...host.env, ...env } })
      await node(['install'], {})
      await host.signIn('personal')

      const shown = await host.opencode(
        ['run', '--model', DEFAULT_MODEL, '--title', 'named', '--command', 'codex-status'],
        // Whoever starts a shell starts this one.
        { COMSPEC: 'C:\\no\\shell.exe', SHELL: null },
      )
      expect(shown.code, shown.stderr).toBe(0)
      const asked = host.simulator.requests.filter((request) => request.path.endsWith('/responses'))
      const isShown = asked.at(-1)?.body.includes('pe…@e….test  active') === true
      expect(isShown, shown.stderr).toBe(true)

      const folder = path.win32.dirname(windows.dos(windows.stage.opencode))
      const tested = await node(['doctor', '--self-test', '--json'], {
        PATH: `C:\\windows\\system32;"${folder}"`,
      })
      expect(tested.stdout + tested.stderr).toContain(
        'OpenCode was started and hands openai to this plugin',
      )
    })
  },
)
