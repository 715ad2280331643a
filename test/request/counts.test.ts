import { existsSync } from 'node:fs'
import { mkdir, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it, onTestFinished, vi } from 'vitest'

import { MANAGED_AUTH } from '../../lib/login/managed-entry.js'
import { server } from '../../lib/plugin.js'
import { bundle } from '../../scripts/bundle.mjs'
import {
  answersAsked,
  ask,
  coreOver,
  firstTurn,
  FULL,
  pathsOf,
  RESPONSES,
  ROOMY,
} from '../support/core-over.js'
import { aHome, homeIn } from '../support/home.js'
import { recordFileOperations } from '../support/file-operations.js'
import { repositoryRoot } from '../support/repository.js'
import { inSlashes } from '../support/slashes.js'
import { temporaryFolder } from '../support/temporary.js'

const MOST_FILES_AT_START = 5

describe('a start', () => {
  it('opens at most 5 files: the modules the host has to load and the login file', async () => {
    const home = await aHome([
      {
        refreshToken: 'rt',
        accessToken: 'at',
        expiresAt: Date.now() + 86_400_000,
        accountId: 'w',
        addedAt: 1,
        lastUsed: 0,
      },
    ])
    for (const name of [
      'XDG_DATA_HOME',
      'XDG_CONFIG_HOME',
      'XDG_STATE_HOME',
      'XDG_CACHE_HOME',
      'OPENCODE_AUTH_CONTENT',
    ])
      vi.stubEnv(name, undefined)
    for (const [name, value] of Object.entries(homeIn(home))) vi.stubEnv(name, value)
    onTestFinished(() => void vi.unstubAllEnvs())
    const authFile = path.join(home, '.local', 'share', 'opencode', 'auth.json')
    await mkdir(path.dirname(authFile), { recursive: true })
    await writeFile(authFile, JSON.stringify({ openai: MANAGED_AUTH }))
    const upstream = vi.spyOn(globalThis, 'fetch')
    onTestFinished(() => upstream.mockRestore())

    const operations = recordFileOperations()
    const client = {
      app: { log: async () => undefined },
      tui: { showToast: async () => undefined },
      auth: { set: async () => undefined },
    }
    const hooks = await server({ client, directory: home } as never)
    await hooks.auth?.loader?.(async () => MANAGED_AUTH, {} as never)
    const atStart = operations.map(
      ({ name, target }) => `${name} ${inSlashes(path.relative(home, target))}`,
    )
    onTestFinished(() => hooks.dispose?.())
    expect(atStart).toEqual(['open .local/share/opencode/auth.json'])
    expect(upstream).not.toHaveBeenCalled()
    expect((await modulesAtStart()).length + atStart.length).toBeLessThanOrEqual(
      MOST_FILES_AT_START,
    )
  })
})

/** What an import of the published entry loads: the entry and the chunks it imports, directly or not, at once. */
async function modulesAtStart(): Promise<string[]> {
  const { server: metafile } = await bundle(await temporaryFolder())
  const loaded = new Set<string>()
  const visit = (file: string): void => {
    if (loaded.has(file)) return
    loaded.add(file)
    for (const imported of metafile.outputs[file]?.imports ?? [])
      if (imported.kind === 'import-statement' && imported.external !== true) visit(imported.path)
  }
  visit(Object.keys(metafile.outputs).find((file) => path.basename(file) === 'index.js') ?? '')
  return [...loaded]
}

describe('a steady request', () => {
  it('costs one upstream call with the very body of the host, and no file operation', async () => {
    const { core, simulator } = await coreOver(['a'])
    const body = await firstTurn()
    await ask(core, body)
    // The start and the first request leave their own files behind, once and later; the history can be hurried.
    await Promise.all([core.runtime.history.read(), core.runtime.ledger.flush()])
    const { root, affinityFile, quotaFile, historyFile } = core.runtime.paths
    for (const file of [path.join(root, 'package.json'), affinityFile, quotaFile, historyFile])
      await expect.poll(() => existsSync(file), { timeout: 15_000 }).toBe(true)
    await expect
      .poll(
        () => [affinityFile, quotaFile, historyFile].some((file) => existsSync(`${file}.lock`)),
        { timeout: 15_000 },
      )
      .toBe(false)
    const operations = recordFileOperations()
    let before = 0
    // The start tidies up once, a moment later: a round without it is what counts.
    await expect
      .poll(
        async () => {
          operations.splice(0)
          before = simulator.requests.length
          for (let count = 0; count < 20; count += 1)
            expect((await ask(core, body)).text).toContain('response.completed')
          return [...operations]
        },
        { timeout: 15_000 },
      )
      .toEqual([])
    expect(pathsOf(simulator, before)).toEqual(Array.from({ length: 20 }, () => RESPONSES))
    expect(answersAsked(simulator, before).every((request) => request.body === body)).toBe(true)
    // The count counts: a look at the disk is seen.
    await stat(repositoryRoot)
    expect(operations).toEqual([{ name: 'stat', target: repositoryRoot }])
  })
})

describe('accounts at their limit', () => {
  it.each([1, 5, 20])(
    '%i of them before a free one cost one call each, once, and nothing once they are known',
    async (limited) => {
      const names = Array.from({ length: limited + 1 }, (_, index) => ({
        name: `a${index}`,
        windows: index < limited ? FULL : ROOMY,
      }))
      const { core, simulator } = await coreOver(names)
      const body = await firstTurn()
      const first = await ask(core, body)
      expect(first.status).toBe(200)
      expect(first.text).toContain('response.completed')
      expect(pathsOf(simulator)).toEqual(Array.from({ length: limited + 1 }, () => RESPONSES))
      expect((await ask(core, body, 'ses_2')).status).toBe(200)
      expect(pathsOf(simulator)).toHaveLength(limited + 2)
    },
  )

  it('are not asked again while all of them are known to be full', async () => {
    const { core, simulator } = await coreOver([
      { name: 'a', windows: FULL },
      { name: 'b', windows: FULL },
    ])
    const body = await firstTurn()
    expect((await ask(core, body)).status).not.toBe(200)
    expect(pathsOf(simulator)).toHaveLength(2)
    expect((await ask(core, body, 'ses_2')).status).not.toBe(200)
    expect(pathsOf(simulator)).toHaveLength(2)
  })
})

describe('many requests at once', () => {
  it('on one healthy account all pass, 120 of 120, with one call each', async () => {
    const { core, simulator } = await coreOver(['a'])
    const body = await firstTurn()
    const answers = await Promise.all(
      Array.from({ length: 120 }, (_, index) => ask(core, body, `ses_${index}`)),
    )
    expect(
      answers.filter(({ status, text }) => status === 200 && text.includes('response.completed')),
    ).toHaveLength(120)
    // The look at the list of models has a time of its own, and a slow machine reaches it.
    expect(pathsOf(simulator)).toEqual(Array.from({ length: 120 }, () => RESPONSES))
  })

  it('on an expired token spend one refresh, and 20 of 20 are answered', async () => {
    const { core, simulator } = await coreOver(['a'], { expiresInMs: -1000 })
    const body = await firstTurn()
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(core, body)))
    expect(
      answers.filter(({ status, text }) => status === 200 && text.includes('response.completed')),
    ).toHaveLength(20)
    expect(pathsOf(simulator).filter((one) => one === '/oauth/token')).toHaveLength(1)
    expect(pathsOf(simulator).filter((one) => one === RESPONSES)).toHaveLength(20)
  })
})
