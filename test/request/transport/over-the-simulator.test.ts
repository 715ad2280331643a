import { describe, expect, it } from 'vitest'

import { itemsOf, turnBody, user } from '../../support/conversation.js'
import { answersAsked, ask, coreOver, ROOMY, served } from '../../support/core-over.js'
import { nodeWebSocket } from '../../support/scripted-socket.js'

const AUTO = { env: { CODEX_AUTH_TRANSPORT: 'auto' }, openWebSocket: nodeWebSocket }
const bodyOf = (input: readonly unknown[]): string => turnBody(input, { prompt_cache_key: 'ses_1' })
/** Without what is drawn by lot for every answer. */
const masked = (text: string): string =>
  text
    .replace(/"(resp|rs|msg|fc|call)_[\w-]+"/g, '"$1"')
    .replace(/"(encrypted_content|obfuscation)":"[^"]*"/g, '"$1":""')
    .replace(/"(created_at|completed_at)":\d+/g, '"$1":0')
    // The simulator counts characters of the request, which is longer as a frame.
    .replace(/_tokens":\d+/g, '_tokens":0')
const frames = (simulator: Parameters<typeof answersAsked>[0]) =>
  answersAsked(simulator).filter(({ method }) => method === 'FRAME')

describe('an answer of the backend over the WebSocket', () => {
  it.each(['SIM:say hello', 'SIM:reason', 'SIM:tool read {"filePath":"a.ts"}'])(
    'is the same to the host, event by event, as by HTTP: %s',
    async (prompt) => {
      const one = await coreOver(['a'], AUTO)
      const other = await coreOver(['a'])
      const bySocket = await ask(one.core, bodyOf([user(prompt)]))
      const byHttp = await ask(other.core, bodyOf([user(prompt)]))
      expect(frames(one.simulator)).toHaveLength(1)
      expect(masked(bySocket.text)).toBe(masked(byHttp.text))
      expect(bySocket.status).toBe(200)
    },
  )

  it('moves to another account when its own is at its limit, and then sends it everything it can read', async () => {
    const { core, simulator } = await coreOver(['a', 'b'], AUTO)
    const first = await ask(core, bodyOf([user('SIM:say one')]))
    const [before] = served(simulator)
    simulator.patchAccount(String(before), {
      windows: [{ minutes: 300, limit: 100, used: 100 }],
    })
    const history = [user('SIM:say one'), ...itemsOf(first.text), user('SIM:say two')]
    const second = await ask(core, bodyOf(history))
    expect([second.status, second.text.includes('two')]).toEqual([200, true])
    const last = frames(simulator).at(-1)
    expect(last?.account).not.toBe(before)
    expect([last?.incremental, last?.body.includes('encrypted_content":')]).toEqual([false, false])
  })

  it('is asked for again on a fresh connection when the backend has lost what the last one held', async () => {
    const { core, simulator } = await coreOver([{ name: 'a', windows: ROOMY }], AUTO)
    const first = await ask(core, bodyOf([user('SIM:say one')]))
    simulator.addRules([
      {
        when: { endpoint: 'responses' },
        times: 1,
        do: {
          type: 'respond',
          status: 400,
          json: { error: { code: 'previous_response_not_found', message: 'not found' } },
        },
      },
    ])
    const history = [user('SIM:say one'), ...itemsOf(first.text), user('SIM:say two')]
    const second = await ask(core, bodyOf(history))
    expect([second.status, second.text.includes('two')]).toEqual([200, true])
    expect(frames(simulator).map(({ incremental }) => incremental)).toEqual([false, true, false])
  })

  it('that breaks off before its output is had by HTTP, and nobody notices', async () => {
    const { core, simulator } = await coreOver(['a'], AUTO)
    simulator.addRules([
      { when: { endpoint: 'responses' }, times: 1, do: { type: 'cut', at: 'created' } },
    ])
    const { status, text } = await ask(core, bodyOf([user('SIM:say hello')]))
    expect([status, text.includes('hello')]).toEqual([200, true])
    expect(answersAsked(simulator).map(({ method }) => method)).toEqual(['GET', 'FRAME', 'POST'])
  })

  it('tells the trace which way it came and why it was sent whole', async () => {
    const { core } = await coreOver(['a'], AUTO)
    const first = await ask(core, bodyOf([user('SIM:say one')]))
    await ask(core, bodyOf([user('SIM:say one'), ...itemsOf(first.text), user('SIM:say two')]))
    const passages = core.runtime.trace.recent().map(({ attempts }) => attempts[0]?.passage)
    expect(passages).toMatchObject([
      { transport: 'websocket', full: 'new_connection' },
      { transport: 'websocket' },
    ])
    expect(passages[1]).not.toHaveProperty('full')
    expect(core.runtime.metrics.snapshot().counters).toMatchObject({
      'transport.websocket': 2,
      'transport.continued': 1,
    })
  })
})
