import { cp, readFile } from 'node:fs/promises'
import path from 'node:path'

import { beforeAll, describe, expect, it } from 'vitest'

import { WindowsHost } from './host.js'
import { noWindows, Windows } from './windows.js'

const OPTED_IN = { CODEX_KEYCHAIN: '1' }
/** Like a real key: base64url. */
const SECRET = 'c2VjcmV0LW9mLXRoZS10ZXN0LW9ubHktMzItYnl0ZXM'

describe.skipIf(noWindows)('the Credential Manager of Windows', () => {
  let windows: Windows
  let worker: string
  let cli: string
  beforeAll(async () => {
    windows = await Windows.open()
    worker = windows.dos(await windows.built('test/windows/keychain-worker.ts'))
    cli = windows.dos(await windows.packedCli())
    // Where a user who followed the docs has @napi-rs/keyring: beside the product.
    const name = '@napi-rs'
    await cp(
      path.join(windows.stage.modules, name),
      path.join(windows.folder, 'node_modules', name),
      { recursive: true },
    )
  })

  async function keychain(
    runtime: 'node' | 'bun' | 'opencode',
    ...args: string[]
  ): Promise<{ via: string; result: unknown }> {
    const env = runtime === 'opencode' ? { BUN_BE_BUN: '1' } : {}
    const { code, stdout, stderr } = await windows.run(runtime, [worker, ...args], { env })
    expect(code, stderr).toBe(0)
    return JSON.parse(stdout) as { via: string; result: unknown }
  }

  it.each([
    ['bun', 'node'],
    ['node', 'bun'],
    ['opencode', 'node'],
    ['node', 'opencode'],
  ] as const)(
    'keeps what %s stored for %s, which only looks, and for both again',
    async (writer, reader) => {
      const name = `pool-key.${writer}-${reader}`
      expect(await keychain(reader, 'get', name)).toMatchObject({ result: null })
      await keychain(writer, 'set', name, SECRET)
      expect(await keychain(reader, 'get', name)).toEqual({
        via: reader === 'node' ? '@napi-rs/keyring' : 'Bun.secrets',
        result: SECRET,
      })
      // Looking once took the secret away, in an earlier version.
      expect(await keychain(writer, 'get', name)).toMatchObject({ result: SECRET })
      expect(await keychain(reader, 'delete', name)).toMatchObject({ result: true })
      expect(await keychain(writer, 'get', name)).toMatchObject({ result: null })
    },
  )

  it('holds the key of accounts that opencode.exe sealed, for the command line in Node, there and back', async () => {
    const home = await windows.home('Jörg Müller')
    const host = await WindowsHost.start(windows, home)
    const node = (args: string[], env = {}) =>
      windows.run('node', [cli, ...args], { env: { ...host.env, ...env } })
    const text = () => readFile(home.accountsFile, 'utf8')
    await node(['install'])
    const login = await host.signIn('personal', OPTED_IN)
    expect(login.stdout + login.stderr).toMatch(/success/i)
    expect(await text()).toContain('sealedWith')

    const listed = await node(['list', '--json'])
    expect(JSON.parse(listed.stdout), listed.stderr).toMatchObject({ totalAccounts: 1 })
    const refreshed = await node(['refresh', '--json'])
    expect(refreshed.code, refreshed.stdout + refreshed.stderr).toBe(0)
    const answered = await host.prompt('SIM:say after Node')
    expect(answered.stdout, answered.stderr).toContain('after Node')

    const back = await node(['keychain', 'rollback', '--confirm', '--json'])
    expect(back.code, back.stdout + back.stderr).toBe(0)
    expect(await text()).not.toContain('sealedWith')
    const migrated = await node(['keychain', 'migrate', '--confirm', '--json'], OPTED_IN)
    expect(migrated.code, migrated.stdout + migrated.stderr).toBe(0)
    expect(await text()).toContain('sealedWith')
    const again = await host.prompt('SIM:say sealed by Node')
    expect(again.stdout, again.stderr).toContain('sealed by Node')
    expect((await node(['keychain', 'rollback', '--confirm'])).code).toBe(0)
  })
})
