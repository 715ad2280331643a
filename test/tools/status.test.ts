import { describe, expect, it } from 'vitest'

import { profileCost } from '../../lib/tools/profiles.js'
import { coreOver } from '../support/core-over.js'
import { toolData, toolText } from '../support/run-tool.js'

describe('codex-status', () => {
  it('names the settings that are not at their defaults and where they come from, and no secret in them', async () => {
    const { core } = await coreOver(['a'], {
      env: {
        CODEX_AUTH_BASE_URL: 'https://joe:hunter2@gateway.example.com',
        CODEX_AUTH_TOOLS: 'some',
      },
    })
    const data = await toolData(core.runtime, 'status')
    expect(data.settings).toContainEqual({
      name: 'baseUrl',
      value: 'https://[hidden]@gateway.example.com',
      source: 'env',
      where: 'CODEX_AUTH_BASE_URL',
      line: null,
    })
    expect(data.settings).not.toContainEqual(expect.objectContaining({ source: 'default' }))
    const text = await toolText(core.runtime, 'status')
    expect(text).toContain('(CODEX_AUTH_BASE_URL)')
    expect(text).toContain(
      '1 value of the configuration cannot be used: npx oc-codex-multi-auth config',
    )
    expect(text).not.toContain('hunter2')
  })

  it('costs the model no more than before: the small profile stays under 1.5 kB', () => {
    expect(profileCost('core').bytes).toBeLessThanOrEqual(1500)
  })
})
