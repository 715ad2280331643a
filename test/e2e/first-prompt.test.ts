import { readFile } from 'node:fs/promises'

import { describe, expect, it } from 'vitest'

import { setStage } from './setup.js'

describe('a first prompt', () => {
  it('is answered through the plugin by the account that signed in', async () => {
    const { host, accountsFile, close } = await setStage({ signedIn: ['personal'] })
    const run = await host.prompt('SIM:say hello from the simulator', { title: 'named' })
    expect(run.code).toBe(0)
    expect(run.stdout).toContain('hello from the simulator')
    expect(JSON.parse(await readFile(accountsFile, 'utf8')).accounts).toHaveLength(1)
    await close()
  })
})
