import { existsSync } from 'node:fs'
import { copyFile, readFile } from 'node:fs/promises'

import { beforeAll, describe, expect, it } from 'vitest'

import { aPool, anAccount } from '../support/records.js'
import { WindowsHost } from './host.js'
import { type Home, noWindows, Windows, type WindowsEnd } from './windows.js'

const NAME = 'oc-codex-multi-auth'

describe.skipIf(noWindows)('the files of a Windows user', () => {
  let windows: Windows
  let cli: string
  beforeAll(async () => {
    windows = await Windows.open()
    cli = windows.dos(await windows.packedCli())
  })

  function run(
    home: Home,
    args: readonly string[],
    env: Record<string, string | null> = {},
  ): Promise<WindowsEnd> {
    return windows.run('node', [cli, ...args], { env: { ...home.env, ...env } })
  }

  it.each(['Anna Maria', 'Jörg Müller', 'Łukasz 名前', "O'Neil & Söhne (100%) !x^"])(
    'are found by the installer, the account list and the backup in a profile named %s',
    async (name) => {
      const home = await windows.home(name)
      await home.write(home.accountsFile, aPool([anAccount('a'), anAccount('b')]))
      const installed = await run(home, ['install'])
      expect(installed.code, installed.stderr).toBe(0)
      expect(JSON.parse(await readFile(home.hostConfig, 'utf8')).plugin).toEqual([NAME])
      const listed = await run(home, ['list', '--json'])
      expect(JSON.parse(listed.stdout), listed.stderr).toMatchObject({
        storagePath: windows.dos(home.accountsFile),
        totalAccounts: 2,
      })
      const removed = await run(home, ['remove', '2', '--confirm', '--json'])
      expect(removed.code, removed.stdout + removed.stderr).toBe(0)
      expect(JSON.parse(await readFile(home.accountsFile, 'utf8')).accounts).toHaveLength(1)
    },
  )

  it('lie in USERPROFILE, where OpenCode reads, when a shell like Git Bash has another HOME', async () => {
    const home = await windows.home('Anna Maria')
    const other = await windows.home('other')
    const env = { HOME: windows.dos(other.folder) }
    const installed = await run(home, ['install'], env)
    expect(installed.code, installed.stderr).toBe(0)
    expect(existsSync(other.hostConfig)).toBe(false)
    const host = await WindowsHost.start(windows, home)
    await copyFile(home.file('.npmrc'), other.file('.npmrc'))
    const shown = await host.opencode(['debug', 'config'], env)
    expect(shown.stdout, shown.stderr).toContain(NAME)
  })

  it('lie in USERPROFILE when Git Bash writes HOME its own way', async () => {
    const home = await windows.home('Anna')
    const installed = await run(home, ['install'], { HOME: '/c/Users/Anna' })
    expect(installed.code, installed.stderr).toBe(0)
    expect(JSON.parse(await readFile(home.hostConfig, 'utf8')).plugin).toEqual([NAME])
  })

  // With its schema: OpenCode writes one in itself, and drops the mark then.
  it.each([
    [
      'CRLF',
      '{\r\n  "$schema": "https://opencode.ai/config.json",\r\n  // mine\r\n  "autoupdate": false,\r\n  "plugin": []\r\n}\r\n',
    ],
    [
      'a byte order mark',
      '\uFEFF{\n  "$schema": "https://opencode.ai/config.json",\n  "autoupdate": false,\n  "plugin": []\n}\n',
    ],
    [
      'both',
      '\uFEFF{\r\n\t"$schema": "https://opencode.ai/config.json",\r\n\t"autoupdate": false, // mine\r\n\t"plugin": [],\r\n}\r\n',
    ],
  ])(
    'with %s keep it: the installer edits opencode.json, and opencode.exe reads what came out',
    async (_name, text) => {
      const home = await windows.home('Anna')
      const host = await WindowsHost.start(windows, home)
      await home.write(home.hostConfig, text)
      const installed = await run(home, ['install'])
      expect(installed.code, installed.stderr).toBe(0)
      const after = await readFile(home.hostConfig, 'utf8')
      expect(after.startsWith('\uFEFF')).toBe(text.startsWith('\uFEFF'))
      expect(after.includes('// mine')).toBe(text.includes('// mine'))
      if (text.includes('\r\n')) expect(after.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/)
      else expect(after).not.toContain('\r')
      const shown = await host.opencode(['debug', 'config'])
      expect(shown.stdout, shown.stderr).toContain(NAME)
      const removed = await run(home, ['uninstall'])
      expect(removed.code, removed.stderr).toBe(0)
      const gone = await readFile(home.hostConfig, 'utf8')
      expect(gone).not.toContain(NAME)
      expect(gone.startsWith('\uFEFF')).toBe(text.startsWith('\uFEFF'))
    },
  )

  it('may be settings and accounts that an editor saved with CRLF and a byte order mark', async () => {
    const home = await windows.home('Anna')
    const edited = (text: string): string => `\uFEFF${text.replaceAll('\n', '\r\n')}`
    await home.write(home.accountsFile, edited(aPool([anAccount('a')])))
    await home.write(
      home.file('.opencode', 'openai-codex-auth-config.json'),
      edited('{\n  "rotationStrategy": "drain-first"\n}\n'),
    )
    const listed = await run(home, ['list', '--json'])
    expect(JSON.parse(listed.stdout), listed.stderr).toMatchObject({ totalAccounts: 1 })
    const shown = await run(home, ['config', 'rotationStrategy', '--json'])
    expect(shown.code, shown.stderr).toBe(0)
    expect(shown.stdout).toContain('drain-first')
  })
})
