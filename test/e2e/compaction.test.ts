import { readFile, writeFile } from 'node:fs/promises'

import { describe, expect, it } from 'vitest'

import { OWN_COMPACTION, OWN_SUMMARY_PREFIX } from '../../lib/collaboration/compaction.js'
import {
  type Allowance,
  differences,
  loadCapture,
  USUAL_ALLOWANCES,
} from '../support/captured-request.js'
import type { HostServer } from '../support/host-server.js'
import { servedFor, turns, useStage } from './setup.js'

const ON = { CODEX_AUTH_COMPACTION_PROMPT: 'codex' }
const OTHER_WORDS: readonly Allowance[] = [
  { where: /^body\.input\[0\]\.content\[0\]\.text$/, why: 'compared below' },
  { where: /^body\.instructions$/, why: 'the host’s own, compared with and without below' },
  { where: /^headers\.(accept-encoding|connection)$/, why: 'made by the runtime' },
]

describe('compaction', () => {
  const stage = useStage({ signedIn: ['personal'] })

  const serve = (env: Record<string, string> = {}) => servedFor(stage(), env)
  const compacted = async (server: HostServer, session: string) => {
    const from = stage().simulator.requests.length
    await server.compact(session)
    const request = turns(stage(), from)[0]!
    const [item] = request.body.input as { content: { text: string }[] }[]
    return { ...request, text: item?.content[0]?.text ?? '' }
  }
  const aSession = async (server: HostServer): Promise<string> => {
    const session = await server.newSession('named')
    await server.send(session, 'SIM:say before')
    return session
  }

  it('asks with the prompt of the Codex CLI for the same conversation, and is else what was captured', async () => {
    const off = await serve()
    const without = await compacted(off, await aSession(off))
    const on = await serve(ON)
    const session = await aSession(on)
    const request = await compacted(on, session)

    const captured = await loadCapture('07-compaction')
    const sent = {
      method: 'POST',
      url: captured.url,
      headers: { ...request.headers },
      body: request.body,
    }
    expect(differences(sent, captured, [...USUAL_ALLOWANCES, ...OTHER_WORDS])).toEqual([])
    expect(request.body.instructions).toBe(without.body.instructions)
    expect(request.text.startsWith(`${OWN_COMPACTION}\n\n`)).toBe(true)
    expect(request.text).toContain('SIM:say before')
    expect(without.text).not.toContain(OWN_COMPACTION.slice(0, 40))

    const from = stage().simulator.requests.length
    expect((await on.send(session, 'SIM:say after')).text).toBe('after')
    expect(turns(stage(), from)[0]?.raw).toContain(JSON.stringify(OWN_SUMMARY_PREFIX).slice(1, -1))
  })

  it('carries the summary before over to the next one, which the host alone would leave out', async () => {
    const on = await serve(ON)
    const session = await aSession(on)
    await compacted(on, session)
    await on.send(session, 'SIM:say between')
    const second = await compacted(on, session)
    expect(second.text).toMatch(/<previous-notes>\n[^]+\n<\/previous-notes>/)
    expect(second.text).not.toContain(OWN_SUMMARY_PREFIX.slice(0, 40))
    expect(second.text).toContain('between')
  })

  it('leaves every other answer as the model gave it', async () => {
    const on = await serve(ON)
    const session = await aSession(on)
    await compacted(on, session)
    const answer = await on.send(session, 'SIM:say plain')
    expect(answer.text).toBe('plain')
  })
})

describe('a compaction with several accounts', () => {
  const ofTheWeek = (used: number) => [
    { minutes: 10_080, limit: 100_000, used, resetsInMs: 86_400_000 },
  ]
  const stage = useStage({
    simulator: {
      accounts: [
        { name: 'low', windows: ofTheWeek(95_000) },
        { name: 'full', windows: ofTheWeek(5_000) },
      ],
    },
    signedIn: ['full', 'low'],
  })
  /** Who serves a session before, at and after its compaction. */
  const served = async (env: Record<string, string>): Promise<(string | undefined)[]> => {
    const server = await servedFor(stage(), env)
    const accounts = JSON.parse(await readFile(stage().accountsFile, 'utf8')) as {
      accounts: { accountId: string }[]
    }
    const low = accounts.accounts.findIndex(
      ({ accountId }) => accountId === stage().simulator.account('low').accountId,
    )
    await writeFile(stage().accountsFile, JSON.stringify({ ...accounts, activeIndex: low }))
    const from = stage().simulator.requests.length
    const session = await server.newSession('named')
    await server.send(session, 'SIM:say before')
    await server.compact(session)
    await server.send(session, 'SIM:say after')
    return turns(stage(), from).map(({ account }) => account)
  }

  it('moves the session from the one that is nearly used up, and only where the setting is on', async () => {
    expect(await served({})).toEqual(['low', 'low', 'low'])
    expect(await served(ON)).toEqual(['low', 'full', 'full'])
  })
})
