import { mkdir, readFile, writeFile } from 'node:fs/promises'
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

describe('what the accounts’ lists say of a model', () => {
  const stage = useStage({
    signedIn: ['personal', 'work'],
    simulator: {
      accounts: [
        { name: 'personal', models: ['gpt-5.5', 'gpt-quiet', 'gpt-quick'] },
        { name: 'work', models: ['gpt-5.5', 'gpt-quiet', 'gpt-quick'] },
      ],
    },
  })

  it('is what the host offers and sends: efforts, no summary or verbosity, fast forms, and how many accounts may run it', async () => {
    const { host, simulator, accountsFile } = stage()
    const pool = JSON.parse(await readFile(accountsFile, 'utf8')) as {
      accounts: readonly { uid: string }[]
    }
    const shared = { input: 272_000, listed: true, images: true, efforts: ['low', 'hyper'] }
    const quiet = {
      ...shared,
      id: 'gpt-quiet',
      name: 'GPT Quiet',
      fast: false,
      refused: { reasoningSummary: null, textVerbosity: null },
    }
    // OpenCode sends both for this one where no list says otherwise.
    const known = { ...quiet, id: 'gpt-5.5', name: 'GPT-5.5' }
    const quick = {
      ...shared,
      id: 'gpt-quick',
      name: 'GPT Quick',
      fast: true,
      options: { textVerbosity: 'high' },
    }
    const fetchedAtMs = Date.now()
    const client = '9.9.9'
    await mkdir(path.join(host.home, '.opencode', 'cache'), { recursive: true })
    await writeFile(
      path.join(host.home, '.opencode', 'cache', 'catalogue.json'),
      JSON.stringify({
        version: 2,
        lists: [
          { client, models: [quiet, known, quick] },
          { client, models: [quiet, known] },
        ],
        accounts: Object.fromEntries(
          pool.accounts.map(({ uid }, list) => [uid, { list, fetchedAtMs }]),
        ),
      }),
    )
    const server = await startHostServer(host)
    const { all } = (await server.request('GET', '/provider')) as Listed
    const models = all.find(({ id }) => id === 'openai')?.models ?? {}
    expect(models['gpt-quiet']?.name).toBe('GPT Quiet')
    expect(models['gpt-quick']?.name).toBe('GPT Quick (1 of 2 accounts)')
    expect(models['gpt-quick-fast']?.name).toBe('GPT Quick Fast (1 of 2 accounts)')
    expect(Object.keys(models['gpt-quiet']?.variants ?? {})).toEqual(['low', 'hyper'])

    const sent = async (model: string): Promise<Record<string, unknown>> => {
      await server.send(await server.newSession('named'), `SIM:say ${model}`, { model })
      const bodies = simulator.requests
        .filter(({ path: asked }) => asked.endsWith('/codex/responses'))
        .map(({ body }) => body)
      const own = bodies.findLast((body) => body.includes(`SIM:say ${model}`))
      return JSON.parse(own ?? '{}') as Record<string, unknown>
    }
    const silent = await sent('openai/gpt-5.5')
    expect(silent.model).toBe('gpt-5.5')
    expect(JSON.stringify([silent.reasoning, silent.text])).not.toMatch(/summary|verbosity/)
    expect(await sent('openai/gpt-quick-fast')).toMatchObject({
      model: 'gpt-quick',
      service_tier: 'priority',
      text: { verbosity: 'high' },
    })
    await server.stop('SIGKILL')
  })
})
