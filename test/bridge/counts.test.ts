import { existsSync } from 'node:fs'
import { mkdir, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { build } from 'esbuild'
import { describe, expect, it, onTestFinished, vi } from 'vitest'

import { MANAGED_AUTH } from '../../lib/auth/managed-entry.js'
import { type Core, createCore } from '../../lib/core.js'
import { resolvePaths } from '../../lib/kernel/paths.js'
import { server } from '../../lib/plugin.js'
import { type Simulator, startSimulator } from '../../lib/simulator/index.js'
import { loadCapture } from '../support/captured-request.js'
import { recordFileOperations } from '../support/file-operations.js'
import { repositoryRoot } from '../support/repository.js'
import { temporaryFolder } from '../support/temporary.js'

const FULL = [{ minutes: 300, limit: 100, used: 100 }]
const ROOMY = [{ minutes: 300, limit: 100_000 }]
const MOST_FILES_AT_START = 5

async function homeWith(accounts: readonly Record<string, unknown>[]): Promise<string> {
  const home = await temporaryFolder()
  await mkdir(path.join(home, '.opencode'))
  await writeFile(path.join(home, '.opencode', 'oc-codex-multi-auth-accounts.json'), JSON.stringify({ version: 3, accounts, activeIndex: 0 }))
  return home
}

/** The plugin's core over a simulator in which the named accounts are signed in. */
async function coreOver(names: readonly { name: string; limited?: boolean }[], expiresInMs = 3_600_000): Promise<{ core: Core; simulator: Simulator }> {
  const simulator = await startSimulator({ accounts: names.map(({ name, limited }) => ({ name, windows: limited === true ? FULL : ROOMY })) })
  onTestFinished(() => simulator.close())
  const accounts = names.map(({ name }) => {
    const tokens = simulator.login(name)
    const { accountId, uid } = simulator.account(name)
    return { refreshToken: tokens.refresh_token, accessToken: tokens.access_token, expiresAt: Date.now() + expiresInMs, accountId, accountUserId: uid, addedAt: 1, lastUsed: 0 }
  })
  const home = await homeWith(accounts)
  const env = { HOME: home, OC_CODEX_SIMULATOR_ISSUER: simulator.url, OC_CODEX_SIMULATOR_BACKEND: simulator.backend, CODEX_AUTH_RETRY_ALL_MAX_WAIT_MS: '0' }
  const core = await createCore({ host: { log: () => undefined, toast: () => undefined }, paths: resolvePaths(env), env, directory: home })
  onTestFinished(() => core.close())
  return { core, simulator }
}

async function firstTurn(): Promise<string> {
  return JSON.stringify((await loadCapture('02-first-turn')).body)
}

async function ask(core: Core, body: string, session = 'ses_1'): Promise<{ status: number; text: string }> {
  const response = await core.fetch('https://api.openai.com/v1/responses', { method: 'POST', headers: { 'session-id': session }, body })
  return { status: response.status, text: await response.text() }
}

const pathsOf = (simulator: Simulator, from = 0): string[] => simulator.requests.slice(from).map((request) => request.path)
const RESPONSES = '/backend-api/codex/responses'

describe('a start', () => {
  it('opens at most 5 files: the modules the host has to load and the login file', async () => {
    const home = await homeWith([{ refreshToken: 'rt', accessToken: 'at', expiresAt: Date.now() + 86_400_000, accountId: 'w', addedAt: 1, lastUsed: 0 }])
    for (const name of ['XDG_DATA_HOME', 'XDG_CONFIG_HOME', 'XDG_STATE_HOME', 'XDG_CACHE_HOME', 'OPENCODE_AUTH_CONTENT']) vi.stubEnv(name, undefined)
    vi.stubEnv('HOME', home)
    onTestFinished(() => void vi.unstubAllEnvs())
    const authFile = path.join(home, '.local', 'share', 'opencode', 'auth.json')
    await mkdir(path.dirname(authFile), { recursive: true })
    await writeFile(authFile, JSON.stringify({ openai: MANAGED_AUTH }))
    const upstream = vi.spyOn(globalThis, 'fetch')
    onTestFinished(() => upstream.mockRestore())

    const operations = recordFileOperations()
    const client = { app: { log: async () => undefined }, tui: { showToast: async () => undefined }, auth: { set: async () => undefined } }
    const hooks = await server({ client, directory: home } as never)
    await hooks.auth?.loader?.(async () => MANAGED_AUTH, {} as never)
    const atStart = operations.map(({ name, target }) => `${name} ${path.relative(home, target)}`)
    onTestFinished(() => hooks.dispose?.())
    expect(atStart).toEqual(['readFile .local/share/opencode/auth.json'])
    expect(upstream).not.toHaveBeenCalled()
    expect((await modulesAtStart()).length + atStart.length).toBeLessThanOrEqual(MOST_FILES_AT_START)
  })
})

/** What an import of the published entry loads: the entry and the chunks it imports, directly or not, at once. */
async function modulesAtStart(): Promise<string[]> {
  const { metafile } = await build({
    absWorkingDir: repositoryRoot,
    entryPoints: { index: 'index.ts', tools: 'lib/tools-entry.ts' },
    outdir: 'dist',
    write: false,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    mainFields: ['module', 'main'],
    metafile: true,
    logLevel: 'silent',
  })
  const loaded = new Set<string>()
  const visit = (file: string): void => {
    if (loaded.has(file)) return
    loaded.add(file)
    for (const imported of metafile.outputs[file]?.imports ?? []) if (imported.kind === 'import-statement' && imported.external !== true) visit(imported.path)
  }
  visit('dist/index.js')
  return [...loaded]
}

describe('a steady request', () => {
  it('costs one upstream call with the very body of the host, and no file operation', async () => {
    const { core, simulator } = await coreOver([{ name: 'a' }])
    const body = await firstTurn()
    await ask(core, body)
    // The start and the first request leave their own files behind, once and later.
    const { root, affinityFile, quotaFile } = core.runtime.paths
    for (const file of [path.join(root, 'package.json'), affinityFile, quotaFile]) await expect.poll(() => existsSync(file), { timeout: 15_000 }).toBe(true)
    await expect.poll(() => existsSync(`${affinityFile}.lock`) || existsSync(`${quotaFile}.lock`), { timeout: 15_000 }).toBe(false)
    const before = simulator.requests.length

    const operations = recordFileOperations()
    for (let count = 0; count < 20; count += 1) expect((await ask(core, body)).text).toContain('response.completed')
    expect(operations).toEqual([])
    expect(pathsOf(simulator, before)).toEqual(Array.from({ length: 20 }, () => RESPONSES))
    expect(simulator.requests.slice(before).every((request) => request.body === body)).toBe(true)
    // The count counts: a look at the disk is seen.
    await stat(repositoryRoot)
    expect(operations).toEqual([{ name: 'stat', target: repositoryRoot }])
  })
})

describe('accounts at their limit', () => {
  it.each([1, 5, 20])('%i of them before a free one cost one call each, once, and nothing once they are known', async (limited) => {
    const names = Array.from({ length: limited + 1 }, (_, index) => ({ name: `a${index}`, limited: index < limited }))
    const { core, simulator } = await coreOver(names)
    const body = await firstTurn()
    const first = await ask(core, body)
    expect(first.status).toBe(200)
    expect(first.text).toContain('response.completed')
    expect(pathsOf(simulator)).toEqual(Array.from({ length: limited + 1 }, () => RESPONSES))
    expect((await ask(core, body, 'ses_2')).status).toBe(200)
    expect(simulator.requests.length).toBe(limited + 2)
  })

  it('are not asked again while all of them are known to be full', async () => {
    const { core, simulator } = await coreOver([{ name: 'a', limited: true }, { name: 'b', limited: true }])
    const body = await firstTurn()
    expect((await ask(core, body)).status).not.toBe(200)
    const known = simulator.requests.length
    expect(known).toBe(2)
    expect((await ask(core, body, 'ses_2')).status).not.toBe(200)
    expect(simulator.requests.length).toBe(known)
  })
})

describe('many requests at once', () => {
  it('on one healthy account all pass, 120 of 120, with one call each', async () => {
    const { core, simulator } = await coreOver([{ name: 'a' }])
    const body = await firstTurn()
    const answers = await Promise.all(Array.from({ length: 120 }, (_, index) => ask(core, body, `ses_${index}`)))
    expect(answers.filter(({ status, text }) => status === 200 && text.includes('response.completed'))).toHaveLength(120)
    expect(pathsOf(simulator)).toEqual(Array.from({ length: 120 }, () => RESPONSES))
  })

  it('on an expired token spend one refresh, and 20 of 20 are answered', async () => {
    const { core, simulator } = await coreOver([{ name: 'a' }], -1000)
    const body = await firstTurn()
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(core, body)))
    expect(answers.filter(({ status, text }) => status === 200 && text.includes('response.completed'))).toHaveLength(20)
    expect(pathsOf(simulator).filter((one) => one === '/oauth/token')).toHaveLength(1)
    expect(pathsOf(simulator).filter((one) => one === RESPONSES)).toHaveLength(20)
  })
})
