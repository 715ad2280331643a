import { describe, expect, it, onTestFinished } from 'vitest'

import { type Simulator, type SimulatorOptions, startSimulator } from '../../simulator/index.js'
import { type Client, connect, type Received, refused, typesOf } from './socket-client.js'

async function start(options: SimulatorOptions = {}): Promise<Simulator> {
  const simulator = await startSimulator({ accounts: ['one', 'two'], ...options })
  onTestFinished(() => simulator.close())
  return simulator
}

const says = (text: string): object => ({
  role: 'user',
  content: [{ type: 'input_text', text: `SIM:say ${text}` }],
})

const FRAME = {
  type: 'response.create',
  model: 'gpt-5.5',
  instructions: 'x',
  prompt_cache_key: 'k',
  input: [says('hi')],
  store: false,
  include: ['reasoning.encrypted_content'],
}

const idOf = (events: readonly Received[]): string =>
  (events.at(-1) as { response: { id: string } }).response.id

const errorOf = (events: readonly Received[]): Record<string, unknown> =>
  (events.at(-1) as { error: Record<string, unknown> }).error

const textOf = (events: readonly Received[]): string =>
  events
    .map((event) =>
      typeof event === 'object' && event.type === 'response.output_text.delta'
        ? String(event.delta)
        : '',
    )
    .join('')

async function opened(simulator: Simulator): Promise<{ client: Client; id: string }> {
  const client = await connect(simulator)
  return { client, id: idOf(await client.turn(FRAME)) }
}

describe('a frame', () => {
  it('is answered with the events of HTTP, one message each, behind the turn state', async () => {
    const now = (): number => 1_800_000_000_000
    const overSocket = await (await connect(await start({ seed: 3, now }))).turn(FRAME)
    const { type: _type, ...body } = FRAME
    const http = await start({ seed: 3, now })
    const response = await fetch(`${http.backend}/codex/responses`, {
      method: 'POST',
      headers: { authorization: `Bearer ${http.login('one').access_token}` },
      body: JSON.stringify({ ...body, stream: true }),
    })
    const overHttp = [...(await response.text()).matchAll(/^event: (.+)$/gm)].map(
      ([, type]) => type,
    )
    expect(typesOf(overSocket)).toEqual(['response.metadata', ...overHttp])
    expect(overSocket[0]).toMatchObject({
      headers: {
        'x-codex-turn-state': expect.stringMatching(/^ts_one_/),
        'openai-model': 'gpt-5.5',
      },
    })
    expect(textOf(overSocket)).toBe('hi')
  })

  it('that continues the last answer brings the new items alone', async () => {
    const simulator = await start()
    const { client, id } = await opened(simulator)
    const answer = await client.turn({
      ...FRAME,
      previous_response_id: id,
      input: [says('again')],
    })
    expect(textOf(answer)).toBe('again')
    expect(
      simulator.requests.map(({ method, status, transport, connection, incremental }) => [
        method,
        status,
        transport,
        connection,
        incremental,
      ]),
    ).toEqual([
      ['GET', 101, 'websocket', 1, false],
      ['FRAME', 200, 'websocket', 1, false],
      ['FRAME', 200, 'websocket', 1, true],
    ])
    expect(simulator.requests[2]?.history).toMatchObject([
      { role: 'user' },
      { type: 'reasoning' },
      { type: 'message', role: 'assistant' },
      { role: 'user' },
    ])
  })

  it('calls a tool as often as the prompt says, with only its outputs sent on', async () => {
    const client = await connect(await start())
    const frame = { ...FRAME, tools: [{ type: 'function', name: 'bash' }] }
    let answer = await client.turn({
      ...frame,
      input: [
        {
          role: 'user',
          content: [{ type: 'input_text', text: 'SIM:tool*3 bash {"command":"x"}' }],
        },
      ],
    })
    const calls: string[] = []
    for (let turn = 0; turn < 3; turn += 1) {
      const { item } = answer.findLast(
        (event) => typeof event === 'object' && event.type === 'response.output_item.done',
      ) as { item: { call_id: string; name: string } }
      calls.push(item.name)
      answer = await client.turn({
        ...frame,
        previous_response_id: idOf(answer),
        input: [{ type: 'function_call_output', call_id: item.call_id, output: 'done' }],
      })
    }
    expect(calls).toEqual(['bash', 'bash', 'bash'])
    expect(textOf(answer)).toContain('The tool has answered')
  })

  it('that only warms up is answered without output and costs nothing', async () => {
    const simulator = await start({
      accounts: [{ name: 'one', windows: [{ minutes: 300, limit: 1 }] }],
    })
    const client = await connect(simulator)
    const warm = await client.turn({ ...FRAME, generate: false })
    expect(typesOf(warm)).toEqual(['response.created', 'response.completed'])
    const turn = { ...FRAME, previous_response_id: idOf(warm), input: [says('more')] }
    const answer = await client.turn(turn)
    expect(textOf(answer)).toBe('more')
    expect(
      (await client.turn({ ...turn, previous_response_id: idOf(answer) })).at(-1),
    ).toMatchObject({
      type: 'error',
      status: 429,
      error: { type: 'usage_limit_reached' },
      headers: { 'x-codex-primary-used-percent': '100' },
    })
  })

  it.each([
    [{ store: true }, 'Store must be set to false'],
    [{ max_output_tokens: 5 }, 'Unsupported parameter: max_output_tokens'],
    [{ type: 'response.steer' }, 'no response.create'],
  ])('with %j is refused', async (change, sentence) => {
    const events = await (await connect(await start())).turn({ ...FRAME, ...change })
    expect(events).toMatchObject([{ type: 'error', status: 400 }])
    expect(errorOf(events).message).toContain(sentence)
  })

  it('sent while another is answered waits for its turn', async () => {
    const simulator = await start({ settings: { deltaMs: 5 } })
    const client = await connect(simulator)
    const first = client.turn({ ...FRAME, input: [says('one two three')] })
    client.socket.send(JSON.stringify({ ...FRAME, input: [says('second')] }))
    expect(textOf(await first)).toBe('one two three')
    await expect
      .poll(() => simulator.requests.map(({ end }) => end))
      .toEqual([undefined, 'sent', 'sent'])
  })
})

describe('what a connection holds', () => {
  it('is not known on another connection, nor for another account', async () => {
    const simulator = await start()
    const { id } = await opened(simulator)
    for (const account of ['one', 'two']) {
      const events = await (
        await connect(simulator, account)
      ).turn({
        ...FRAME,
        previous_response_id: id,
      })
      expect(events).toMatchObject([
        { type: 'error', status: 400, error: { code: 'previous_response_not_found' } },
      ])
    }
  })

  it('is the newest answer alone, and nothing after an answer that failed', async () => {
    const simulator = await start()
    const { client, id } = await opened(simulator)
    const next = { ...FRAME, previous_response_id: id, input: [says('more')] }
    const second = idOf(await client.turn(next))
    expect(errorOf(await client.turn(next)).code).toBe('previous_response_not_found')
    expect(errorOf(await client.turn({ ...next, previous_response_id: second })).code).toBe(
      'previous_response_not_found',
    )
  })

  it.each(['instructions', 'prompt_cache_key'] as const)(
    'is answered with nothing when a continuation leaves out %s',
    async (member) => {
      const { client, id } = await opened(await start())
      const { [member]: _left, ...frame } = FRAME
      const events = await client.turn({
        ...frame,
        previous_response_id: id,
        input: [says('more')],
      })
      expect(typesOf(events)).toEqual(['response.created', 'response.completed'])
      expect(events.at(-1)).toMatchObject({ response: { output: [] } })
    },
  )

  it('is no place for an item that it has already', async () => {
    const simulator = await start()
    const item = { ...says('hi'), type: 'message', id: 'msg_1' }
    const client = await connect(simulator)
    const whole = { ...FRAME, input: [item] }
    const id = idOf(await client.turn(whole))
    const again = await client.turn({ ...whole, previous_response_id: id })
    expect(errorOf(again).message).toContain('Duplicate item found with id msg_1')

    const fresh = await connect(simulator)
    await fresh.turn(whole)
    const twice = await fresh.turn({ ...whole, input: [item, says('more')] })
    expect(errorOf(twice).message, 'nor is the whole history').toContain('Duplicate item found')

    simulator.changeSettings({ duplicateItems: 'chain' })
    const lenient = await connect(simulator)
    await lenient.turn(whole)
    expect(textOf(await lenient.turn({ ...whole, input: [item, says('more')] }))).toBe('more')
  })

  it('keeps calls and outputs in pairs', async () => {
    const { client, id } = await opened(await start())
    const events = await client.turn({
      ...FRAME,
      previous_response_id: id,
      input: [{ type: 'function_call_output', call_id: 'call_x', output: '' }],
    })
    expect(errorOf(events).message).toContain('No tool call found')
  })
})

describe('a connection', () => {
  it('is refused for another workspace, and no good any more once its token is revoked', async () => {
    const simulator = await start()
    expect(
      (await refused(simulator, 'one', { headers: { 'chatgpt-account-id': 'other' } })).status,
    ).toBe(403)
    const client = await connect(simulator)
    simulator.revokeAccount('one')
    expect(await client.turn(FRAME)).toMatchObject([{ type: 'error', status: 401 }])
  })

  it('has an end of age, after which it answers with its limit', async () => {
    const simulator = await start()
    const { client, id } = await opened(simulator)
    simulator.advance(60 * 60_000)
    const events = await client.turn({ ...FRAME, previous_response_id: id })
    expect(events).toMatchObject([
      { type: 'error', status: 400, error: { code: 'websocket_connection_limit_reached' } },
    ])
  })

  it('packs messages both ways where the client offers it and the setting is on', async () => {
    const simulator = await start()
    const big = { ...FRAME, instructions: 'words '.repeat(5_000) }
    const packed = await connect(simulator, 'one', { deflate: true })
    expect(packed.socket.extensions).toContain('permessage-deflate')
    expect(textOf(await packed.turn(big))).toBe('hi')
    const plain = await connect(simulator)
    await plain.turn(big)
    const frames = simulator.requests.filter(({ method }) => method === 'FRAME')
    expect(frames.map(({ body }) => body)).toEqual([JSON.stringify(big), JSON.stringify(big)])
    expect(frames[0]!.bytesUp).toBeLessThan(1_000)
    expect(frames[1]!.bytesUp).toBeGreaterThan(30_000)
    simulator.changeSettings({ webSocketDeflate: false })
    expect((await connect(simulator, 'one', { deflate: true })).socket.extensions).toBe('')
  })

  it('ends with 1009 at a message that is too large', async () => {
    const simulator = await start({ settings: { webSocketMaxBytes: 1_000 } })
    const client = await connect(simulator)
    await client.turn({ ...FRAME, instructions: 'x'.repeat(2_000) })
    expect((await client.closed).code).toBe(1009)
  })

  it.each([
    [1000, 'bye', 1000],
    [1001, '', 1001],
    [1006, '', 1006],
  ])('can be closed with %i while it is idle', async (code, reason, seen) => {
    const simulator = await start()
    const { client } = await opened(simulator)
    expect(simulator.openSockets()).toEqual([{ account: 'one', connection: 1 }])
    expect(simulator.closeSockets({ account: 'two' })).toBe(0)
    expect(simulator.closeSockets({ code, reason })).toBe(1)
    expect(await client.closed).toEqual({ code: seen, reason })
    await expect.poll(() => simulator.openSockets()).toEqual([])
  })

  it('that the client loses ends its answer', async () => {
    const simulator = await start({ settings: { deltaMs: 5 } })
    const client = await connect(simulator)
    void client.turn({ ...FRAME, input: [says('word '.repeat(200))] })
    await expect.poll(() => simulator.requests.length).toBe(2)
    client.socket.terminate()
    await expect.poll(() => simulator.requests[1]?.end).toBe('gone')
  })
})

describe('scheduling', () => {
  it('lets the first output wait as long as the transport has it, and no longer', async () => {
    const simulator = await start({ settings: { outputDelayMs: { http: 0, websocket: 60 } } })
    const client = await connect(simulator)
    const at: Record<string, number> = {}
    client.socket.on('message', (data: Buffer) => {
      at[(JSON.parse(data.toString()) as { type: string }).type] ??= performance.now()
    })
    await client.turn(FRAME)
    expect(at['response.output_item.added']! - at['response.in_progress']!).toBeGreaterThan(50)
  })
})
