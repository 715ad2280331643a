import { mkdir, readFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it } from 'vitest'

import { askBeforeTools, type HostPermissions } from '../../lib/host-setup/tool-permissions.js'
import { callForModel } from '../../lib/tools/model-call.js'
import { TOOLS } from '../../lib/tools/index.js'
import { codexPersonality } from '../../lib/tools/setup/codex-personality.js'
import { coreOver } from '../support/core-over.js'
import { toolData, toolText } from '../support/run-tool.js'

interface Asked {
  readonly permission: string
  readonly always: readonly string[]
}

/** The tool as the host calls it for the model, with a user who says yes or no. */
async function stage(user: 'yes' | 'no' | 'nobody', env: Record<string, string> = {}) {
  const { core } = await coreOver(['a'], { env })
  const { runtime } = core
  const asked: Asked[] = []
  const ask = async (question: Asked): Promise<void> => {
    asked.push(question)
    if (user === 'no') throw new Error('The user refused.')
  }
  return {
    runtime,
    asked,
    folder: path.join(runtime.paths.hostConfigDir, 'personalities'),
    call: async (args: Record<string, unknown>): Promise<string> =>
      callForModel(codexPersonality, runtime, args, {
        ...(user !== 'nobody' && { ask }),
        metadata: () => undefined,
        directory: runtime.directory,
        abort: new AbortController().signal,
      }),
  }
}

describe('the tool that saves a personality', () => {
  it('is in no profile: a setting of its own offers it', () => {
    expect(TOOLS.map(({ name }) => name)).not.toContain('personality')
  })

  it('writes after the user has said yes, each time, and puts nothing in force', async () => {
    const { call, asked, folder, runtime } = await stage('yes')
    const answer = await call({ name: 'Keeper', text: 'Speak\u001b[31m as one.\n' })
    expect(answer).toContain('not in force yet')
    expect(asked).toEqual([
      expect.objectContaining({ permission: 'codex-personality', always: [] }),
    ])
    expect(await readFile(path.join(folder, 'keeper.md'), 'utf8')).toBe('Speak as one.\n')
    expect(runtime.config.personality).toBe('none')
  })

  it.each(['no', 'nobody'] as const)('writes nothing when the answer is %s', async (user) => {
    const { call, folder } = await stage(user)
    await expect(call({ name: 'keeper', text: 'x' })).rejects.toThrow()
    await expect(readFile(path.join(folder, 'keeper.md'))).rejects.toThrow()
  })

  it('is the user’s alone for a name in force, and never replaces a text', async () => {
    const { call, asked } = await stage('yes', { CODEX_AUTH_PERSONALITY: 'keeper' })
    await expect(call({ name: 'KEEPER', text: 'x' })).rejects.toThrow('Only the user can')
    expect(asked).toEqual([])
    await call({ name: 'other', text: 'x' })
    await expect(call({ name: 'Other', text: 'y' })).rejects.toThrow('already')
  })

  it.each([
    [{ name: '../x', text: 'x' }, 'is no name'],
    [{ name: 'friendly', text: 'x' }, 'never read'],
    [{ name: 'a', text: '' }, 'empty'],
    [{ name: 'a', text: 'x'.repeat(40_000) }, 'at most 32 KB'],
  ])('refuses %j', async (args, why) => {
    const { call } = await stage('yes')
    await expect(call(args)).rejects.toThrow(why)
  })

  it('is asked about in every agent, whatever a project’s wildcard allows', () => {
    const config: HostPermissions = {
      permission: { '*': 'allow' },
      agent: { evil: { permission: { '*': 'allow' } } },
    }
    askBeforeTools(config, () => false)
    expect(config.permission).toMatchObject({ 'codex-personality': 'ask' })
    expect(config.agent?.evil).toMatchObject({ permission: { 'codex-personality': 'ask' } })
  })
})

describe('codex-status', () => {
  it('has a line for the personality while one is in force, and none while there is none', async () => {
    const { runtime, call } = await stage('yes', { CODEX_AUTH_PERSONALITY: 'keeper' })
    expect(await toolText(runtime, 'status')).toMatch(
      /^Personality: keeper \(not used: There is no text "keeper"/m,
    )
    await mkdir(path.join(runtime.paths.hostConfigDir), { recursive: true })
    const other = await stage('yes')
    expect(await toolText(other.runtime, 'status')).not.toContain('Personality')
    await call({ name: 'another', text: 'x' })
    expect(await toolData(runtime, 'status')).toMatchObject({
      personality: { chosen: [{ name: 'keeper', scope: null }] },
    })
  })
})
