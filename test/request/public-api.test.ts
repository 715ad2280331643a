import { describe, expect, it, onTestFinished } from 'vitest'

import { createCore } from '../../lib/core.js'
import { resolvePaths } from '../../lib/kernel/files/paths.js'
import { ask, firstTurn } from '../support/core-over.js'
import { aHome, homeIn } from '../support/home.js'

const KEY = 'sk-made-up'
const PUBLIC = 'https://api.openai.com/v1'
const DONE =
  'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","delta":"hi"}\n\nevent: response.completed\ndata: {"type":"response.completed","response":{"id":"resp_1","output":[]}}\n\n'

interface Sent {
  readonly url: string
  readonly headers: Record<string, string>
  readonly body: Record<string, unknown>
}

/** The plugin with these accounts over a network that answers as `reply` says. */
async function coreWith(
  accounts: readonly Record<string, unknown>[],
  reply: () => Response,
  env: NodeJS.ProcessEnv = {},
) {
  const sent: Sent[] = []
  const fetch = ((url: string, init: { headers: Record<string, string>; body: string }) => {
    if (url.endsWith('/responses'))
      sent.push({
        url,
        headers: init.headers,
        body: JSON.parse(init.body) as Record<string, unknown>,
      })
    return Promise.resolve(reply())
  }) as unknown as typeof globalThis.fetch
  const home = await aHome(accounts)
  const all = { ...homeIn(home), CODEX_AUTH_RETRY_ALL_MAX_WAIT_MS: '0', ...env }
  const core = await createCore({
    host: { log: () => undefined, toast: () => undefined },
    paths: resolvePaths(all),
    env: all,
    directory: home,
    fetch,
  })
  onTestFinished(() => core.close())
  return { core, sent }
}

const stream = () => new Response(DONE, { headers: { 'content-type': 'text/event-stream' } })
const key = { kind: 'api-key', apiKey: KEY, baseUrl: PUBLIC, addedAt: 1, lastUsed: 0 }

describe('an API key for the public API', () => {
  it('is sent to that API and nowhere else, with the invariants of every request and no header of a ChatGPT account', async () => {
    const { core, sent } = await coreWith(
      [{ ...key, accountId: 'ws-left-over', residency: 'us' }],
      stream,
    )
    const answer = await ask(core, await firstTurn())
    expect(answer.status, answer.text).toBe(200)
    expect(sent.map(({ url }) => url)).toEqual([`${PUBLIC}/responses`])
    expect(sent[0]?.headers).toMatchObject({
      authorization: `Bearer ${KEY}`,
      accept: 'text/event-stream',
      'session-id': 'ses_1',
    })
    expect(
      Object.keys(sent[0]?.headers ?? {}).filter((name) =>
        /^(?:chatgpt|x-openai|x-codex)/.test(name),
      ),
    ).toEqual([])
    expect(sent[0]?.body).toMatchObject({
      store: false,
      stream: true,
      include: ['reasoning.encrypted_content'],
    })
    expect(sent[0]?.body).not.toHaveProperty('previous_response_id')
  })

  it('repairs a body that asks to be stored', async () => {
    const { core, sent } = await coreWith([key], stream)
    await ask(
      core,
      JSON.stringify({
        model: 'gpt-5.5',
        input: [
          { type: 'item_reference', id: 'msg_1' },
          { id: 'msg_2', role: 'user', content: [{ type: 'input_text', text: 'hi' }] },
        ],
        store: true,
        stream: true,
        previous_response_id: 'resp_0',
      }),
    )
    expect(sent[0]?.body).toMatchObject({ store: false, input: [{ role: 'user' }] })
    expect(JSON.stringify(sent[0]?.body)).not.toMatch(/previous_response_id|item_reference|msg_2/)
  })

  it('is not sent to the endpoint that is set for other keys', async () => {
    const { core, sent } = await coreWith([key], stream, {
      CODEX_AUTH_BASE_URL: 'https://gateway.example.com',
    })
    await ask(core, await firstTurn())
    expect(sent.map(({ url }) => url)).toEqual([`${PUBLIC}/responses`])
  })

  it('that is refused ends in one clear sentence without the key', async () => {
    const body = JSON.stringify({
      error: {
        message: `Incorrect API key provided: ${KEY}`,
        type: 'invalid_request_error',
        code: 'invalid_api_key',
      },
    })
    const { core, sent } = await coreWith(
      [key],
      () => new Response(body, { status: 401, headers: { 'content-type': 'application/json' } }),
    )
    const answer = await ask(core, await firstTurn())
    expect(answer.status).toBe(401)
    expect(answer.text).toContain('the endpoint does not accept this API key')
    expect(answer.text).not.toContain(KEY)
    expect(sent).toHaveLength(1)
  })

  it('in the environment is never used by itself', async () => {
    const { core, sent } = await coreWith([], stream, { OPENAI_API_KEY: KEY })
    const answer = await ask(core, await firstTurn())
    expect(answer.text).toContain('No ChatGPT account is signed in')
    expect(sent).toEqual([])
  })
})
