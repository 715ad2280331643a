import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it, onTestFinished } from 'vitest'

import { createCore } from '../../lib/core.js'
import { readyForLogin, saveApiKey, saveLogin } from '../../lib/core-late.js'
import { resolvePaths } from '../../lib/kernel/files/paths.js'
import { openRuntime } from '../../lib/open-runtime.js'
import { type Runtime } from '../../lib/runtime.js'
import { startSimulator } from '../../simulator/index.js'
import { coreOver } from '../support/core-over.js'
import { memoryKeychain, type MemoryKeychain } from '../support/memory-keychain.js'
import { runCli } from '../support/run-cli.js'
import { toolData } from '../support/run-tool.js'
import { temporaryFolder } from '../support/temporary.js'
import { homeIn } from '../support/home.js'

const NAME = 'oc-codex-multi-auth-accounts.json'
const DAMAGED: readonly (readonly [string, string])[] = [
  ['half of an account file', '{"version": 3, "accounts": [{"refreshToken": "rt-ol'],
  ['JSON of somebody else', '{"name": "package", "dependencies": {}}'],
  ['an empty file', ''],
  ['a list', '[1, 2]'],
  ['an unknown version', '{"version": 0, "accounts": []}'],
]
const NEWER = '{"version": 9, "accounts": [{"token": "of-the-future"}]}'

async function homeWithFile(text: string) {
  const home = await temporaryFolder()
  await mkdir(path.join(home, '.opencode'), { mode: 0o700 })
  const file = path.join(home, '.opencode', NAME)
  await writeFile(file, text)
  const aside = async (): Promise<string[]> =>
    (await readdir(path.dirname(file))).filter((name) => name.includes('.corrupt-'))
  const pool = async (): Promise<Record<string, unknown>[]> =>
    (JSON.parse(await readFile(file, 'utf8')) as { accounts: Record<string, unknown>[] }).accounts
  return { home, file, aside, pool }
}

async function loginServer() {
  const simulator = await startSimulator({
    accounts: ['work'],
    settings: { autoApprove: 'work', deviceIntervalSec: 0, deviceApproveAfterPolls: 1 },
  })
  onTestFinished(() => simulator.close())
  return {
    simulator,
    env: {
      OC_CODEX_SIMULATOR_ISSUER: simulator.url,
      OC_CODEX_SIMULATOR_BACKEND: simulator.backend,
    },
  }
}

function runtimeIn(
  home: string,
  options: { env?: NodeJS.ProcessEnv; keychain?: MemoryKeychain } = {},
): Runtime {
  const env = { ...homeIn(home), ...options.env }
  const runtime = openRuntime({
    env,
    directory: home,
    paths: resolvePaths(env),
    host: { log: () => undefined, toast: () => undefined },
    watch: false,
    ...(options.keychain === undefined ? {} : { keychain: options.keychain }),
  })
  onTestFinished(() => runtime.close())
  return runtime
}

const TOKENS = { accessToken: 'at-new', refreshToken: 'rt-new', expiresAt: Date.now() + 3_600_000 }

describe('a login where the account file is damaged', () => {
  it.each(DAMAGED)('is stored, and %s is kept beside it', async (_what, text) => {
    const { home, aside, pool } = await homeWithFile(text)
    const { env } = await loginServer()
    const { code, stdout, stderr } = await runCli(home, ['login', '--device'], { env })
    expect(code, stderr).toBe(0)
    expect(stdout).toContain('is signed in')
    expect(stderr).toMatch(/could not be used because .* moved to .*\.corrupt-/)
    expect(await pool()).toMatchObject([{ refreshToken: expect.stringMatching(/./) }])
    const [kept] = await aside()
    expect(await readFile(path.join(home, '.opencode', kept!), 'utf8')).toBe(text)
  })

  it.each(DAMAGED)(
    'is stored when %s came while the user was signing in (the approved login was thrown away)',
    async (_what, text) => {
      const { home, file, pool, aside } = await homeWithFile('{"version": 3, "accounts": []}')
      const { env } = await loginServer()
      const runtime = runtimeIn(home, { env })
      expect(await readyForLogin(runtime)).toBeUndefined()
      await writeFile(file, text)
      const { notice } = await saveLogin(runtime, TOKENS)
      expect(notice).toContain('moved to')
      expect(await pool()).toMatchObject([{ refreshToken: 'rt-new' }])
      expect(await aside()).toHaveLength(1)
    },
  )

  it('is stored when it is an API key', async () => {
    const { home, pool, aside } = await homeWithFile('not JSON')
    const { code, stderr } = await runCli(home, ['login', '--api-key'], {
      env: { OC_CODEX_API_KEY: 'sk-made-up' },
    })
    expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining('moved to') })
    expect(await pool()).toMatchObject([{ apiKey: 'sk-made-up' }])
    expect(await aside()).toHaveLength(1)
    const other = await homeWithFile('not JSON')
    expect(
      await saveApiKey(
        runtimeIn(other.home),
        { apiKey: 'sk-2', baseUrl: 'https://own.example/v1' },
        'the test',
      ),
    ).toMatchObject({ notice: expect.stringContaining('moved to') })
    expect(await other.pool()).toMatchObject([{ apiKey: 'sk-2' }])
  })

  it('is taken over by the first import, also by that of its own backup', async () => {
    const { home, pool } = await homeWithFile('{"version":')
    const backup = path.join(home, 'backup.json')
    await writeFile(
      backup,
      JSON.stringify({ version: 3, accounts: [{ refreshToken: 'rt-backup', accountId: 'w' }] }),
    )
    const { code, stdout, stderr } = await runCli(home, ['import', backup])
    expect({ code, stderr, stdout }).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/moved to .*\n1 added/),
    })
    expect(await pool()).toMatchObject([{ refreshToken: 'rt-backup' }])
  })

  it('is stored by the methods of the host: browser, device and paste look before they begin', async () => {
    for (const method of ['browser', 'device', 'paste'] as const) {
      const { home, pool, aside } = await homeWithFile('{"version": 3, "accounts": [')
      const { simulator, env } = await loginServer()
      const said: string[] = []
      const all = { ...homeIn(home), PATH: '/nonexistent', BROWSER: '/nonexistent', ...env }
      const core = await createCore({
        host: { log: () => undefined, toast: ({ message }) => void said.push(message) },
        paths: resolvePaths(all),
        env: all,
        directory: home,
      })
      onTestFinished(() => core.close())
      // The start of the plugin said it already; damage that comes later is said by the login.
      expect(said.join()).toContain('moved to')
      await writeFile(path.join(home, '.opencode', NAME), 'damaged again')
      const begun = await core.login.authorize(method)
      expect(said).toHaveLength(2)
      if (begun.method === 'code') {
        const answer = await fetch(begun.url, { redirect: 'manual' })
        await begun.callback(answer.headers.get('location') ?? '')
      } else {
        if (method === 'browser') await fetch(begun.url)
        await begun.callback()
      }
      expect(await pool(), `${method} ${simulator.url}`).toHaveLength(1)
      expect((await aside()).length).toBeGreaterThan(0)
    }
  })
})

describe('a login that could not be stored', () => {
  it.each([['--device'], ['--browser'], ['--paste'], ['--api-key']])(
    '%s is not begun where the file was written by a newer version, and nothing of that is lost',
    async (method) => {
      const { home, file } = await homeWithFile(NEWER)
      const { simulator, env } = await loginServer()
      const { code, stderr } = await runCli(home, ['login', method], {
        env: { ...env, OC_CODEX_API_KEY: 'sk-x' },
        answer: 'x',
      })
      expect({ code, stderr }).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('newer version'),
      })
      expect(await readFile(file, 'utf8')).toBe(NEWER)
      expect(simulator.requests).toEqual([])
    },
  )

  it.each(['browser', 'device', 'paste'] as const)(
    '%s is not begun by the host either',
    async (method) => {
      const { core, simulator } = await coreOver(['a'])
      await writeFile(core.runtime.store.path, NEWER)
      const before = simulator.requests.length
      await expect(core.login.authorize(method)).rejects.toMatchObject({ code: 'store_newer' })
      expect(simulator.requests).toHaveLength(before)
    },
  )

  it('is not begun while the keychain of a sealed file is locked, nor where a new file would be sealed', async () => {
    const home = await temporaryFolder()
    const keychain = memoryKeychain()
    const env = { CODEX_KEYCHAIN: '1' }
    keychain.broken = true
    await expect(readyForLogin(runtimeIn(home, { env, keychain }))).rejects.toMatchObject({
      code: 'keychain_unreachable',
    })
    keychain.broken = false
    expect(await readyForLogin(runtimeIn(home, { env, keychain }))).toBeUndefined()
    expect(keychain.items.size).toBe(0)
    await saveApiKey(
      runtimeIn(home, { env, keychain }),
      { apiKey: 'sk-1', baseUrl: 'https://own.example/v1' },
      'the test',
    )
    keychain.broken = true
    await expect(readyForLogin(runtimeIn(home, { env, keychain }))).rejects.toMatchObject({
      code: 'keychain_unreachable',
    })
  })

  it('is announced by an import that only looks: what was moved aside is said there too', async () => {
    const { home, aside } = await homeWithFile('damaged')
    const list = await toolData(runtimeIn(home), 'import', { dryRun: true })
    expect(list.message).toContain('moved to')
    expect(await aside()).toHaveLength(1)
  })
})
