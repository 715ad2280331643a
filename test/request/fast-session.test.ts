import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { allowsFastSession, endOfConversation } from '../../lib/request/legacy/fast-session.js'
import { createLegacyPreparation } from '../../lib/request/legacy/prepare.js'
import { callPositions, isCall, repairToolPairs } from '../../lib/request/body/tool-pairs.js'
import { user } from '../support/conversation.js'
import { ask, coreOver, RESPONSES } from '../support/core-over.js'

const said = (text: string) => ({ role: 'assistant', content: [{ type: 'output_text', text }] })
const call = (id: string) => ({ type: 'function_call', call_id: id, name: 'bash', arguments: '{}' })
const output = (id: string) => ({ type: 'function_call_output', call_id: id, output: 'x' })
const talk = (turns: number) =>
  Array.from({ length: turns }, (_, index) => [
    user(`question ${index}`),
    said(`answer ${index}`),
  ]).flat()

const roleOf = (item: unknown): unknown => (item as { role?: unknown }).role
const id = fc.constantFrom('c1', 'c2', 'c3')
const history = fc
  .tuple(
    fc.array(
      fc.nat().map((n) => ({ role: 'developer', content: `rule ${n}` })),
      { maxLength: 3 },
    ),
    fc.array(
      fc.oneof(
        id.map(call),
        id.map(output),
        fc.nat().map((n) => user(`q${n}`)),
        fc.nat().map((n) => said(`a${n}`)),
      ),
      { maxLength: 60 },
    ),
  )
  .map(([head, rest]) => [...head, ...repairToolPairs(rest)])

describe('endOfConversation', () => {
  it('never parts a call from its output, whatever the history', () => {
    fc.assert(
      fc.property(history, fc.integer({ min: 1, max: 40 }), (items, maxItems) => {
        const kept = endOfConversation(items, maxItems)
        expect(repairToolPairs(kept)).toEqual(kept)
        expect(callPositions(kept).size).toBe(kept.filter(isCall).length)
      }),
    )
  })

  it('keeps the head, the last message of the user and the last item, in their order', () => {
    fc.assert(
      fc.property(history, fc.integer({ min: 1, max: 40 }), (items, maxItems) => {
        const kept = endOfConversation(items, maxItems)
        const places = kept.map((item) => items.indexOf(item))
        expect(places).toEqual([...places].sort((left, right) => left - right))
        expect(places).not.toContain(-1)
        expect(kept.filter((item) => roleOf(item) === 'developer')).toEqual(
          items.filter((item) => roleOf(item) === 'developer'),
        )
        expect(kept.findLast((item) => roleOf(item) === 'user')).toBe(
          items.findLast((item) => roleOf(item) === 'user'),
        )
        expect(kept.at(-1)).toBe(items.at(-1))
      }),
    )
  })

  it('leaves a conversation alone that is short enough', () => {
    const items = talk(4)
    expect(endOfConversation(items, 8)).toBe(items)
  })

  it('sends no more than asked for where no pair stands in the way', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 80 }),
        fc.integer({ min: 2, max: 40 }),
        (turns, maxItems) => endOfConversation(talk(turns), maxItems).length <= maxItems,
      ),
    )
  })

  it('begins at the same place for several turns, so that the prompt cache serves', () => {
    const beginnings = new Set(
      Array.from({ length: 10 }, (_, more) => endOfConversation(talk(20 + more), 30)[0]).map(
        (item) => JSON.stringify(item),
      ),
    )
    expect(beginnings.size).toBeLessThanOrEqual(3)
  })

  it('keeps the task while a long row of calls goes on', () => {
    const calls = Array.from({ length: 40 }, (_, index) => [
      call(`c${index}`),
      output(`c${index}`),
    ]).flat()
    const kept = endOfConversation([user('the task'), ...calls], 10)
    expect(kept[0]).toEqual(user('the task'))
    expect(kept.length).toBeGreaterThan(5)
    expect(kept.length).toBeLessThanOrEqual(11)
  })
})

describe('allowsFastSession', () => {
  const hybrid = { strategy: 'hybrid', maxItems: 30 } as const

  it.each([
    ['plain talk', talk(10), true],
    ['tools in use', [...talk(10), call('c'), output('c'), user('ok')], false],
    ['tools long ago', [call('c'), output('c'), ...talk(20)], true],
    ['code', [user('fix ```x```')], false],
    ['a list', [user('- one\n- two')], false],
    ['a table', [user('| a | b |')], false],
    ['many lines', [user('a\nb\nc')], false],
    ['structure long ago', [user('```x```'), ...talk(5)], true],
    ['nothing', [], true],
  ])('decides in hybrid by what is going on: %s', (_what, items, allowed) => {
    expect(allowsFastSession(items, hybrid)).toBe(allowed)
  })

  it('always allows it in the other strategy, and takes any JSON', () => {
    expect(allowsFastSession([call('c')], { ...hybrid, strategy: 'always' })).toBe(true)
    fc.assert(
      fc.property(
        fc.array(fc.jsonValue()),
        (items) =>
          typeof allowsFastSession(items, hybrid) === 'boolean' &&
          endOfConversation(items, 8).length <= items.length,
      ),
    )
  })
})

describe('fast session', () => {
  const prepare = createLegacyPreparation({
    codexMode: false,
    instructions: () => 'i',
    fastSession: { strategy: 'hybrid', maxItems: 8 },
  })
  const effortOf = (body: object) =>
    (JSON.parse(prepare(JSON.stringify(body)).body.text) as { reasoning: { effort?: string } })
      .reasoning.effort

  it('asks for the least effort that the model takes, unless the request names one', () => {
    expect(effortOf({ model: 'gpt-5.5', input: talk(1) })).toBe('none')
    expect(effortOf({ model: 'gpt-6-sol', input: talk(1) })).toBe('low')
    expect(effortOf({ model: 'gpt-99', input: talk(1) })).toBeUndefined()
    expect(effortOf({ model: 'gpt-5.5', input: talk(1), reasoning: { effort: 'high' } })).toBe(
      'high',
    )
    expect(effortOf({ model: 'gpt-5.5', input: [call('c'), output('c')] })).toBe('medium')
  })

  it('is off in native mode and shortens in legacy mode', async () => {
    const body = JSON.stringify({
      model: 'gpt-5.5',
      instructions: 'i',
      input: talk(20),
      stream: true,
    })
    const sent = async (env: NodeJS.ProcessEnv): Promise<number> => {
      const { core, simulator } = await coreOver(['a'], {
        env: {
          CODEX_AUTH_FAST_SESSION: '1',
          CODEX_AUTH_FAST_SESSION_MAX_INPUT_ITEMS: '10',
          ...env,
        },
      })
      expect((await ask(core, body)).status).toBe(200)
      const asked = simulator.requests.find(({ path }) => path === RESPONSES)
      return (JSON.parse(asked?.body ?? '') as { input: unknown[] }).input.length
    }
    expect(await sent({})).toBe(40)
    expect(await sent({ CODEX_AUTH_REQUEST_TRANSFORM_MODE: 'legacy' })).toBe(10)
  })
})
