import { readFile } from 'node:fs/promises'
import path from 'node:path'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import {
  type Allowance,
  differences,
  loadCapture,
  USUAL_ALLOWANCES,
} from '../support/captured-request.js'
import { type HostServer, startHostServer } from '../support/host-server.js'
import { turns, useStage } from './setup.js'

/** The captures were taken with another prompt text, folder and toy tools. */
const OTHER_WORDS: readonly Allowance[] = [
  { where: /^body\.input\[\d+\]\.content(\[\d+\]\.text)?$/, why: 'the prompt of this test' },
  { where: /^body\.instructions$/, why: 'names the folder and the date' },
  { where: /^headers\.(accept-encoding|connection)$/, why: 'made by the runtime' },
  {
    where: /^headers\.x-codex-turn-state$/,
    kind: 'added',
    why: 'echoed within a turn',
  },
  {
    where: /^body\.tools\{question\}/,
    kind: 'added',
    why: 'offered where somebody can be asked; the captures come from `opencode run`',
  },
]

describe('turns of a session', () => {
  const stage = useStage({ signedIn: ['personal'] })
  let server: HostServer
  beforeAll(async () => {
    server = await startHostServer(stage().host)
  })
  afterAll(() => server.stop())

  const compare = async (name: string, from: number, which = 0): Promise<string[]> => {
    const request = turns(stage(), from)[which]!
    const captured = await loadCapture(name)
    return differences(
      { method: 'POST', url: captured.url, headers: { ...request.headers }, body: request.body },
      captured,
      [...USUAL_ALLOWANCES, ...OTHER_WORDS],
    )
  }

  it('send the first turn as the host made it, with the account added', async () => {
    const from = stage().simulator.requests.length
    const session = await server.newSession('named')
    const answer = await server.send(session, 'SIM:say first answer')
    expect(answer).toMatchObject({ error: undefined, text: 'first answer' })
    expect(await compare('02-first-turn', from)).toEqual([])
    expect(turns(stage(), from)[0]?.headers['chatgpt-account-id']).toBe(
      stage().simulator.account('personal').accountId,
    )
  })

  it('run a tool and go on with its output and the encrypted reasoning', async () => {
    const session = await server.newSession('named')
    await server.send(session, 'SIM:say hi')
    const from = stage().simulator.requests.length
    const answer = await server.send(
      session,
      'SIM:tool bash {"command":"echo from-the-tool","description":"Says a word"}',
      { variant: 'high' },
    )
    expect(answer.error).toBeUndefined()
    expect(await compare('03-tool-turn-variant-high', from)).toEqual([])
    const second = turns(stage(), from)[1]
    expect(second?.raw).toContain('from-the-tool')
    expect(second?.headers['x-codex-turn-state']).toMatch(/^ts_personal_/)
    expect(await compare('04-after-tool-output', from, 1)).toEqual([])

    const next = stage().simulator.requests.length
    expect((await server.send(session, 'SIM:say and on')).text).toBe('and on')
    expect(turns(stage(), next)[0]?.headers).not.toHaveProperty('x-codex-turn-state')
    expect(await compare('05-following-turn', next)).toEqual([])
  })

  it('pass a variant on as reasoning effort', async () => {
    const from = stage().simulator.requests.length
    await server.send(await server.newSession('named'), 'SIM:say high', { variant: 'high' })
    expect(turns(stage(), from)[0]?.body.reasoning).toMatchObject({ effort: 'high' })
  })

  it('let the host ask for a title beside the turn', async () => {
    const from = stage().simulator.requests.length
    const session = await server.newSession()
    await server.send(session, 'SIM:say untitled')
    await expect.poll(() => turns(stage(), from).length, { timeout: 20_000 }).toBe(2)
    const title = turns(stage(), from).findIndex(({ body }) =>
      String(body.instructions).includes('title generator'),
    )
    expect(await compare('01-title', from, title)).toEqual([])
    await expect
      .poll(() => server.request('GET', `/session/${session}`), { timeout: 20_000 })
      .toMatchObject({ title: 'A simulated title' })
  })

  it('let the host compact a session', async () => {
    const session = await server.newSession('named')
    await server.send(session, 'SIM:say before')
    const from = stage().simulator.requests.length
    await server.compact(session)
    expect(await compare('07-compaction', from)).toEqual([])
    expect((await server.send(session, 'SIM:say after')).text).toBe('after')
  })

  it('serve a sub-agent in its own session', async () => {
    const from = stage().simulator.requests.length
    const session = await server.newSession('named')
    const call = {
      description: 'look',
      prompt: 'SIM:say from the sub-agent',
      subagent_type: 'general',
    }
    const answer = await server.send(session, `SIM:tool task ${JSON.stringify(call)}`)
    expect(answer.error).toBeUndefined()
    const sub = turns(stage(), from).find(
      ({ headers }) => headers['x-parent-session-id'] === session,
    )
    expect(sub?.status).toBe(200)
    expect(sub?.headers['session-id']).not.toBe(session)
  })

  it('leave only bookkeeping on the disk: no prompt and no answer', async () => {
    const { host } = stage()
    for (const file of ['quota', 'affinity']) {
      const read = (): Promise<string> =>
        readFile(
          path.join(host.home, '.local', 'state', 'opencode', `oc-codex-multi-auth-${file}.json`),
          'utf8',
        ).catch(() => '')
      await expect.poll(read, { timeout: 10_000 }).toContain('{')
      expect(await read()).not.toMatch(/first answer|SIM:say|eyJ/)
    }
  })
})
