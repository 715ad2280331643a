import { readFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it } from 'vitest'

import { startHostServer } from '../support/host-server.js'
import { useStage } from './setup.js'

interface Listed {
  readonly all: readonly {
    readonly id: string
    readonly models: Readonly<
      Record<
        string,
        {
          readonly name: string
          readonly limit: { readonly context: number; readonly input?: number }
          readonly variants?: object
        }
      >
    >
  }[]
}

describe('the models of openai', () => {
  const stage = useStage({
    signedIn: ['personal'],
    simulator: {
      accounts: [{ name: 'personal', models: ['gpt-5.5', 'gpt-6-sol', 'gpt-day-one'] }],
    },
    host: {
      config: {
        provider: {
          openai: {
            models: { 'my-own': { name: 'Mine', limit: { context: 1_000, output: 100 } } },
          },
        },
      },
    },
  })

  it('hold what the account’s own catalogue lists, from the second start on, and the user’s own as they are', async () => {
    const { host } = stage()
    const catalogue = path.join(host.home, '.opencode', 'cache', 'catalogue.json')
    const first = await startHostServer(host)
    await first.send(await first.newSession('named'), 'SIM:say first start')
    await expect
      .poll(() => readFile(catalogue, 'utf8').catch(() => ''), { timeout: 15_000 })
      .toContain('gpt-day-one')
    await first.stop('SIGKILL')

    const second = await startHostServer(host)
    const { all } = (await second.request('GET', '/provider')) as Listed
    const models = all.find(({ id }) => id === 'openai')?.models ?? {}
    expect(Object.keys(models)).toContain('gpt-day-one')
    expect(models['gpt-5.5']?.limit.input).toBeLessThanOrEqual(272_000)
    // The host's own list has `none` for both; the account's for neither, but the backend takes it from the older one.
    expect(Object.keys(models['gpt-5.5']?.variants ?? {})).toEqual([
      'none',
      'low',
      'medium',
      'high',
      'xhigh',
    ])
    expect(Object.keys(models['gpt-6-sol']?.variants ?? {})).not.toContain('none')
    expect(models['my-own']).toMatchObject({ name: 'Mine', limit: { context: 1_000 } })
    const answer = await second.send(await second.newSession('named'), 'SIM:say by the new model', {
      model: 'openai/gpt-day-one',
    })
    expect(answer).toMatchObject({ text: 'by the new model', error: undefined })
    await second.stop('SIGKILL')
  })
})
