import { chmod, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it } from 'vitest'

import type { Keychain } from '../../lib/accounts/keychain/keychain.js'
import { guarded } from '../../lib/accounts/keychain/keychain-guard.js'
import { systemKeychain } from '../../lib/accounts/keychain/keychain-system.js'
import { whereScriptsRun } from '../support/platforms.js'
import { temporaryFolder } from '../support/temporary.js'

/** A program of that name that notes its arguments and input, and runs a script. */
async function fakeProgram(name: string, script: string) {
  const folder = await temporaryFolder()
  const file = path.join(folder, name)
  await writeFile(
    file,
    `#!/bin/sh\necho "$@" >> "${folder}/argv"\n${script.replaceAll('$DIR', folder)}\n`,
  )
  await chmod(file, 0o755)
  const note = (what: string): Promise<string> =>
    readFile(path.join(folder, what), 'utf8').catch(() => '')
  return {
    env: { PATH: `${folder}:/usr/bin:/bin` },
    argv: () => note('argv'),
    stdin: () => note('stdin'),
  }
}

const linux = (env: NodeJS.ProcessEnv): Keychain =>
  systemKeychain({ env, platform: 'linux', secrets: undefined })
const mac = (env: NodeJS.ProcessEnv): Keychain =>
  systemKeychain({ env, platform: 'darwin', secrets: undefined })

describe('the keychain of the system', () => {
  it('is that of the host where there is one', async () => {
    const asked: unknown[] = []
    const secrets = { get: async (options: unknown) => (asked.push(options), null) }
    const keychain = systemKeychain({ env: {}, platform: 'linux', secrets })
    expect(keychain.via).toBe('Bun.secrets')
    expect(await keychain.get('pool-key-1')).toBeUndefined()
    expect(asked).toEqual([{ service: 'oc-codex-multi-auth', name: 'pool-key-1' }])
  })

  whereScriptsRun(
    'gives secret-tool a secret on its input, marked as Bun marks its own, and never as an argument',
    async () => {
      const fake = await fakeProgram('secret-tool', 'cat > "$DIR/stdin"')
      await linux(fake.env).set('pool-key-1', 'SECRET')
      expect(await fake.stdin()).toBe('SECRET')
      expect(await fake.argv()).toBe(
        'store --label=oc-codex-multi-auth/pool-key-1 xdg:schema com.oven-sh.bun.Secret service oc-codex-multi-auth account pool-key-1\n',
      )
    },
  )

  whereScriptsRun(
    'gives security of macOS a secret on its input, and never as an argument',
    async () => {
      const fake = await fakeProgram('security', 'cat > "$DIR/stdin"')
      await mac(fake.env).set('pool-key-1', 'SECRET')
      expect(await fake.stdin()).toBe(
        'add-generic-password -U -s oc-codex-multi-auth -a pool-key-1 -w SECRET\n',
      )
      expect(await fake.argv()).toBe('-i\n')
    },
  )

  whereScriptsRun.each([
    ['secret-tool', 'exit 1', linux],
    ['security', 'echo "could not be found" >&2; exit 44', mac],
  ] as const)('tells from %s that there is no such item', async (name, script, open) => {
    const { env } = await fakeProgram(name, script)
    expect(await open(env).get('pool-key-1')).toBeUndefined()
    expect(await open(env).delete('pool-key-1')).toBe(false)
  })

  it.each([
    ['secret-tool', 'echo "no service for SECRET" >&2; exit 1', linux],
    ['security', 'exit 51', mac],
    ['secret-tool', 'kill -9 $$', linux],
  ] as const)(
    'is unavailable when %s fails, without the words of that program',
    async (name, script, open) => {
      const { env } = await fakeProgram(name, script)
      const failed = expect.objectContaining({
        code: 'keychain_unreachable',
        message: expect.not.stringContaining('SECRET'),
      })
      await expect(open(env).get('pool-key-1')).rejects.toEqual(failed)
      await expect(open(env).set('pool-key-1', 'SECRET')).rejects.toEqual(failed)
      await expect(open(env).delete('pool-key-1')).rejects.toEqual(failed)
    },
  )

  it('names the program that is missing', async () => {
    const folder = await temporaryFolder()
    await expect(linux({ PATH: folder }).get('x')).rejects.toMatchObject({
      code: 'keychain_unreachable',
      message: expect.stringContaining('secret-tool'),
    })
  })

  it('names the optional package where nothing else serves', async () => {
    const keychain = systemKeychain({ env: {}, platform: 'win32', secrets: undefined })
    await expect(keychain.get('x')).rejects.toMatchObject({
      code: 'keychain_unreachable',
      message: expect.stringContaining('@napi-rs/keyring'),
    })
  })

  it('does not hang when it waits for somebody who does not come', async () => {
    const never = new Promise<never>(() => undefined)
    const keychain = guarded(
      { via: 'test', get: () => never, set: () => never, delete: () => never },
      { limitMs: 20 },
    )
    await expect(keychain.get('x')).rejects.toMatchObject({
      code: 'keychain_unreachable',
      message: expect.stringContaining('waiting to be unlocked'),
    })
  })
})
