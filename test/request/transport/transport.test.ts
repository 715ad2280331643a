import path from 'node:path'

import { describe, expect, it, onTestFinished, vi } from 'vitest'

import type { Account } from '../../../lib/accounts/account.js'
import { type Clock, systemClock } from '../../../lib/kernel/clock.js'
import { objectText } from '../../../lib/request/body/json-edit.js'
import type { Destination } from '../../../lib/request/endpoint.js'
import { HeaderTimeout } from '../../../lib/request/transport/http.js'
import type { OpenWebSocket } from '../../../lib/request/transport/socket.js'
import type { Transport } from '../../../lib/request/transport/passage.js'
import { createTransport } from '../../../lib/request/transport/transport.js'
import { user } from '../../support/conversation.js'
import {
  answer,
  nodeWebSocket,
  said,
  scriptedSocket,
  send,
  sse,
} from '../../support/scripted-socket.js'
import { temporaryFolder } from '../../support/temporary.js'

const account = { uid: 'u1', accountId: 'w1', addedAt: 1, lastUsed: 0 } as unknown as Account
const signedOut: Account = { ...account, needsLogin: { reason: 'ended', atMs: 1 } as never }
const replayed = { role: 'assistant', content: [{ type: 'output_text', text: 'hi' }] }

interface Way {
  readonly transport: Transport
  readonly counted: Map<string, number>
  ask(input: readonly unknown[], given?: Given): ReturnType<Transport['send']>
}
interface Given {
  readonly session?: string | undefined
  readonly account?: Account
  readonly others?: object
  readonly signal?: AbortSignal
  readonly headerTimeoutMs?: number
  readonly onTurnState?: (value: string) => void
  readonly headers?: Record<string, string>
}

/** The accounts of the store of the newest way. */
let signedIn: Account[] = []

async function wayTo(
  { url }: { url: string },
  settings: { transport?: 'http' | 'auto'; requestCompression?: 'off' | 'auto' } = {},
  folder?: string,
  clock: Clock = systemClock,
  open: OpenWebSocket = nodeWebSocket,
): Promise<Way> {
  const counted = new Map<string, number>()
  const accounts = [account]
  signedIn = accounts
  const transport = createTransport(
    {
      env: {},
      paths: { refusalsFile: path.join(folder ?? (await temporaryFolder()), 'refusals.json') },
      fetch: globalThis.fetch,
      clock,
      config: { transport: 'auto', requestCompression: 'off', ...settings },
      host: { log: () => undefined },
      metrics: { count: (name, by = 1) => void counted.set(name, (counted.get(name) ?? 0) + by) },
      store: { read: async () => ({ accounts }) as never },
    },
    open,
  )
  await transport.load()
  onTestFinished(() => transport.close())
  return {
    transport,
    counted,
    ask: (input, given = {}) =>
      transport.send({
        url: url as Destination,
        headers: {
          authorization: 'Bearer tok',
          'session-id': 'ses_1',
          accept: 'text/event-stream',
          ...given.headers,
        },
        body: bodyOf({
          model: 'gpt-5.5',
          input,
          stream: true,
          store: false,
          instructions: 'i',
          prompt_cache_key: 'ses_1',
          ...given.others,
        }),
        signal: given.signal ?? new AbortController().signal,
        headerTimeoutMs: given.headerTimeoutMs ?? 5_000,
        account: given.account ?? account,
        onTurnState: given.onTurnState ?? (() => undefined),
        sessionId: 'session' in given ? given.session : 'ses_1',
      }),
  }
}

const bodyOf = (members: object) => objectText(JSON.stringify(members))!

const textOf = async (exchange: ReturnType<Transport['send']>): Promise<string> =>
  (await exchange).response.text()

describe('a request over the WebSocket', () => {
  it('brings the events that HTTP would bring, in the same form', async () => {
    const backend = await scriptedSocket({})
    const way = await wayTo(backend)
    const { response, passage } = await way.ask([user('a')])
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    expect(await response.text()).toBe(sse(answer('resp_1', [said('hi')])))
    expect(passage).toMatchObject({ transport: 'websocket', full: 'new_connection' })
    expect(backend.posts).toEqual([])
  })

  it('connects with the headers of the request, as itself, and never asks for a stream of HTTP', async () => {
    const backend = await scriptedSocket({})
    await textOf((await wayTo(backend)).ask([user('a')]))
    expect(backend.upgrades[0]).toMatchObject({
      authorization: 'Bearer tok',
      'session-id': 'ses_1',
      'openai-beta': 'responses_websockets=2026-02-06',
    })
    expect(backend.upgrades[0]).not.toHaveProperty('accept')
  })

  it('sends what is new alone on the connection that holds the rest', async () => {
    const backend = await scriptedSocket({})
    const way = await wayTo(backend)
    await textOf(way.ask([user('a')]))
    const { response, passage } = await way.ask([user('a'), replayed, user('b')])
    await response.text()
    expect(backend.upgrades).toHaveLength(1)
    expect(backend.frames[1]?.frame).toEqual({
      type: 'response.create',
      model: 'gpt-5.5',
      input: [user('b')],
      store: false,
      instructions: 'i',
      prompt_cache_key: 'ses_1',
      previous_response_id: 'resp_1',
    })
    expect(passage).not.toHaveProperty('full')
    expect(passage.sentBytes).toBeLessThan(passage.bodyBytes)
  })

  it('tells the turn state it brings, and gives it back with what continues the turn', async () => {
    const state = { type: 'response.metadata', headers: { 'x-codex-turn-state': 'ts_1' } }
    const backend = await scriptedSocket({
      frame: ({ socket }) => send(socket, [state, ...answer('resp_1', [said('hi')])]),
    })
    const way = await wayTo(backend)
    const told: string[] = []
    await textOf(way.ask([user('a')], { onTurnState: (value) => void told.push(value) }))
    const headers = { 'x-codex-turn-state': 'ts_1' }
    await textOf(way.ask([user('a'), replayed, user('b')], { headers }))
    expect(told).toEqual(['ts_1'])
    expect(backend.frames[1]?.frame).toMatchObject({
      previous_response_id: 'resp_1',
      client_metadata: { 'x-codex-turn-state': 'ts_1' },
    })
  })

  it.each([
    ['an edited history', [user('A'), replayed, user('b')], {}, 'history_changed'],
    ['another effort', [user('a'), replayed, user('b')], { reasoning: {} }, 'settings_changed'],
    ['the same once more', [user('a')], {}, 'history_changed'],
  ])('goes whole and over a fresh connection with %s', async (_what, input, others, full) => {
    const backend = await scriptedSocket({})
    const way = await wayTo(backend)
    await textOf(way.ask([user('a')]))
    const { response, passage } = await way.ask(input, { others })
    await response.text()
    expect(passage).toMatchObject({ transport: 'websocket', full })
    expect(backend.upgrades).toHaveLength(2)
    expect(backend.frames[1]?.connection).toBe(2)
    expect(backend.frames[1]?.frame).toMatchObject({ input })
    expect(backend.frames[1]?.frame).not.toHaveProperty('previous_response_id')
  })

  it('never continues on the connection of another account or session', async () => {
    const backend = await scriptedSocket({})
    const way = await wayTo(backend)
    await textOf(way.ask([user('a')]))
    const next = [user('a'), replayed, user('b')]
    await textOf(way.ask(next, { account: { ...account, uid: 'u2' } }))
    await textOf(way.ask(next, { session: 'ses_2' }))
    expect(backend.frames.map(({ connection }) => connection)).toEqual([1, 2, 3])
    expect(backend.frames.filter(({ frame }) => 'previous_response_id' in frame)).toEqual([])
  })

  it('goes by HTTP while the connection of its session is answering', async () => {
    const backend = await scriptedSocket({
      frame: ({ socket }) => send(socket, [{ type: 'response.created', response: { id: 'r' } }]),
    })
    const way = await wayTo(backend)
    const { response } = await way.ask([user('a')])
    expect((await way.ask([user('b')])).passage.transport).toBe('http')
    await response.body?.cancel()
  })

  it.each<[string, Given]>([
    ['without a session', { session: undefined }],
    ['of an API key', { account: { ...account, kind: 'api-key' } }],
    ['without a cache key, a title say', { others: { prompt_cache_key: undefined } }],
  ])('is never made %s', async (_what, given: Given) => {
    const backend = await scriptedSocket({})
    const { passage } = await (await wayTo(backend)).ask([user('a')], given)
    expect([passage.transport, backend.upgrades.length]).toEqual(['http', 0])
  })

  it('is never made where the settings say HTTP', async () => {
    const backend = await scriptedSocket({})
    const way = await wayTo(backend, { transport: 'http' })
    await textOf(way.ask([user('a')]))
    expect(backend.upgrades).toEqual([])
  })

  it('is closed when its reader stops, and the next one goes over a fresh connection', async () => {
    const backend = await scriptedSocket({
      frame: ({ socket }) => send(socket, [{ type: 'response.created', response: { id: 'r' } }]),
    })
    const way = await wayTo(backend)
    const { response } = await way.ask([user('a')])
    await response.body?.cancel()
    await expect.poll(() => backend.sockets.clients.size).toBe(0)
    expect((await way.ask([user('a')])).passage.transport).toBe('websocket')
  })

  it('ends with its connections when the plugin closes', async () => {
    const backend = await scriptedSocket({})
    const way = await wayTo(backend)
    await textOf(way.ask([user('a')]))
    await way.transport.close()
    await expect.poll(() => backend.sockets.clients.size).toBe(0)
  })

  it('needs no more than six connections at a time: the one idle longest makes room', async () => {
    const backend = await scriptedSocket({})
    const way = await wayTo(backend)
    for (let session = 0; session < 9; session += 1)
      await textOf(way.ask([user('a')], { session: `ses_${session}` }))
    await expect.poll(() => backend.sockets.clients.size).toBe(6)
    expect(backend.upgrades).toHaveLength(9)
  })
})

describe('a connection that nobody uses', () => {
  const intervals = (): void => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    onTestFinished(() => void vi.useRealTimers())
  }

  it.each([
    ['its account is gone', () => void signedIn.splice(0), 0],
    ['its account is disabled', () => void (signedIn[0] = { ...account, enabled: false }), 0],
    ['its account must sign in again', () => void (signedIn[0] = signedOut), 0],
    ['all is as it was', () => undefined, 1],
  ])('is closed within 15 s when %s', async (_when, change, left) => {
    intervals()
    const backend = await scriptedSocket({})
    await textOf((await wayTo(backend)).ask([user('a')]))
    change()
    await vi.advanceTimersByTimeAsync(15_000)
    await expect.poll(() => backend.sockets.clients.size).toBe(left)
  })

  it('is closed after five minutes', async () => {
    intervals()
    const backend = await scriptedSocket({})
    let laterMs = 0
    const clock = { ...systemClock, now: () => Date.now() + laterMs }
    await textOf((await wayTo(backend, {}, undefined, clock)).ask([user('a')]))
    laterMs = 4 * 60_000
    await vi.advanceTimersByTimeAsync(15_000)
    expect(backend.sockets.clients.size).toBe(1)
    laterMs = 5 * 60_000 + 1_000
    await vi.advanceTimersByTimeAsync(15_000)
    await expect.poll(() => backend.sockets.clients.size).toBe(0)
  })

  it('is closed when the other end gives no sign of life', async () => {
    intervals()
    const backend = await scriptedSocket({ isMute: true })
    await textOf((await wayTo(backend)).ask([user('a')]))
    await vi.advanceTimersByTimeAsync(60_000)
    await expect.poll(() => backend.sockets.clients.size).toBe(0)
  })
})

describe('a failure of the WebSocket', () => {
  it.each([302, 401, 403, 404, 426, 500])(
    'to connect (HTTP %i) is an answer by HTTP, and the account is left in peace across starts',
    async (status) => {
      const backend = await scriptedSocket({ upgrade: () => status })
      const folder = await temporaryFolder()
      const way = await wayTo(backend, {}, folder)
      expect(await textOf(way.ask([user('a')]))).toBe(sse(answer('http', [])))
      await textOf(way.ask([user('b')]))
      await way.transport.close()
      await textOf((await wayTo(backend, {}, folder)).ask([user('c')]))
      expect([backend.upgrades.length, backend.posts.length]).toEqual([1, 3])
    },
  )

  it('to connect is not held against it where HTTP refuses the account too', async () => {
    const backend = await scriptedSocket({
      upgrade: (connection) => (connection === 1 ? 401 : undefined),
      post: ({ response }) => response.writeHead(401).end(),
    })
    const way = await wayTo(backend)
    expect((await way.ask([user('a')])).response.status).toBe(401)
    expect((await way.ask([user('a')])).passage.transport).toBe('websocket')
  })

  it.each([1000, 1006, 1008, 1009, 1011])(
    'before the first word (close code %i) is an answer by HTTP',
    async (code) => {
      const backend = await scriptedSocket({
        frame: ({ socket }) => (code === 1006 ? socket.terminate() : socket.close(code)),
      })
      expect(await textOf((await wayTo(backend)).ask([user('a')]))).toBe(sse(answer('http', [])))
    },
  )

  it('of an idle connection costs the next request nothing but HTTP, and is not held against it', async () => {
    const backend = await scriptedSocket({
      frame: ({ socket, connection }) => {
        send(socket, answer('r', [said('hi')]))
        if (connection === 1) socket.close(1001)
      },
    })
    const way = await wayTo(backend)
    await textOf(way.ask([user('a')]))
    await expect.poll(() => backend.sockets.clients.size).toBe(0)
    const { passage, response } = await way.ask([user('a'), replayed, user('b')])
    await response.text()
    expect(passage).toMatchObject({ transport: 'websocket', full: 'new_connection' })
  })

  it('within an answer breaks the stream as by HTTP, and the next request of the session goes by HTTP once', async () => {
    const backend = await scriptedSocket({
      frame: ({ socket, connection }) => {
        if (connection > 1) {
          send(socket, answer('r', []))
          return
        }
        send(socket, [{ type: 'response.created', response: { id: 'r' } }])
        setTimeout(() => socket.terminate(), 20)
      },
    })
    const way = await wayTo(backend)
    const begun = sse([{ type: 'response.created', response: { id: 'r' } }])
    expect(await textOf(way.ask([user('a')]))).toBe(begun)
    expect((await way.ask([user('a')])).passage.transport).toBe('http')
    expect((await way.ask([user('a')])).passage.transport).toBe('websocket')
  })

  it.each([
    ['that nobody answers on is given up for a fresh one', true, [1, 2]],
    ['that is answered on serves on', false, [1, 1]],
  ])('after a sleep of the machine: a connection %s', async (_what, isMute, connections) => {
    const backend = await scriptedSocket({ isMute })
    let sleptMs = 0
    const clock = { ...systemClock, now: () => Date.now() + sleptMs }
    const way = await wayTo(backend, {}, undefined, clock)
    await textOf(way.ask([user('a')]))
    sleptMs = 3_600_000 / 2
    await textOf(way.ask([user('a'), replayed, user('b')]))
    expect(backend.frames.map(({ connection }) => connection)).toEqual(connections)
    expect(backend.posts).toEqual([])
  })

  it('whose opening throws is an answer by HTTP', async () => {
    const backend = await scriptedSocket({})
    const way = await wayTo(backend, {}, undefined, systemClock, () => {
      throw new TypeError('no such header')
    })
    expect(await textOf(way.ask([user('a')]))).toBe(sse(answer('http', [])))
  })

  it('by a message that was too big leaves the session to HTTP', async () => {
    const backend = await scriptedSocket({ frame: ({ socket }) => socket.close(1009) })
    const way = await wayTo(backend)
    await textOf(way.ask([user('a')]))
    await textOf(way.ask([user('a')]))
    expect([backend.upgrades.length, backend.posts.length]).toEqual([1, 2])
  })

  it('in the first frame is the answer that its status says, and ends the connection', async () => {
    const error = {
      type: 'error',
      status: 429,
      error: { code: 'usage_limit_reached', message: 'no' },
      headers: { 'retry-after': '3' },
    }
    const backend = await scriptedSocket({ frame: ({ socket }) => send(socket, [error]) })
    const { response } = await (await wayTo(backend)).ask([user('a')])
    expect([response.status, response.headers.get('retry-after')]).toEqual([429, '3'])
    expect(await response.json()).toMatchObject({ error: { code: 'usage_limit_reached' } })
    await expect.poll(() => backend.sockets.clients.size).toBe(0)
  })

  it('with a binary frame ends the connection', async () => {
    const backend = await scriptedSocket({ frame: ({ socket }) => socket.send(Buffer.from([1])) })
    expect(await textOf((await wayTo(backend)).ask([user('a')]))).toBe(sse(answer('http', [])))
  })

  it('skips texts that are no events', async () => {
    const backend = await scriptedSocket({
      frame: ({ socket }) => {
        socket.send('hello')
        send(socket, answer('r', []))
      },
    })
    expect(await textOf((await wayTo(backend)).ask([user('a')]))).toBe(sse(answer('r', [])))
  })

  it('to say a first word in time is told like that of HTTP', async () => {
    const backend = await scriptedSocket({ frame: () => undefined })
    const way = await wayTo(backend)
    await expect(way.ask([user('a')], { headerTimeoutMs: 50 })).rejects.toBeInstanceOf(
      HeaderTimeout,
    )
    await expect.poll(() => backend.sockets.clients.size).toBe(0)
    expect(backend.posts).toEqual([])
    expect((await way.ask([user('a')])).passage.transport).toBe('http')
  })

  it.each(['connecting', 'waiting'])('is none when the user stops while it is %s', async (when) => {
    const backend = await scriptedSocket({
      upgrade: () => (when === 'connecting' ? 'hang' : undefined),
      frame: () => undefined,
    })
    const stop = new AbortController()
    const asked = (await wayTo(backend)).ask([user('a')], { signal: stop.signal })
    await expect.poll(() => backend.upgrades.length).toBe(1)
    if (when === 'waiting') await expect.poll(() => backend.frames.length).toBe(1)
    stop.abort(new Error('stopped'))
    await expect(asked).rejects.toThrow('stopped')
    expect(backend.posts).toEqual([])
  })
})
