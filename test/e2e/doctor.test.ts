import path from 'node:path'

import { describe, expect, it } from 'vitest'

import { endOf, startProcess } from '../support/child-process.js'
import { useStage } from './setup.js'

interface Report {
  readonly findings: readonly {
    readonly id: string
    readonly severity: string
    readonly summary: string
  }[]
}

describe('codex-doctor', () => {
  const stage = useStage({ signedIn: ['personal'] })

  const doctor = async (env: Readonly<Record<string, string>>): Promise<Report> => {
    const { host } = stage()
    const cli = path.join(
      host.home,
      '.cache',
      'opencode',
      'packages',
      'oc-codex-multi-auth@latest',
      'node_modules',
      'oc-codex-multi-auth',
      'dist',
      'cli.js',
    )
    const searchPath = `${path.dirname(host.binary)}:${host.env.PATH ?? ''}`
    const { stdout, stderr } = await endOf(
      startProcess({
        file: process.execPath,
        args: [cli, 'doctor', '--self-test', '--json'],
        cwd: host.project,
        env: { ...host.env, PATH: searchPath, ...env },
      }),
      120_000,
    )
    expect(stdout, stderr).not.toBe('')
    return JSON.parse(stdout) as Report
  }
  const saidOf = ({ findings }: Report, id: string) => findings.find((finding) => finding.id === id)

  it('starts the real OpenCode and sees that it hands the provider to the plugin', async () => {
    const report = await doctor({})
    expect(saidOf(report, 'self-test')).toMatchObject({
      severity: 'ok',
      summary: expect.stringContaining('hands openai to this plugin'),
    })
    expect(saidOf(report, 'host')).toMatchObject({
      severity: 'ok',
      summary: expect.stringMatching(
        /^OpenCode \d+\.\d+\.\d+; \d+\.\d+\.\d+ to \d+\.\d+\.\d+ were tested\.$/,
      ),
    })
    expect(saidOf(report, 'version')).toMatchObject({ severity: 'ok' })
    expect(saidOf(report, 'plugin-entry')).toMatchObject({ severity: 'ok' })
  })

  it('says so when OpenCode loads no plugins', async () => {
    const report = await doctor({ OPENCODE_PURE: '1' })
    expect(saidOf(report, 'self-test')).toMatchObject({
      severity: 'error',
      summary: expect.stringContaining('did not hand openai'),
    })
  })
})
