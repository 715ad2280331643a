import { chmod, stat, writeFile } from 'node:fs/promises'

import { describe, expect, it } from 'vitest'

import { coreOver } from '../support/core-over.js'
import { toolData } from '../support/run-tool.js'

interface Report {
  readonly errors: number
  readonly fixed: readonly string[] | null
  readonly findings: readonly { readonly id: string; readonly severity: string; readonly summary: string }[]
}

describe('codex-doctor', () => {
  it('counts no error that it has just mended', async () => {
    const { core } = await coreOver(['a'])
    const file = core.runtime.store.path
    await chmod(file, 0o644)
    const before = (await toolData(core.runtime, 'doctor')) as unknown as Report
    const after = (await toolData(core.runtime, 'doctor', { fix: true })) as unknown as Report
    expect(after.errors).toBe(before.errors - 1)
    expect(after.fixed).toEqual([expect.stringContaining('mended:')])
    expect((await stat(file)).mode & 0o777).toBe(0o600)
  })

  it('names an endpoint of keys that cannot be used', async () => {
    const { core } = await coreOver(['a'], { env: { CODEX_AUTH_BASE_URL: 'http://gateway.example/v1' } })
    const { findings } = (await toolData(core.runtime, 'doctor')) as unknown as Report
    expect(findings.find(({ id }) => id === 'config')).toMatchObject({ severity: 'warning', summary: expect.stringContaining('https://') })
  })
})

describe('codex-diag', () => {
  it('makes its report also when the account file cannot be used, and says why', async () => {
    const { core, home } = await coreOver(['a'])
    await writeFile(core.runtime.store.path, '{"version":9,"accounts":[]}')
    const report = await toolData(core.runtime, 'diag')
    expect(report).toMatchObject({ accounts: [], storage: { problem: expect.stringContaining('newer version') } })
    expect(JSON.stringify(report)).not.toContain(home)
  })
})
