import { describe, expect, it } from 'vitest'

import { coreOver } from '../support/core-over.js'
import { toolData, toolText } from '../support/run-tool.js'

describe('codex-pool', () => {
  it('says which account may run which model, as the backend lists them', async () => {
    const { core } = await coreOver(['a', 'b'])
    await core.runtime.catalogue.refresh()
    const { models, modelsUnknown } = (await toolData(core.runtime, 'pool')) as {
      models: { model: string; accounts: string[] }[]
      modelsUnknown: string[]
    }
    expect(models.length).toBeGreaterThan(0)
    expect(models[0]?.accounts).toHaveLength(2)
    expect(modelsUnknown).toEqual([])
    expect(await toolText(core.runtime, 'pool')).toMatch(
      /Models the backend lists:\n\S+: every account/,
    )
  })

  it('says nothing of models while no list is known', async () => {
    const { core } = await coreOver(['a'])
    expect(await toolData(core.runtime, 'pool')).toMatchObject({
      models: [],
      modelsUnknown: [expect.stringContaining('Account 1')],
    })
    expect(await toolText(core.runtime, 'pool')).not.toContain('Models')
  })
})
