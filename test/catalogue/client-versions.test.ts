import { chmod, mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'

import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'

import {
  type ClientVersionDeps,
  createClientVersions,
  LEARNED_FOR_MS,
  RETRY_AFTER_MS,
} from '../../lib/catalogue/client-versions.js'
import { clientVersionOf, isNewer, releaseIn } from '../../lib/models/client-version.js'
import { CODEX_CLI_VERSION } from '../../lib/models/facts.js'
import { resolveEndpoints } from '../../lib/oauth/endpoints.js'
import { ask, coreOver, firstTurn, RESPONSES } from '../support/core-over.js'
import { temporaryFolder } from '../support/temporary.js'
import { homeIn } from '../support/home.js'

const NOW = 1_800_000_000_000
const never = new AbortController().signal

/** A registry on loopback that answers what `answer` says now. */
async function registryOf(answer: () => { status?: number; body: string }) {
  const asked: string[] = []
  const server = http.createServer((request, response) => {
    asked.push(`${request.url ?? ''} ${request.headers.authorization ?? ''}`.trim())
    const { status = 200, body } = answer()
    response.writeHead(status, { 'content-type': 'application/json' }).end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked }
}
const published = (version: string) => ({
  body: JSON.stringify({ name: '@openai/codex', version }),
})

async function booksOver(options: Partial<ClientVersionDeps> & { nowMs?: number } = {}) {
  const home = options.home ?? (await temporaryFolder())
  const clock = { nowMs: options.nowMs ?? NOW }
  const file = options.file ?? path.join(home, 'cache', 'client-version.json')
  const open = (more: Partial<ClientVersionDeps> = {}) =>
    createClientVersions({
      file,
      setting: 'auto',
      registry: undefined,
      userAgent: 'test',
      env: {},
      home,
      fetch: globalThis.fetch,
      clock: { now: () => clock.nowMs, sleep: () => Promise.resolve() },
      log: { log: () => undefined },
      ...options,
      ...more,
    })
  return { open, clock, file, home }
}

describe('a release', () => {
  it.each([
    '',
    '1',
    '1.2',
    'v1.2.3',
    '1.2.3-alpha.1',
    '1.2.3+b',
    ' 1.2.3',
    '1.2.3\n',
    '01.2.3',
    '1.2.99999',
    7,
    null,
    {},
  ])('is three plain numbers and never %j', (value) => expect(releaseIn(value)).toBeUndefined())

  it('is ordered by its numbers, not by its letters', () => {
    const part = fc.integer({ min: 0, max: 9999 })
    fc.assert(
      fc.property(fc.tuple(part, part, part), fc.tuple(part, part, part), (left, right) => {
        const [a, b] = [left.join('.'), right.join('.')]
        expect([releaseIn(a), releaseIn(b)]).toEqual([a, b])
        expect(isNewer(a, b) && isNewer(b, a)).toBe(false)
        expect(isNewer(a, b) || isNewer(b, a)).toBe(a !== b)
      }),
    )
    expect([isNewer('0.170.0', '0.99.9'), isNewer('0.99.9', '0.170.0')]).toEqual([true, false])
  })
})

describe('the version in force', () => {
  it('is the newest known one, and never older than the one this package knows', () => {
    const at = (version: string) => ({ version, atMs: NOW })
    expect(clientVersionOf('auto', {})).toEqual({ version: CODEX_CLI_VERSION, source: 'bundled' })
    expect(clientVersionOf('auto', { installed: at('0.1.0'), registry: at('0.2.0') })).toEqual({
      version: CODEX_CLI_VERSION,
      source: 'bundled',
    })
    expect(
      clientVersionOf('auto', { installed: at('0.900.0'), registry: at('0.901.0') }),
    ).toMatchObject({ version: '0.901.0', source: 'registry' })
    expect(
      clientVersionOf('auto', { installed: at('0.900.0'), registry: at('0.900.0') }),
    ).toMatchObject({ version: '0.900.0', source: 'installed' })
  })

  it('is what the user wrote where the user wrote one, and nobody is asked then', async () => {
    const registry = await registryOf(() => published('0.900.0'))
    const { open } = await booksOver({ setting: '9.9.9-mine', registry: registry.url })
    const book = open()
    expect(await book.learn(never)).toBe(false)
    expect(book.inForce()).toEqual({ version: '9.9.9-mine', source: 'setting' })
    expect(registry.asked).toEqual([])
  })
})

describe('what is learned', () => {
  it('comes from the registry without a login, is kept for the next window, and is asked for again after a day', async () => {
    let newest = '0.900.0'
    const registry = await registryOf(() => published(newest))
    const { open, clock } = await booksOver({ registry: registry.url })
    const first = open()
    expect(await first.learn(never)).toBe(true)
    expect(first.inForce()).toEqual({ version: '0.900.0', source: 'registry', atMs: NOW })
    expect(registry.asked).toEqual(['/@openai/codex/latest'])

    newest = '0.901.0'
    const second = open()
    expect(second.inForce().version).toBe('0.900.0')
    expect(await second.learn(never)).toBe(false)
    expect(registry.asked).toHaveLength(1)
    clock.nowMs += LEARNED_FOR_MS + 1
    expect(await second.learn(never)).toBe(true)
    expect(second.inForce().version).toBe('0.901.0')
  })

  it.each([
    ['a failure', { status: 500, body: 'no' }],
    ['no release', { body: '{"name":"@openai/codex","version":"0.900.0-alpha.1"}' }],
    ['another package', { body: '{"name":"codex","version":"0.900.0"}' }],
    ['what is no JSON', { body: '<html>' }],
    ['an older release', { body: '{"name":"@openai/codex","version":"0.1.0"}' }],
    [
      'a very long answer',
      { body: `{"name":"@openai/codex","x":"${'x'.repeat(2 ** 21)}","version":"0.900.0"}` },
    ],
  ])(
    'leaves the version as it is after %s, and a day passes before the next question, of any window',
    async (_, answer) => {
      const registry = await registryOf(() => answer)
      const { open, clock } = await booksOver({ registry: registry.url })
      const book = open()
      expect(await book.learn(never)).toBe(false)
      expect(await book.learn(never)).toBe(false)
      expect(book.inForce()).toMatchObject({ version: CODEX_CLI_VERSION, source: 'bundled' })
      expect(registry.asked).toHaveLength(1)
      clock.nowMs += RETRY_AFTER_MS
      await book.learn(never)
      for (let window = 0; window < 8; window += 1) await open().learn(never)
      expect(registry.asked).toHaveLength(1)
      clock.nowMs += LEARNED_FOR_MS
      await open().learn(never)
      expect(registry.asked).toHaveLength(2)
    },
  )

  it('is asked for by one window while another one waits for the answer, and again by the next when that one is closed', async () => {
    let isWaiting = true
    const asked: string[] = []
    const server = http.createServer((request, response) => {
      asked.push(request.url ?? '')
      if (!isWaiting) response.end(published('0.900.0').body)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => {
      server.closeAllConnections()
      server.close()
    })
    const registry = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const { open, clock } = await booksOver({ registry })
    const ended = new AbortController()
    const first = open().learn(ended.signal)
    await expect.poll(() => asked).toHaveLength(1)
    for (let window = 0; window < 8; window += 1) expect(await open().learn(never)).toBe(false)
    expect(asked).toHaveLength(1)
    ended.abort()
    expect(await first).toBe(false)
    isWaiting = false
    clock.nowMs += RETRY_AFTER_MS
    expect(await open().learn(never)).toBe(true)
    expect(asked).toHaveLength(2)
  })

  it.each([
    ['broken', '{"version":1,"regi'],
    ['of another form', '{"version":2,"registry":{"version":"0.900.0","atMs":1}}'],
    ['with a bad version', '{"version":1,"registry":{"version":"0.900.0\\r\\nx: y","atMs":1}}'],
    ['a list', '[]'],
  ])('is nothing where the file is %s', async (_, text) => {
    const { open, file } = await booksOver()
    await mkdir(path.dirname(file), { recursive: true })
    await writeFile(file, text)
    expect(open().inForce()).toEqual({ version: CODEX_CLI_VERSION, source: 'bundled' })
  })

  it('is asked for again where the file is from the future', async () => {
    const registry = await registryOf(() => published('0.901.0'))
    const { open, file } = await booksOver({ registry: registry.url })
    await mkdir(path.dirname(file), { recursive: true })
    const atMs = NOW + 10 * LEARNED_FOR_MS
    await writeFile(file, JSON.stringify({ version: 1, registry: { version: '0.900.0', atMs } }))
    const book = open()
    expect(book.inForce().version).toBe('0.900.0')
    expect(await book.learn(never)).toBe(true)
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({
      registry: { version: '0.901.0', atMs: NOW },
    })
  })

  it('asks nobody outside while the backend is simulated', () => {
    expect(resolveEndpoints({}).registry).toBe('https://registry.npmjs.org')
    const simulated = { OC_CODEX_SIMULATOR_BACKEND: 'http://127.0.0.1:1' }
    expect(resolveEndpoints(simulated).registry).toBeUndefined()
    expect(() =>
      resolveEndpoints({ OC_CODEX_SIMULATOR_REGISTRY: 'https://registry.example' }),
    ).toThrow('must be an http URL on 127.0.0.1')
  })
})

describe.skipIf(process.platform === 'win32')('an installed Codex CLI', () => {
  /** A program `codex` that leaves a mark when it is started. */
  async function installed(home: string, mark: string, words = 'codex-cli 0.903.0') {
    const bin = path.join(home, 'bin')
    await mkdir(bin, { recursive: true })
    return {
      env: { PATH: `${bin}:/usr/bin:/bin`, ...homeIn(home) },
      program: path.join(bin, 'codex'),
      script: `#!/bin/sh\necho started > '${mark}'\necho '${words}'\n`,
    }
  }

  it('is known from its package, without starting it', async () => {
    const home = await temporaryFolder()
    const mark = path.join(home, 'mark')
    const { env, program, script } = await installed(home, mark)
    const folder = path.join(home, 'lib', 'node_modules', '@openai', 'codex')
    await mkdir(path.join(folder, 'bin'), { recursive: true })
    await writeFile(path.join(folder, 'package.json'), published('0.902.0').body)
    await writeFile(path.join(folder, 'bin', 'codex.js'), script)
    await chmod(path.join(folder, 'bin', 'codex.js'), 0o755)
    await symlink(path.join(folder, 'bin', 'codex.js'), program)
    const { open } = await booksOver({ home, env })
    const book = open()
    expect(await book.learn(never)).toBe(true)
    expect(book.inForce()).toMatchObject({ version: '0.902.0', source: 'installed' })
    await expect(readFile(mark)).rejects.toThrow('ENOENT')
  })

  it('is known from the model list it keeps', async () => {
    const home = await temporaryFolder()
    await mkdir(path.join(home, 'own'))
    await writeFile(
      path.join(home, 'own', 'models_cache.json'),
      JSON.stringify({ fetched_at: 'x', etag: 'y', client_version: '0.904.0', models: [] }),
    )
    const { open } = await booksOver({ home, env: { CODEX_HOME: path.join(home, 'own') } })
    const book = open()
    await book.learn(never)
    expect(book.inForce()).toMatchObject({ version: '0.904.0', source: 'installed' })
  })

  it.each([
    ['codex-cli 0.903.0', '0.903.0'],
    ['codex-cli 0.903.0-alpha.2', CODEX_CLI_VERSION],
    ['something else', CODEX_CLI_VERSION],
  ])('is asked only where no file tells: %j', async (words, version) => {
    const home = await temporaryFolder()
    const mark = path.join(home, 'mark')
    const { env, program, script } = await installed(home, mark, words)
    await writeFile(program, script, { mode: 0o755 })
    const { open } = await booksOver({ home, env })
    const book = open()
    await book.learn(never)
    expect(book.inForce().version).toBe(version)
    expect(await readFile(mark, 'utf8')).toBe('started\n')
  })
})

describe('the model list', () => {
  it('is asked for again when the version rises, and names the model that needed it', async () => {
    let newest = CODEX_CLI_VERSION
    const registry = await registryOf(() => published(newest))
    const env = { OC_CODEX_SIMULATOR_REGISTRY: registry.url }
    const { core, simulator } = await coreOver(['a'], { env })
    simulator.changeSettings({ minimalClients: { 'gpt-6-sol': '0.900.0' } })
    const { catalogue, store } = core.runtime
    const uid = store.peek()?.accounts[0]?.uid ?? ''
    await catalogue.refresh()
    expect(catalogue.modelsOf(uid)).toContain('gpt-5.5')
    expect(catalogue.modelsOf(uid)).not.toContain('gpt-6-sol')
    await core.close()

    newest = '0.900.0'
    const next = await coreOver(['a'], { env })
    next.simulator.changeSettings({ minimalClients: { 'gpt-6-sol': '0.900.0' } })
    const after = next.core.runtime
    await after.catalogue.refresh()
    await expect
      .poll(() => after.catalogue.modelsOf(after.store.peek()?.accounts[0]?.uid ?? ''), {
        timeout: 10_000,
      })
      .toContain('gpt-6-sol')
    const asked = next.simulator.requests.filter(({ path: one }) => one.endsWith('/codex/models'))
    expect(asked).toHaveLength(2)
  })
})

describe('the identity of the Codex CLI', () => {
  it.each([
    ['tui', 'codex_cli_rs'],
    ['terminal', 'codex_exec'],
  ] as const)('in the %s is %s, with the version that was learned', async (place, name) => {
    const { core, simulator } = await coreOver(['a'], {
      env: { CODEX_AUTH_CODEX_IDENTITY: '1', CODEX_AUTH_CLIENT_VERSION: '0.905.0', TERM: 'xterm' },
      place: () => place,
    })
    await ask(core, await firstTurn())
    const [sent] = simulator.requests.filter(({ path: asked }) => asked === RESPONSES)
    expect(sent?.headers).toMatchObject({ originator: name, version: '0.905.0' })
    expect(sent?.headers['user-agent']).toMatch(new RegExp(`^${name}/0\\.905\\.0 \\(.*\\) xterm`))
    await core.close()
  })
})
