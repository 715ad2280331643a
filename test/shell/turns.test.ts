import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { withParts } from '../../lib/shell/instructions.js'
import { type AskedOfHook, createTurns, type Turn } from '../../lib/shell/turns.js'

/** A host that knows these sessions; counts how often it is asked. */
function aHost(sessions: Record<string, { parentID?: string } | Error>) {
  const asked: string[] = []
  const session = {
    get: async ({ path }: { path: { id: string } }) => {
      asked.push(path.id)
      const known = sessions[path.id]
      if (known instanceof Error) throw known
      return known === undefined
        ? { data: undefined, error: { name: 'NotFoundError' } }
        : { data: { id: path.id, ...known } }
    },
  }
  return { client: { session } as unknown as Parameters<typeof createTurns>[0], asked, sessions }
}

const call = (agent: string, providerID = 'openai'): AskedOfHook =>
  ({ sessionID: 'ses_1', agent, model: { id: 'gpt-5.5', providerID } }) as unknown as AskedOfHook

describe('who asks', () => {
  it('is named by the agent of the hook, with its session and model', () => {
    const turns = createTurns(aHost({}).client)
    expect(turns.of(call('plan'))).toEqual({
      session: 'ses_1',
      agent: 'plan',
      model: 'gpt-5.5',
      purpose: 'conversation',
    })
  })

  it.each(['title', 'summary', 'compaction', 'project-copy-name'])(
    'is the host for itself where the agent is %s',
    (agent) => {
      expect(createTurns(aHost({}).client).of(call(agent))?.purpose).toBe('auxiliary')
    },
  )

  it('is nobody of ours where the model is another provider’s', () => {
    expect(createTurns(aHost({}).client).of(call('build', 'anthropic'))).toBeUndefined()
  })

  it('is a sub-agent where the host says that the session has a parent, and is asked once', async () => {
    const host = aHost({ ses_1: {}, ses_2: { parentID: 'ses_1' } })
    const turns = createTurns(host.client)
    expect(await Promise.all([turns.placeOf('ses_2'), turns.placeOf('ses_2')])).toEqual([
      'child',
      'child',
    ])
    expect(await turns.placeOf('ses_1')).toBe('root')
    expect(await turns.placeOf('ses_1')).toBe('root')
    expect(host.asked).toEqual(['ses_2', 'ses_1'])
  })

  it('is unknown where the host fails or knows no such session, and is asked again then', async () => {
    const host = aHost({ ses_1: new Error('not now') })
    const turns = createTurns(host.client)
    expect(await turns.placeOf('ses_1')).toBe('unknown')
    expect(await turns.placeOf('ses_9')).toBe('unknown')
    host.sessions.ses_1 = { parentID: 'ses_0' }
    expect(await turns.placeOf('ses_1')).toBe('child')
  })

  it('is forgotten with the session, and with the oldest of very many', async () => {
    const host = aHost(
      Object.fromEntries(Array.from({ length: 600 }, (_, i) => [`s${String(i)}`, {}])),
    )
    const turns = createTurns(host.client)
    await turns.placeOf('s0')
    turns.forget('s0')
    await turns.placeOf('s0')
    for (let i = 1; i < 600; i++) await turns.placeOf(`s${String(i)}`)
    await turns.placeOf('s599')
    await turns.placeOf('s0')
    expect(host.asked.filter((id) => id === 's0')).toHaveLength(3)
    expect(host.asked.filter((id) => id === 's599')).toHaveLength(1)
  })
})

describe('instructions with parts', () => {
  const turn: Turn = { session: 's', agent: 'build', model: 'm', purpose: 'conversation' }
  const part = (text: string | undefined) => async () => text

  it('stand behind the host’s own, the personality before the collaboration, whatever the order given', async () => {
    const parts = { collaboration: part('C'), personality: part('P') }
    expect(await withParts('host', turn, parts)).toBe('host\n\nP\n\nC')
  })

  it('are the host’s own to the byte where no part has anything to say, and for what the host asks for itself', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string(), fc.constantFrom(undefined, ''), async (own, nothing) => {
        expect(await withParts(own, turn, {})).toBe(own)
        expect(await withParts(own, turn, { personality: part(nothing) })).toBe(own)
        const title: Turn = { ...turn, purpose: 'auxiliary' }
        expect(await withParts(own, title, { personality: part('P') })).toBe(own)
      }),
    )
  })

  it('do without a part that fails', async () => {
    const failing = async () => {
      throw new Error('no')
    }
    const parts = { personality: failing, collaboration: part('C') }
    expect(await withParts('host', turn, parts)).toBe('host\n\nC')
  })
})
