import { writeFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it } from 'vitest'

import { createCore } from '../../lib/core.js'
import { fallbackModel } from '../../lib/request/late/fallback-model.js'
import { prepareRequest } from '../../lib/request/body/request.js'
import { ask, coreOver, firstTurn, RESPONSES, served } from '../support/core-over.js'

/** The stage with another configuration. */
async function configured(
  names: readonly string[],
  config: (uids: readonly string[]) => Record<string, unknown>,
) {
  const stage = await coreOver(
    names.map((name) => ({
      name,
      models: ['gpt-5.5', 'gpt-5.6-sol'],
      windows: [{ minutes: 300, limit: 100_000 }],
    })),
  )
  const { paths, env, store } = stage.core.runtime
  const uids = (await store.read()).accounts.map(({ uid }) => uid)
  await writeFile(
    path.join(stage.home, '.opencode', 'openai-codex-auth-config.json'),
    JSON.stringify(config(uids)),
  )
  const core = await createCore({
    host: { log: () => undefined, toast: () => undefined },
    paths,
    env,
    directory: stage.home,
  })
  return { ...stage, core }
}

const asked = async (model: string, effort: string): Promise<string> =>
  JSON.stringify({
    ...JSON.parse(await firstTurn()),
    model,
    reasoning: { effort, summary: 'auto' },
  })

describe('the fallback chain', () => {
  it('goes to a model that the account may use, with the nearest effort that model takes', async () => {
    const { core, simulator } = await configured(['a'], () => ({
      unsupportedCodexPolicy: 'fallback',
      unsupportedCodexFallbackChain: { 'gpt-6-sol': ['openai/gpt-5.5'] },
    }))
    const answer = await ask(core, await asked('gpt-6-sol', 'max'))
    await core.close()
    expect(answer.text).toContain('response.completed')
    const sent = simulator.requests
      .filter((request) => request.path === RESPONSES)
      .map(({ body }) => JSON.parse(body) as Record<string, unknown>)
    expect(sent).toMatchObject([
      { model: 'gpt-6-sol', reasoning: { effort: 'max' } },
      { model: 'gpt-5.5', reasoning: { effort: 'xhigh', summary: 'auto' } },
    ])
  })

  it('is found under every name of a model and holds every name of the next ones', () => {
    expect(
      fallbackModel('gpt-5.6-sol', { 'gpt-5.6': ['gpt-5.5-high'] }, new Set(['gpt-5.6-sol'])),
    ).toBe('gpt-5.5')
    expect(fallbackModel('gpt-6-sol', { 'gpt-6-sol': [] }, new Set())).toBeUndefined()
    expect(fallbackModel('constructor', {}, new Set())).toBeUndefined()
  })

  it('remembers the effort that was asked for over several models', async () => {
    const first = prepareRequest(await asked('gpt-6-luna', 'max'))
    const last = first.withModel('gpt-5.5').withModel('gpt-5.6-luna')
    expect(JSON.parse(last.body.text)).toMatchObject({
      model: 'gpt-5.6-luna',
      reasoning: { effort: 'max' },
    })
    expect(
      JSON.parse(
        prepareRequest('{"model":"gpt-6-luna","input":[]}').withModel('gpt-5.5').body.text,
      ),
    ).not.toHaveProperty('reasoning')
  })
})

describe('a pool of accounts for a model', () => {
  it.each(['gpt-5.6-sol', 'gpt-5.6', 'openai/gpt-5.6-sol'])(
    'set aside for %s serves that model alone',
    async (name) => {
      const { core, simulator } = await configured(['a', 'b'], ([, second]) => ({
        modelAccountPools: { [name]: [second] },
        modelAccountPoolModes: { [name]: 'strict' },
      }))
      for (const session of ['ses_1', 'ses_2', 'ses_3'])
        await ask(core, await asked('gpt-5.6-sol', 'low'), session)
      await core.close()
      expect(new Set(served(simulator))).toEqual(new Set(['b']))
    },
  )
})
