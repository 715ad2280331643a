import { describe, expect, it } from 'vitest'

import { coreOver } from '../support/core-over.js'
import { toolData, toolDataForModel, toolText } from '../support/run-tool.js'

const MODELS = '/backend-api/codex/models'

describe('codex-pool', () => {
  it('asks for the lists of idle accounts, once, and says which account may run which model', async () => {
    const { core, simulator } = await coreOver(['a', 'b'])
    const { models, modelsUnknown } = (await toolData(core.runtime, 'pool')) as {
      models: { model: string; accounts: string[] }[]
      modelsUnknown: string[]
    }
    expect(models.length).toBeGreaterThan(0)
    expect(models[0]?.accounts).toHaveLength(2)
    expect(modelsUnknown).toEqual([])
    expect(await toolText(core.runtime, 'pool')).toMatch(
      /Models the backend lists:\n\S+(?:, \S+)*: every account$/m,
    )
    const asked = simulator.requests.filter(({ path }) => path.startsWith(MODELS))
    expect(asked.map(({ account }) => account)).toEqual(['a', 'b'])
  })

  it('asks the backend for nothing where a model wants to know', async () => {
    const { core, simulator } = await coreOver(['a', 'b'])
    expect(await toolDataForModel(core.runtime, 'pool')).toMatchObject({ models: [] })
    expect(simulator.requests).toEqual([])
  })

  it('says nothing of models while no list is known', async () => {
    // No list can be had: idle accounts are never refreshed for one.
    const { core } = await coreOver(['a'], { expiresInMs: -1_000 })
    expect(await toolData(core.runtime, 'pool')).toMatchObject({
      models: [],
      modelsUnknown: [expect.stringContaining('Account 1')],
    })
    expect(await toolText(core.runtime, 'pool')).not.toContain('Models')
  })
})
