import { readFileSync } from 'node:fs'

import { describe, expect, it, vi } from 'vitest'

import { MANAGED_AUTH } from '../../lib/login/managed-entry.js'
import { classifyEvent } from '../../lib/request/failures/classify.js'
import { prepareRequest } from '../../lib/request/body/request.js'
import { mergeModels } from '../../lib/catalogue/host-models.js'
import { createHostPort } from '../../lib/shell/host-client.js'
import { server } from '../../lib/plugin.js'
import { answersAsked, ask, coreOver, firstTurn, served } from '../support/core-over.js'
import { aHome, homeIn } from '../support/home.js'
import { sourcesOf } from '../support/repository.js'

const captured = (name: string): string => {
  const { body } = JSON.parse(
    readFileSync(new URL(`../fixtures/opencode/${name}.json`, import.meta.url), 'utf8'),
  ) as { body: unknown }
  return typeof body === 'string' ? body : JSON.stringify(body)
}

describe('known defects with requests', () => {
  it('the request says that it comes from OpenCode, with the host’s own user agent', async () => {
    const { core, simulator } = await coreOver(['a'])
    const agent =
      'opencode/1.18.33 (linux 6.18; x64) ai-sdk/provider-utils/4.0.40 runtime/bun/1.3.14'
    await (
      await core.fetch('https://api.openai.com/v1/responses', {
        method: 'POST',
        headers: { originator: 'opencode', 'user-agent': agent, 'openai-organization': 'org-x' },
        body: await firstTurn(),
      })
    ).text()
    expect(answersAsked(simulator).at(-1)?.headers).toMatchObject({
      originator: 'opencode',
      'user-agent': agent,
    })
    expect(answersAsked(simulator).at(-1)?.headers).not.toHaveProperty('openai-organization')
  })

  it('the key of the prompt cache is the one the host chose for the conversation', () => {
    expect(
      JSON.parse(prepareRequest(captured('05-following-turn')).body.text).prompt_cache_key,
    ).toBe(JSON.parse(captured('05-following-turn')).prompt_cache_key)
  })

  it('two looks at the catalogue at once ask the backend once', async () => {
    const { core, simulator } = await coreOver(['a'])
    await Promise.all([
      core.runtime.catalogue.refresh(),
      core.runtime.catalogue.refresh(),
      core.runtime.catalogue.refresh(),
    ])
    expect(
      simulator.requests.filter(({ path: asked }) => asked === '/backend-api/codex/models'),
    ).toHaveLength(1)
  })

  it('an overload that is told in a 200 stream is tried once more', async () => {
    const { core, simulator } = await coreOver(['a'])
    simulator.addRules({
      when: { endpoint: 'responses' },
      times: 1,
      do: { type: 'stream_failed', code: 'server_is_overloaded' },
    })
    expect((await ask(core, await firstTurn())).text).toContain('response.completed')
    expect(
      classifyEvent({
        event: { type: 'response.failed', response: { error: { code: 'slow_down' } } },
        headers: new Headers(),
        model: 'm',
        limitId: 'codex',
        nowMs: 1,
      }).kind,
    ).toBe('overloaded')
  })

  it('an abort comes back to the host with its own reason, not as an answer', async () => {
    const { core, simulator } = await coreOver(['a'])
    simulator.addRules({ when: { endpoint: 'responses' }, do: { type: 'stall', at: 'connect' } })
    const abort = new AbortController()
    const waiting = core.fetch('https://api.openai.com/v1/responses', {
      method: 'POST',
      headers: {},
      body: await firstTurn(),
      signal: abort.signal,
    })
    setTimeout(() => abort.abort(new DOMException('Esc was pressed', 'AbortError')), 50)
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError', message: 'Esc was pressed' })
  })

  it('a stream that comes without a content type is handed on as an event stream', async () => {
    const { core, simulator } = await coreOver(['a'])
    simulator.addRules({
      when: { endpoint: 'responses' },
      do: { type: 'omit', fields: ['content-type'] },
    })
    const response = await core.fetch('https://api.openai.com/v1/responses', {
      method: 'POST',
      headers: {},
      body: await firstTurn(),
    })
    expect(response.headers.get('content-type')).toContain('text/event-stream')
    expect(await response.text()).toContain('response.completed')
  })

  it('a session keeps its account without any file of the host, and no request waits for the disk', async () => {
    const { core, simulator } = await coreOver(['a', 'b', 'c'])
    const body = await firstTurn()
    for (let turn = 0; turn < 6; turn += 1) await ask(core, body, 'ses_kept')
    expect(new Set(served(simulator)).size).toBe(1)
  })

  it('what the backend insists on is set on the body that leaves, after every hook of the host', async () => {
    const { core, simulator } = await coreOver(['a'])
    await ask(
      core,
      JSON.stringify({
        ...JSON.parse(await firstTurn()),
        store: true,
        include: [],
        previous_response_id: 'resp_1',
      }),
    )
    const sent = JSON.parse(answersAsked(simulator).at(-1)?.body ?? '{}')
    expect(sent).toMatchObject({
      store: false,
      stream: true,
      include: ['reasoning.encrypted_content'],
    })
    expect(sent).not.toHaveProperty('previous_response_id')
  })

  it('no option is added to a request that the user did not ask for', () => {
    const before = JSON.parse(captured('02-first-turn'))
    const after = JSON.parse(prepareRequest(captured('02-first-turn')).body.text)
    expect(Object.keys(after).sort()).toEqual(Object.keys(before).sort())
    expect(after).not.toHaveProperty('service_tier')
  })

  it('nothing of the plugin copies a stream to look at it', async () => {
    for (const { file, text } of await sourcesOf('lib', (name) => !name.startsWith('simulator/')))
      expect(text, file).not.toMatch(/\.tee\(\)|response\.clone\(\)/)
  })

  it('a model the user has configured stays in the list, whatever the backend offers', () => {
    const mine = { id: 'gpt-mine', name: 'Mine' }
    expect(mergeModels({ 'gpt-mine': mine } as never, [[]], new Set(['gpt-mine']))).toMatchObject({
      'gpt-mine': mine,
    })
  })

  it('reasoning stays with the account that made it, without its id, and is left out for another one', async () => {
    const { core, simulator } = await coreOver(['a', 'b'])
    const withReasoning = JSON.stringify({
      ...JSON.parse(await firstTurn()),
      input: [
        { id: 'rs_1', type: 'reasoning', encrypted_content: 'sealed', summary: [] },
        { role: 'user', content: [{ type: 'input_text', text: 'go on' }] },
      ],
    })
    await ask(core, await firstTurn(), 'ses_r')
    const [first] = served(simulator)
    const from = simulator.requests.length
    simulator.addRules({
      when: { endpoint: 'responses', account: first ?? '' },
      do: { type: 'usage_limit', resetsInSec: 60 },
    })
    await ask(core, withReasoning, 'ses_r')
    const sent = answersAsked(simulator, from)
    const [toFirst, toOther] = [sent[0]?.body, sent.at(-1)?.body]
    expect([sent[0]?.account, sent.at(-1)?.account === first]).toEqual([first, false])
    expect(toFirst).toContain('"sealed"')
    expect(toFirst).not.toContain('rs_1')
    expect(toOther).not.toContain('"sealed"')
  })

  it('a warning reaches the log of the host, redacted', async () => {
    const logged: unknown[] = []
    const port = createHostPort({
      app: { log: async (entry: unknown) => void logged.push(entry) },
      tui: {},
    } as never)
    port.log(
      'warn',
      'Refresh did not work for Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.c2lnbmF0dXJl',
    )
    await expect.poll(() => logged.length).toBe(1)
    expect(logged).toMatchObject([{ body: { level: 'warn', service: 'oc-codex-multi-auth' } }])
    expect(JSON.stringify(logged)).not.toContain('eyJhbGciOiJub25lIn0')
  })

  it('accounts without an entry in the host’s login file get one, through the host', async () => {
    const home = await aHome([
      {
        refreshToken: 'rt',
        accessToken: 'at',
        expiresAt: Date.now() + 86_400_000,
        addedAt: 1,
        lastUsed: 0,
      },
    ])
    for (const name of [
      'XDG_DATA_HOME',
      'XDG_CONFIG_HOME',
      'XDG_STATE_HOME',
      'XDG_CACHE_HOME',
      'OPENCODE_AUTH_CONTENT',
    ])
      vi.stubEnv(name, undefined)
    for (const [name, value] of Object.entries(homeIn(home))) vi.stubEnv(name, value)
    const set = vi.fn(async () => undefined)
    const hooks = await server({
      client: { app: { log: async () => undefined }, tui: {}, auth: { set } },
      directory: home,
    } as never)
    vi.unstubAllEnvs()
    expect(set).toHaveBeenCalledWith({ path: { id: 'openai' }, body: MANAGED_AUTH })
    await hooks.dispose?.()
  })

  it('a start waits for no network, even when the network never answers', async () => {
    const home = await aHome([
      {
        refreshToken: 'rt',
        accessToken: 'at',
        expiresAt: Date.now() + 86_400_000,
        addedAt: 1,
        lastUsed: 0,
      },
    ])
    for (const name of [
      'XDG_DATA_HOME',
      'XDG_CONFIG_HOME',
      'XDG_STATE_HOME',
      'XDG_CACHE_HOME',
      'OPENCODE_AUTH_CONTENT',
    ])
      vi.stubEnv(name, undefined)
    for (const [name, value] of Object.entries(homeIn(home))) vi.stubEnv(name, value)
    vi.stubGlobal('fetch', () => new Promise(() => undefined))
    const client = {
      app: { log: async () => undefined },
      tui: { showToast: async () => undefined },
      auth: { set: async () => undefined },
    }
    const hooks = await server({ client, directory: home } as never)
    const options = await hooks.auth?.loader?.(async () => MANAGED_AUTH, {} as never)
    const config = { provider: {} }
    await hooks.config?.(config)
    vi.unstubAllGlobals()
    vi.unstubAllEnvs()
    expect(options).toHaveProperty('fetch')
    await hooks.dispose?.()
  })

  it('neither the package nor its id holds a name that OpenCode skips, and nothing runs at its installation', () => {
    const { name, scripts } = JSON.parse(
      readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
    ) as { name: string; scripts: Record<string, string> }
    expect(name).not.toMatch(/opencode-openai-codex-auth|opencode-copilot-auth/)
    expect(Object.keys(scripts).filter((script) => script.includes('install'))).toEqual([])
  })
})
