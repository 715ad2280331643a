import { describe, expect, it, onTestFinished } from 'vitest'

import { type Simulator, startSimulator } from '../../simulator/index.js'
import type { ScenarioRule } from '../../simulator/scenario.js'
import { connect, refused, typesOf } from './socket-client.js'

async function start(scenario: ScenarioRule | ScenarioRule[]): Promise<Simulator> {
  const simulator = await startSimulator({ accounts: ['one', 'two'], scenario })
  onTestFinished(() => simulator.close())
  return simulator
}

const FRAME = {
  type: 'response.create',
  model: 'gpt-5.5',
  prompt_cache_key: 'k',
  input: [{ role: 'user', content: [{ type: 'input_text', text: 'SIM:say one two three' }] }],
  store: false,
}

describe('an upgrade', () => {
  it.each([
    [{ type: 'respond', status: 426, json: { detail: 'Upgrade Required' } }, 426],
    [{ type: 'respond', status: 404 }, 404],
    [{ type: 'unauthorized' }, 401],
    [{ type: 'forbidden' }, 403],
    [{ type: 'server_error', status: 503 }, 503],
    [{ type: 'usage_limit' }, 429],
    [{ type: 'html' }, 200],
  ] as const)('can be refused with %j, for one account', async (action, status) => {
    const simulator = await start({ when: { endpoint: 'upgrade', account: 'one' }, do: action })
    expect((await refused(simulator)).status).toBe(status)
    await connect(simulator, 'two')
    expect(simulator.requests.map((request) => [request.account, request.status])).toEqual([
      ['one', status],
      ['two', 101],
    ])
  })

  it('that is refused has the head and the body of an HTTP answer', async () => {
    const simulator = await start({
      when: { endpoint: 'upgrade' },
      do: { type: 'rate_limit', retryAfterSec: 7 },
    })
    const answer = await refused(simulator)
    expect(answer.headers['retry-after']).toBe('7')
    expect(JSON.parse(answer.body)).toMatchObject({ error: { code: 'rate_limit_exceeded' } })
  })

  it('can hang until the client leaves, and can be cut', async () => {
    const simulator = await start([
      { when: { endpoint: 'upgrade', account: 'one' }, do: { type: 'stall', at: 'connect' } },
      { when: { endpoint: 'upgrade', account: 'two' }, do: { type: 'cut', at: 'connect' } },
    ])
    const waiting = connect(simulator, 'one')
    const cut = connect(simulator, 'two')
    await expect(cut).rejects.toThrow(/socket hang up|ECONNRESET/)
    const outcome = await Promise.race([
      waiting.then(
        () => 'open',
        () => 'refused',
      ),
      new Promise((resolve) => setTimeout(resolve, 100, 'hanging')),
    ])
    expect(outcome).toBe('hanging')
    await simulator.close()
    await expect(waiting).rejects.toThrow()
  })
})

describe('a turn', () => {
  it.each([
    ['nothing', 'start', 0],
    ['the head', 'created', 4],
    ['output', 1, 7],
    ['all but the end', 'end', 12],
  ] as const)('can be closed with any code behind %s', async (_name, at, events) => {
    for (const code of [1000, 1001, 1006, 1008, 1009, 1011]) {
      const simulator = await start({
        when: { endpoint: 'responses' },
        do: { type: 'close', code, reason: 'why', at },
      })
      const client = await connect(simulator)
      expect(await client.turn(FRAME)).toHaveLength(events)
      expect(await client.closed).toEqual({ code, reason: code === 1006 ? '' : 'why' })
    }
  })

  it('can be followed by the end of the connection', async () => {
    const simulator = await start({
      when: { endpoint: 'responses' },
      do: { type: 'close', code: 1001, at: 'after' },
    })
    const client = await connect(simulator)
    expect(typesOf(await client.turn(FRAME)).at(-1)).toBe('response.completed')
    expect((await client.closed).code).toBe(1001)
  })

  it.each([
    ['cut', 1006],
    ['eof', 1000],
  ] as const)('that is over with %s closes the connection with %i', async (type, code) => {
    const client = await connect(
      await start({ do: { type, at: 1 }, when: { endpoint: 'responses' } }),
    )
    await client.turn(FRAME)
    expect((await client.closed).code).toBe(code)
  })

  it('becomes an error frame where HTTP would have a status, and the connection lives on', async () => {
    const simulator = await start({
      when: { endpoint: 'responses', transport: 'websocket' },
      times: 1,
      do: { type: 'rate_limit', retryAfterSec: 2 },
    })
    const client = await connect(simulator)
    expect(await client.turn(FRAME)).toEqual([
      {
        type: 'error',
        status: 429,
        error: expect.objectContaining({ code: 'rate_limit_exceeded' }) as unknown,
        headers: { 'retry-after': '2' },
      },
    ])
    expect(simulator.requests.at(-1)).toMatchObject({ method: 'FRAME', status: 429, end: 'sent' })
    expect(typesOf(await client.turn(FRAME)).at(-1)).toBe('response.completed')
  })

  it.each([
    [
      { status: 500, statusMember: 'status_code', shape: 'nested', at: 'start' },
      { type: 'error', status_code: 500, error: { code: 'server_error' } },
    ],
    [
      { shape: 'nested', at: 'start' },
      { type: 'error', error: { code: 'server_error' } },
    ],
    [
      { shape: 'flat', at: 'start' },
      { type: 'error', code: 'server_error' },
    ],
    [
      { status: 429, headers: { 'retry-after': '1' }, shape: 'nested', at: 2 },
      { type: 'error', status: 429, headers: { 'retry-after': '1' } },
    ],
  ] as const)('can have an error event as %j', async (change, event) => {
    const client = await connect(
      await start({
        when: { endpoint: 'responses' },
        do: { type: 'stream_error_event', ...change },
      }),
    )
    const events = await client.turn(FRAME)
    expect(events.at(-1)).toMatchObject(event)
    if (!('status' in event) && !('status_code' in event))
      expect(Object.keys(events.at(-1)!)).not.toContain('status')
    if (change.at === 'start') expect(events).toHaveLength(1)
  })

  it('can have an error event without a status and go on', async () => {
    const client = await connect(
      await start({
        when: { endpoint: 'responses' },
        do: { type: 'stream_error_event', shape: 'nested', at: 'start', ends: false },
      }),
    )
    const ended = new Promise<void>((resolve) => {
      client.socket.on('message', (data: Buffer) => {
        if (data.includes('response.completed')) resolve()
      })
    })
    expect(typesOf(await client.turn(FRAME))).toEqual(['error'])
    await ended
  })

  it.each(['connection_limit', 'forget'] as const)(
    'can be refused for what happened to its connection: %s',
    async (type) => {
      const simulator = await start({ when: { endpoint: 'responses' }, nth: 2, do: { type } })
      const client = await connect(simulator)
      const first = (await client.turn(FRAME)).at(-1) as { response: { id: string } }
      const events = await client.turn({ ...FRAME, previous_response_id: first.response.id })
      expect(events).toMatchObject([
        {
          type: 'error',
          status: 400,
          error: {
            code:
              type === 'forget'
                ? 'previous_response_not_found'
                : 'websocket_connection_limit_reached',
          },
        },
      ])
    },
  )

  it('can have a message of bytes in it, keep-alive events, text that is no JSON, and pings', async () => {
    const simulator = await start({
      when: { endpoint: 'responses' },
      do: [
        { type: 'keepalive', times: 2, everyMs: 1, at: 'start' },
        { type: 'binary', at: 'created' },
        { type: 'malformed', kind: 'garbage', at: 'created' },
        { type: 'ping', at: 1 },
      ],
    })
    const client = await connect(simulator)
    const pings: string[] = []
    client.socket.on('ping', (data) => pings.push(data.toString()))
    const types = typesOf(await client.turn(FRAME))
    expect(types.slice(0, 3)).toEqual(['codex.keepalive', 'codex.keepalive', 'response.metadata'])
    expect(types).toContain('binary 000102')
    expect(types.some((type) => type.includes('<<<not an event>>>'))).toBe(true)
    expect(types.at(-1)).toBe('response.completed')
    expect(pings).toEqual(['simulator'])
  })

  it.each([true, false])(
    'can come in fragments with pings between them (packed: %s)',
    async (deflate) => {
      const simulator = await start({
        when: { endpoint: 'responses' },
        do: { type: 'split', bytes: 50, ping: true },
      })
      const client = await connect(simulator, 'one', { deflate })
      let pings = 0
      client.socket.on('ping', () => (pings += 1))
      const events = await client.turn(FRAME)
      expect(typesOf(events).at(-1)).toBe('response.completed')
      expect(pings).toBeGreaterThan(10)
    },
  )

  it('can be on a connection that is gone without a word: no answer, no pong, no end', async () => {
    const simulator = await start({
      when: { endpoint: 'responses', account: 'one' },
      do: { type: 'freeze', at: 'created' },
    })
    const busy = await connect(simulator, 'one')
    const idle = await connect(simulator, 'two')
    const seen: string[] = []
    void busy.turn(FRAME)
    await expect.poll(() => simulator.requests.length).toBe(3)
    simulator.freezeSockets('two')
    for (const { socket } of [busy, idle]) {
      socket.on('pong', () => seen.push('pong'))
      socket.on('close', () => seen.push('close'))
      socket.ping()
    }
    idle.socket.send(JSON.stringify(FRAME))
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(seen).toEqual([])
    expect(simulator.requests).toHaveLength(3)
  })

  it.each(['start', 'created', 1, 'end'] as const)('can fall silent at %s', async (at) => {
    const simulator = await start({ when: { endpoint: 'responses' }, do: { type: 'stall', at } })
    const client = await connect(simulator)
    void client.turn(FRAME)
    await expect.poll(() => simulator.requests.length).toBe(2)
    client.socket.terminate()
    await expect.poll(() => simulator.requests[1]?.end).toBe('gone')
  })
})
