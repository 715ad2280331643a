import { existsSync } from 'node:fs'
import { chmod, mkdir, stat, utimes, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it } from 'vitest'

import { CODEX_CLI_VERSION } from '../../lib/models/facts.js'
import type { Runtime } from '../../lib/runtime.js'
import { coreOver } from '../support/core-over.js'
import { whereModesCount } from '../support/platforms.js'
import { toolData } from '../support/run-tool.js'
import { homeIn } from '../support/home.js'

interface Report {
  readonly errors: number
  readonly fixed: readonly string[] | null
  readonly findings: readonly {
    readonly id: string
    readonly severity: string
    readonly summary: string
  }[]
}

describe('codex-doctor', () => {
  it('says which version of the Codex CLI is named, where that is known from and how old that is', async () => {
    const { core, home } = await coreOver(['a'])
    const rowOf = async (runtime: Runtime) =>
      ((await toolData(runtime, 'doctor')) as unknown as Report).findings.find(
        ({ id }) => id === 'client-version',
      )?.summary
    expect(await rowOf(core.runtime)).toBe(
      `Models are asked for as Codex CLI ${CODEX_CLI_VERSION} (what this package knows).`,
    )
    await mkdir(path.join(home, '.opencode', 'cache'), { recursive: true })
    await writeFile(
      path.join(home, '.opencode', 'cache', 'client-version.json'),
      JSON.stringify({
        version: 1,
        registry: { version: '0.900.0', atMs: Date.now() - 2 * 3_600_000 },
      }),
    )
    const { runtime } = (await coreOver(['a'], { env: homeIn(home) })).core
    expect(await rowOf(runtime)).toMatch(
      /^Models are asked for as Codex CLI 0\.900\.0 \(the npm registry, learned 2 h( \d+ min)? ago\)\.$/,
    )
  })

  whereModesCount('counts no error that it has just fixed', async () => {
    const { core } = await coreOver(['a'])
    const file = core.runtime.store.path
    await chmod(file, 0o644)
    const before = (await toolData(core.runtime, 'doctor')) as unknown as Report
    const after = (await toolData(core.runtime, 'doctor', { fix: true })) as unknown as Report
    expect(after.errors).toBe(before.errors - 1)
    expect(after.fixed).toEqual([expect.stringContaining('fixed:')])
    expect((await stat(file)).mode & 0o777).toBe(0o600)
  })

  it('finds what killed processes left in every folder we write to, and removes it with --fix (tokens stayed there for ever)', async () => {
    const { core } = await coreOver(['a'])
    const { root, backupsDir, cacheDir, projectsDir, stateDir, hostConfigDir } = core.runtime.paths
    const folders = [
      root,
      path.join(root, 'refresh'),
      backupsDir,
      cacheDir,
      path.join(projectsDir, 'web-0123456789ab'),
      path.join(projectsDir, 'web-0123456789ab', 'backups'),
      stateDir,
      hostConfigDir,
    ]
    const longAgo = new Date(Date.now() - 2 * 3_600_000)
    const left = folders.map((folder) => path.join(folder, '.pool.json.4242-0123456789ab.tmp'))
    for (const file of left) {
      await mkdir(path.dirname(file), { recursive: true })
      await writeFile(file, 'rt_secret')
      await utimes(file, longAgo, longAgo)
    }
    const lease = path.join(root, 'refresh', `${'a'.repeat(32)}.lock`)
    await mkdir(lease)
    await utimes(lease, longAgo, longAgo)
    const fresh = path.join(root, `.pool.json.${process.pid}-0123456789ab.tmp`)
    const foreign = path.join(hostConfigDir, 'theirs.tmp')
    for (const file of [fresh, foreign]) await writeFile(file, '')
    await utimes(foreign, longAgo, longAgo)

    const before = (await toolData(core.runtime, 'doctor')) as unknown as Report
    expect(before.findings.find(({ id }) => id === 'leftovers')).toMatchObject({
      severity: 'warning',
      summary: expect.stringMatching(/left \d files behind.*and \d more/),
    })
    expect(
      existsSync(path.join(projectsDir, 'web-0123456789ab', '.pool.json.4242-0123456789ab.tmp')),
      'looking removes nothing',
    ).toBe(true)
    const after = (await toolData(core.runtime, 'doctor', { fix: true })) as unknown as Report

    // The plugin itself may have written somewhere meanwhile, and swept there.
    expect(after.fixed).toContainEqual(
      expect.stringMatching(/^fixed: \d files of killed processes removed$/),
    )
    expect([...left, lease].filter(existsSync)).toEqual([])
    expect([fresh, foreign].every(existsSync)).toBe(true)
  })

  it('names an endpoint of keys that cannot be used', async () => {
    const { core } = await coreOver(['a'], {
      env: { CODEX_AUTH_BASE_URL: 'http://gateway.example/v1' },
    })
    const { findings } = (await toolData(core.runtime, 'doctor')) as unknown as Report
    expect(findings.find(({ id }) => id === 'config')).toMatchObject({
      severity: 'warning',
      summary: expect.stringContaining('https://'),
    })
  })
})

describe('codex-diag', () => {
  it('makes its report also when the account file cannot be used, and says why', async () => {
    const { core, home } = await coreOver(['a'])
    await writeFile(core.runtime.store.path, '{"version":9,"accounts":[]}')
    const report = await toolData(core.runtime, 'diag')
    expect(report).toMatchObject({
      accounts: [],
      storage: { problem: expect.stringContaining('newer version') },
    })
    expect(JSON.stringify(report)).not.toContain(home)
  })

  it('says which texts are in force for planning and compaction, only where a setting adds some, and of a damaged file that ours are', async () => {
    const found = async (env: NodeJS.ProcessEnv, file?: string): Promise<string[]> => {
      const { core } = await coreOver(['a'], { env })
      const { promptsFile } = core.runtime.paths
      await mkdir(path.dirname(promptsFile), { recursive: true })
      if (file !== undefined) await writeFile(promptsFile, file)
      const { findings } = (await toolData(core.runtime, 'doctor')) as unknown as Report
      return findings
        .filter(({ id }) => id === 'prompts')
        .map(({ severity, summary }) => `${severity}: ${summary}`)
    }
    expect(await found({})).toEqual([])
    expect(await found({ CODEX_AUTH_COLLABORATION: 'codex' })).toEqual([
      expect.stringMatching(/^ok: Our own text is in force for planning/),
    ])
    expect(await found({ CODEX_AUTH_COMPACTION_PROMPT: 'codex' })).toHaveLength(2)
    expect(await found({ CODEX_AUTH_COLLABORATION: 'codex' }, '{')).toEqual([
      expect.stringMatching(/^warning: .*could not be understood.* our own texts are in force/),
    ])
  })
})
