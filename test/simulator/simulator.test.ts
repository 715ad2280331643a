import { once } from 'node:events'
import http from 'node:http'
import zlib from 'node:zlib'

import { describe, expect, it, onTestFinished } from 'vitest'

import { type Simulator, type SimulatorOptions, startSimulator } from '../../simulator/index.js'

async function start(options: SimulatorOptions = {}): Promise<Simulator> {
  const simulator = await startSimulator({ accounts: ['one', 'two'], ...options })
  onTestFinished(() => simulator.close())
  return simulator
}

const BODY = {
  model: 'gpt-5.5',
  instructions: 'x',
  input: [{ role: 'user', content: [{ type: 'input_text', text: 'SIM:say hi' }] }],
  store: false,
  stream: true,
  include: ['reasoning.encrypted_content'],
}

function ask(simulator: Simulator, account: string, body: object = BODY): Promise<Response> {
  return fetch(`${simulator.backend}/codex/responses`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${simulator.login(account).access_token}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify(body),
  })
}

const refresh = (simulator: Simulator, token: string): Promise<Response> =>
  fetch(`${simulator.url}/oauth/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ grant_type: 'refresh_token', refresh_token: token }),
  })

describe('refresh tokens', () => {
  it('work once; a second use says that they were used', async () => {
    const simulator = await start()
    const { refresh_token: token } = simulator.login('one')
    expect((await (await refresh(simulator, token)).json()).refresh_token).not.toBe(token)
    const again = await refresh(simulator, token)
    expect(again.status).toBe(401)
    expect(await again.json()).toMatchObject({ error: { code: 'refresh_token_reused' } })
  })
})

describe('responses', () => {
  it('stream an answer that ends with token counts', async () => {
    const text = await (await ask(await start(), 'one')).text()
    expect(text).toMatch(/^event: response\.created/)
    expect(text).toContain('"delta":"hi"')
    expect(JSON.parse(text.slice(text.lastIndexOf('data: ') + 6))).toMatchObject({
      type: 'response.completed',
      response: { usage: { output_tokens: expect.any(Number) } },
    })
  })

  it('say the words that are set, but for a prompt that asks for its own', async () => {
    const simulator = await start({ settings: { says: { turn: 'Fixed.', title: null } } })
    const asking = (text: string): object => ({
      ...BODY,
      input: [{ role: 'user', content: [{ type: 'input_text', text }] }],
    })
    expect(await (await ask(simulator, 'one', asking('Why?'))).text()).toContain('"delta":"Fixed."')
    expect(await (await ask(simulator, 'one')).text()).toContain('"delta":"hi"')
  })

  it.each([
    [{ store: true }, 'Store must be set to false'],
    [{ stream: false }, 'Stream must be set to true'],
    [{ max_output_tokens: 5 }, 'Unsupported parameter: max_output_tokens'],
    [{ previous_response_id: 'r' }, 'Unsupported parameter: previous_response_id'],
    [{ model: 'gpt-0' }, 'not supported when using Codex'],
  ])('refuse a body with %j in the words of the backend', async (change, sentence) => {
    const response = await ask(await start(), 'one', { ...BODY, ...change })
    expect(response.status).toBe(400)
    expect((await response.json()).detail).toContain(sentence)
  })

  it('give reasoning that only the same account can send back', async () => {
    const simulator = await start()
    const text = await (await ask(simulator, 'one')).text()
    const sealed = /"encrypted_content":"([^"]+)"/.exec(text)![1]
    const body = {
      ...BODY,
      input: [{ type: 'reasoning', encrypted_content: sealed, summary: [] }, ...BODY.input],
    }
    expect((await ask(simulator, 'one', body)).status).toBe(200)
    const refused = await ask(simulator, 'two', body)
    expect(await refused.json()).toMatchObject({ error: { code: 'invalid_encrypted_content' } })
  })

  it('use up the windows, and serve again after the reset', async () => {
    const simulator = await start({
      accounts: [{ name: 'one', windows: [{ minutes: 300, limit: 2 }] }],
    })
    expect((await ask(simulator, 'one')).headers.get('x-codex-primary-used-percent')).toBe('50')
    await ask(simulator, 'one')
    const limited = await ask(simulator, 'one')
    expect(limited.status).toBe(429)
    expect(await limited.json()).toMatchObject({
      error: { type: 'usage_limit_reached', plan_type: 'plus' },
    })
    simulator.advance(301 * 60_000)
    expect((await ask(simulator, 'one')).status).toBe(200)
  })

  it('are the same for the same seed', async () => {
    const now = () => 1_800_000_000_000
    const answers = await Promise.all(
      [1, 1, 2].map(async (seed) => (await ask(await start({ seed, now }), 'one')).text()),
    )
    expect(answers[0]).toBe(answers[1])
    expect(answers[0]).not.toBe(answers[2])
  })
})

describe('faults', () => {
  it.each([
    ['a status', { type: 'server_error', status: 503 }, 503, ''],
    [
      'a failure inside the stream',
      { type: 'stream_failed', code: 'server_error' },
      200,
      'response.failed',
    ],
    ['another name of the end', { type: 'done' }, 200, 'response.done'],
    ['an early end', { type: 'eof', at: 'end' }, 200, 'output_item.done'],
  ] as const)('make %s happen as often as the rule says', async (_name, action, status, text) => {
    const simulator = await start({
      scenario: { when: { endpoint: 'responses' }, times: 1, do: action },
    })
    const faulty = await ask(simulator, 'one')
    expect(faulty.status).toBe(status)
    const body = await faulty.text()
    expect(body).toContain(text)
    expect(body).not.toContain('event: response.completed')
    expect(await (await ask(simulator, 'one')).text()).toContain('event: response.completed')
  })

  it('can cut the connection in the middle', async () => {
    const simulator = await start({
      scenario: { when: { endpoint: 'responses' }, do: { type: 'cut', at: 1 } },
    })
    const response = await ask(simulator, 'one')
    await expect(response.text()).rejects.toThrow()
  })
})

describe('the account endpoints', () => {
  it('answer the model list with an ETag, and 304 to it', async () => {
    const simulator = await start()
    const headers = { authorization: `Bearer ${simulator.login('one').access_token}` }
    const first = await fetch(`${simulator.backend}/codex/models`, { headers })
    const etag = first.headers.get('etag')!
    expect((await first.json()).models.length).toBeGreaterThan(3)
    expect(
      (
        await fetch(`${simulator.backend}/codex/models`, {
          headers: { ...headers, 'if-none-match': etag },
        })
      ).status,
    ).toBe(304)
  })

  it('redeem a banked reset once', async () => {
    const simulator = await start({
      accounts: [{ name: 'one', resetCredits: 1, windows: [{ minutes: 300, limit: 2, used: 2 }] }],
    })
    const consume = async (): Promise<string> => {
      const answer = await fetch(`${simulator.backend}/wham/rate-limit-reset-credits/consume`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${simulator.login('one').access_token}`,
          'content-type': 'application/json',
        },
        body: JSON.stringify({ redeem_request_id: 'x' }),
      })
      return ((await answer.json()) as { code: string }).code
    }
    expect([await consume(), await consume()]).toEqual(['reset', 'already_redeemed'])
    expect((await ask(simulator, 'one')).status).toBe(200)
  })
})

describe('the control plane', () => {
  it('changes a running simulator', async () => {
    const simulator = await start()
    const post = (route: string, body: unknown) =>
      fetch(`${simulator.url}/__sim/${route}`, { method: 'POST', body: JSON.stringify(body) })
    expect(
      (await post('scenario', { when: { account: 'one' }, do: { type: 'usage_limit' } })).status,
    ).toBe(200)
    expect((await ask(simulator, 'one')).status).toBe(429)
    expect((await ask(simulator, 'two')).status).toBe(200)
    expect((await post('scenario', { do: { type: 'nonsense' } })).status).toBe(400)
    const state = await (await fetch(`${simulator.url}/__sim/state`)).json()
    expect(state.rules).toHaveLength(1)
  })
})

describe('what Codex CLI asks for with its defaults', () => {
  /** A frame of one stored block: Node can pack with zstd from version 22 on only. */
  const stored = (bytes: Buffer): Buffer => {
    const header = (bytes.length << 3) | 1
    return Buffer.concat([
      Buffer.from([
        0x28,
        0xb5,
        0x2f,
        0xfd,
        0x00,
        0x58,
        header & 255,
        (header >> 8) & 255,
        header >> 16,
      ]),
      bytes,
    ])
  }

  it.each([
    ['zstd', stored],
    ['gzip', (bytes: Buffer) => zlib.gzipSync(bytes)],
    ['deflate', (bytes: Buffer) => zlib.deflateSync(bytes)],
    ['br', (bytes: Buffer) => zlib.brotliCompressSync(bytes)],
  ])('is understood in a body packed with %s', async (encoding, pack) => {
    const simulator = await start()
    const response = await fetch(`${simulator.backend}/codex/responses`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${simulator.login('one').access_token}`,
        'content-type': 'application/json',
        'content-encoding': encoding,
      },
      body: new Uint8Array(pack(Buffer.from(JSON.stringify(BODY)))),
    })
    expect(response.status).toBe(200)
    expect(await response.text()).toContain('"delta":"hi"')
    expect(JSON.parse(simulator.requests[0]!.body)).toEqual(BODY)
  })

  it.each([
    ['lzw', Buffer.from('{}')],
    ['zstd', Buffer.from('no frame')],
    ['gzip', Buffer.from('{}')],
  ])('is refused with 415 when it says %s and is not', async (encoding, body) => {
    const simulator = await start()
    expect(
      (
        await fetch(`${simulator.backend}/codex/responses`, {
          method: 'POST',
          headers: { 'content-encoding': encoding },
          body: new Uint8Array(body),
        })
      ).status,
    ).toBe(415)
  })

  it('is a WebSocket first, which a setting refuses: 426 sends it to HTTP at once (with 404 it tried seven times for five seconds)', async () => {
    const simulator = await start({ settings: { webSocket: false } })
    const request = http.get(`${simulator.backend}/codex/responses`, {
      headers: {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
        'sec-websocket-version': '13',
      },
    })
    const [response] = (await once(request, 'response')) as [http.IncomingMessage]
    expect(response.statusCode).toBe(426)
    response.resume()
    expect(simulator.requests.map(({ path, status }) => [path, status])).toEqual([
      ['/backend-api/codex/responses', 426],
    ])
  })

  it.each([400, 415] as const)(
    'is refused with %i where the backend does not understand zstd',
    async (encodingRefusal) => {
      const simulator = await start({ settings: { encodings: ['gzip'], encodingRefusal } })
      const send = (encoding: string, body: Buffer): Promise<Response> =>
        fetch(`${simulator.backend}/codex/responses`, {
          method: 'POST',
          headers: {
            authorization: `Bearer ${simulator.login('one').access_token}`,
            'content-encoding': encoding,
          },
          body: new Uint8Array(body),
        })
      const bytes = Buffer.from(JSON.stringify(BODY))
      expect((await send('zstd', stored(bytes))).status).toBe(encodingRefusal)
      expect((await send('gzip', zlib.gzipSync(bytes))).status).toBe(200)
      expect(simulator.requests.map(({ account }) => account)).toEqual(['one', 'one'])
      expect(simulator.requests[1]).toMatchObject({
        transport: 'http',
        bytesUp: zlib.gzipSync(bytes).length,
        body: bytes.toString(),
      })
    },
  )

  it('can be refused for its packed bodies by a rule, for one account', async () => {
    const simulator = await start({
      scenario: {
        when: { account: 'one', encoding: 'gzip' },
        do: { type: 'respond', status: 415, json: { detail: 'Unsupported encoding' } },
      },
    })
    const send = async (account: string, isPacked: boolean): Promise<number> => {
      const bytes = Buffer.from(JSON.stringify(BODY))
      const { status } = await fetch(`${simulator.backend}/codex/responses`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${simulator.login(account).access_token}`,
          ...(isPacked ? { 'content-encoding': 'gzip' } : {}),
        },
        body: new Uint8Array(isPacked ? zlib.gzipSync(bytes) : bytes),
      })
      return status
    }
    expect([await send('one', true), await send('one', false), await send('two', true)]).toEqual([
      415, 200, 200,
    ])
  })

  it('offers tools in groups at the head of the input and calls a custom one with text', async () => {
    const simulator = await start()
    const tools = [
      {
        type: 'namespace',
        name: 'functions',
        tools: [
          { type: 'custom', name: 'exec' },
          { type: 'function', name: 'wait' },
        ],
      },
    ]
    const body = {
      ...BODY,
      input: [
        { type: 'additional_tools', role: 'developer', tools },
        {
          role: 'user',
          content: [{ type: 'input_text', text: 'SIM:tool exec {"input":"text(1)"}' }],
        },
      ],
    }
    expect(await (await ask(simulator, 'one', body)).text()).toContain('"type":"custom_tool_call"')
  })
})
