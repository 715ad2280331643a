import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'

import { type HostServer, startHostServer } from '../support/host-server.js'
import { turns, useStage } from './setup.js'

describe('when something fails', () => {
  const stage = useStage({
    signedIn: ['personal', 'work'],
    host: { env: { CODEX_AUTH_RETRY_ALL_MAX_WAIT_MS: '0' } },
  })
  let server: HostServer
  beforeAll(async () => {
    server = await startHostServer(stage().host)
  })
  afterAll(() => server.stop())
  beforeEach(() => stage().simulator.clearRules())

  const ask = async (
    text: string,
  ): Promise<{
    text: string
    error: string | undefined
    served: (string | undefined)[]
    statuses: number[]
  }> => {
    const from = stage().simulator.requests.length
    const answer = await server.send(await server.newSession('named'), text)
    const seen = turns(stage(), from)
    return {
      text: answer.text,
      error: answer.error,
      served: seen.map(({ account }) => account),
      statuses: seen.map(({ status }) => status),
    }
  }

  it('a failure inside the stream before any output moves to the other account unseen', async () => {
    stage().simulator.addRules({
      when: { endpoint: 'responses' },
      times: 3,
      do: { type: 'stream_failed', code: 'server_error' },
    })
    const { text, error, served } = await ask('SIM:say unseen')
    expect({ text, error }).toEqual({ text: 'unseen', error: undefined })
    expect(new Set(served).size).toBe(2)
  })

  it('a 401 is mended by one refresh', async () => {
    const from = stage().simulator.requests.length
    stage().simulator.addRules({
      when: { endpoint: 'responses' },
      times: 1,
      do: { type: 'unauthorized', code: 'token_expired' },
    })
    const { text, statuses } = await ask('SIM:say renewed')
    expect(text).toBe('renewed')
    expect(statuses).toEqual([401, 200])
    expect(
      stage()
        .simulator.requests.slice(from)
        .filter(({ path }) => path === '/oauth/token'),
    ).toHaveLength(1)
  })

  it('a socket cut after output ends the turn with one sentence and is never repeated', async () => {
    stage().simulator.addRules({
      when: { endpoint: 'responses' },
      times: 5,
      do: { type: 'cut', at: 6 },
    })
    const { error, statuses } = await ask('SIM:long 40')
    expect(error).toMatch(/broke off|No connection/)
    expect(statuses).toEqual([200])
  })

  it('a stream that just ends after output is an error too, not an endless loop', async () => {
    stage().simulator.addRules({
      when: { endpoint: 'responses' },
      times: 5,
      do: { type: 'eof', at: 6 },
    })
    const { error, statuses } = await ask('SIM:long 40')
    expect(error).toContain('broke off')
    expect(statuses).toEqual([200])
  })

  it('a failure event after output is shown in words and not repeated', async () => {
    stage().simulator.addRules({
      when: { endpoint: 'responses' },
      times: 5,
      do: {
        type: 'stream_failed',
        code: 'server_error',
        message: 'Server error, try again later',
        at: 6,
      },
    })
    const { error, statuses } = await ask('SIM:long 40')
    expect(error).toContain('backend failed')
    expect(statuses).toEqual([200])
  })

  it('response.done ends a turn like response.completed', async () => {
    stage().simulator.addRules({ when: { endpoint: 'responses' }, times: 1, do: { type: 'done' } })
    expect(await ask('SIM:say done')).toMatchObject({
      text: 'done',
      error: undefined,
      statuses: [200],
    })
  })

  it('a request the backend refuses is shown once, in its words', async () => {
    stage().simulator.addRules({
      when: { endpoint: 'responses' },
      do: {
        type: 'respond',
        status: 400,
        json: { detail: 'Something about this request is wrong' },
      },
    })
    const { error, statuses } = await ask('SIM:say never')
    expect(error).toContain('Something about this request is wrong')
    expect(statuses).toEqual([400])
  })

  it('an abort ends the request at the backend at once', async () => {
    stage().simulator.addRules({ when: { endpoint: 'responses' }, do: { type: 'slow', ms: 50 } })
    const session = await server.newSession('named')
    const from = stage().simulator.requests.length
    const answer = server.send(session, 'SIM:long 2000')
    await expect.poll(() => turns(stage(), from).length, { timeout: 20_000 }).toBe(1)
    await new Promise((resolve) => setTimeout(resolve, 500))
    await server.abort(session)
    expect((await answer).error).toMatch(/abort/i)
    await expect.poll(() => stage().simulator.requests.at(-1)?.end, { timeout: 5_000 }).toBe('gone')
    stage().simulator.clearRules()
    expect(await ask('SIM:say still alive')).toMatchObject({
      text: 'still alive',
      error: undefined,
    })
  })

  it('a page of a proxy in place of the backend is named as such', async () => {
    stage().simulator.addRules([
      { when: { endpoint: 'upgrade' }, do: { type: 'html', status: 200 } },
      { when: { endpoint: 'responses' }, do: { type: 'html', status: 200 } },
    ])
    const { error } = await ask('SIM:say never')
    expect(error).toMatch(/not an event stream/)
  })

  // The last one: afterwards the first account has no quota left.
  it('a usage limit moves the session to the other account, and the next one starts there', async () => {
    const { simulator } = stage()
    const first = await ask('SIM:say before the limit')
    const [limited] = first.served
    simulator.patchAccount(limited!, { windows: [{ minutes: 300, limit: 100, used: 100 }] })
    const moved = await ask('SIM:say after the limit')
    expect(moved).toMatchObject({ text: 'after the limit', error: undefined })
    expect(moved.served.at(-1)).not.toBe(limited)
    const known = await ask('SIM:say no wasted call')
    expect(known.statuses).toEqual([200])
    simulator.patchAccount(known.served[0]!, {
      windows: [{ minutes: 10_080, limit: 100, used: 100 }],
    })
    const none = await ask('SIM:say nobody')
    expect(none.error).toMatch(/Both accounts are at a limit; the first is free again/)
    const again = await ask('SIM:say nobody')
    expect(again.statuses).toEqual([])
  })
})
