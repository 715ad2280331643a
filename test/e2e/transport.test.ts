import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { type HostServer, startHostServer } from '../support/host-server.js'
import { type Stage, useStage } from './setup.js'

const AUTO = { CODEX_AUTH_TRANSPORT: 'auto', CODEX_AUTH_REQUEST_COMPRESSION: 'auto' }
const TOOL = 'SIM:tool bash {"command":"echo from-the-tool","description":"Says a word"}'

const asked = ({ simulator }: Stage, from: number) =>
  simulator.requests
    .slice(from)
    .filter(({ path: route }) => route === '/backend-api/codex/responses')

describe('with both ways on auto, the real host', () => {
  const stage = useStage({ signedIn: ['personal'], host: { env: AUTO } })
  let server: HostServer
  beforeAll(async () => {
    server = await startHostServer(stage().host)
  })
  afterAll(() => server.stop())

  it('holds one connection for a session, over which tool calls and later turns send what is new alone', async () => {
    const from = stage().simulator.requests.length
    const session = await server.newSession('named')
    expect((await server.send(session, 'SIM:say hi')).text).toBe('hi')
    expect((await server.send(session, TOOL)).error).toBeUndefined()
    expect((await server.send(session, 'SIM:say and on')).text).toBe('and on')
    const requests = asked(stage(), from)
    expect(requests.map(({ method, incremental }) => [method, incremental])).toEqual([
      ['GET', false],
      ['FRAME', false],
      ['FRAME', true],
      ['FRAME', true],
      ['FRAME', true],
    ])
    expect(new Set(requests.map(({ connection }) => connection)).size).toBe(1)
    const { input } = JSON.parse(requests.at(-1)?.body ?? '{}') as { input: unknown[] }
    expect(input).toHaveLength(1)
    expect(JSON.stringify(requests.at(-1)?.history)).toContain('from-the-tool')
  })

  it('sends everything over a fresh connection when the effort changes', async () => {
    const session = await server.newSession('named')
    await server.send(session, 'SIM:say hi')
    const from = stage().simulator.requests.length
    expect((await server.send(session, 'SIM:say high', { variant: 'high' })).text).toBe('high')
    expect(asked(stage(), from).map(({ method, incremental }) => [method, incremental])).toEqual([
      ['GET', false],
      ['FRAME', false],
    ])
  })

  it('gets its answer by HTTP, compressed, where the upgrade is refused, and does not try again at once', async () => {
    stage().simulator.addRules([
      { when: { endpoint: 'upgrade' }, do: { type: 'respond', status: 426 } },
    ])
    const from = stage().simulator.requests.length
    const session = await server.newSession('named')
    expect((await server.send(session, 'SIM:say one')).text).toBe('one')
    expect((await server.send(session, 'SIM:say two')).text).toBe('two')
    const requests = asked(stage(), from)
    expect(requests.map(({ method }) => method)).toEqual(['GET', 'POST', 'POST'])
    expect(requests[1]?.headers['content-encoding']).toBe('zstd')
    expect(requests[1]?.bytesUp).toBeLessThan((requests[1]?.body.length ?? 0) / 2)
  })
})
