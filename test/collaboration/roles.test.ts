import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { addOrchestrator } from '../../lib/collaboration/orchestrator-agent.js'
import { type Asker, roleOf } from '../../lib/collaboration/roles.js'
import { OWN_PLAN, SUB_AGENT_RULES, textOf, withHostTools } from '../../lib/collaboration/texts.js'

const places = fc.constantFrom<Asker['place']>('root', 'child', 'unknown')

describe('the role of an agent', () => {
  it.each<[Asker, boolean, ReturnType<typeof roleOf>]>([
    [{ agent: 'plan', place: 'root' }, true, 'plan'],
    [{ agent: 'plan', place: 'unknown' }, true, 'plan'],
    [{ agent: 'orchestrator', place: 'root' }, true, 'orchestrator'],
    [{ agent: 'orchestrator', place: 'root' }, false, undefined],
    [{ agent: 'build', place: 'root' }, true, undefined],
    [{ agent: 'general', place: 'child' }, true, 'sub-agent'],
    [{ agent: 'general', place: 'unknown' }, true, undefined],
  ])('of %j (orchestrator ours: %s) is %s', (asker, hasOurs, role) => {
    expect(roleOf(asker, hasOurs)).toBe(role)
  })

  it('is that of a sub-agent in every session with a parent, whatever the agent is called', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.constantFrom('plan', 'orchestrator', 'build')),
        fc.boolean(),
        (agent, ours) => {
          expect(roleOf({ agent, place: 'child' }, ours)).toBe('sub-agent')
        },
      ),
    )
  })

  it('is never guessed from a name that only looks like one', () => {
    const lookalike = fc
      .string()
      .map((text) => `codex-plan-${text}`)
      .filter((name) => name !== 'plan')
    fc.assert(
      fc.property(
        lookalike,
        places.filter((place) => place !== 'child'),
        (agent, place) => {
          expect(roleOf({ agent, place }, true)).toBeUndefined()
        },
      ),
    )
  })
})

describe('the texts', () => {
  it('call tools as OpenCode does, in the Codex CLI’s own text too', () => {
    const plan =
      '# Plan vs request_user_input tool\n\nUse `request_user_input`, not `update_plan`.\n'
    expect(withHostTools(plan)).toBe(
      '# Plan vs question tool\n\nUse `question`, not `todowrite`.\n',
    )
    const text = textOf('plan', plan)
    expect(text).not.toMatch(/request_user_input|update_plan/)
    expect(text).toMatch(/plan agent of OpenCode[^]*# Plan vs question tool/)
  })

  it('leave everything else of a text as it is', () => {
    fc.assert(
      fc.property(
        fc.string().filter((text) => !/_/.test(text) && !text.includes('shell')),
        (text) => {
          expect(withHostTools(text)).toBe(text)
        },
      ),
    )
  })

  it('are our own where the Codex CLI’s is not at hand', () => {
    expect(textOf('plan', undefined)).toBe(OWN_PLAN)
    expect(textOf('sub-agent', 'another text')).toBe(SUB_AGENT_RULES)
  })

  it('name no tool that OpenCode does not have', () => {
    const known = new Set(['question', 'task', 'todowrite'])
    for (const role of ['plan', 'sub-agent', 'orchestrator'] as const) {
      const named = [...textOf(role, undefined).matchAll(/`([a-z_]+)`/g)].map(([, name]) => name)
      expect(named.filter((name) => !known.has(name ?? ''))).toEqual([])
    }
  })
})

describe('the agent named orchestrator', () => {
  it('comes to the agents that are there, and takes no place that is taken', () => {
    const free = { agent: { mine: { mode: 'primary' } } }
    expect(addOrchestrator(free)).toBe(true)
    expect(free.agent).toMatchObject({
      mine: { mode: 'primary' },
      orchestrator: { mode: 'primary' },
    })

    const taken = { agent: { orchestrator: { prompt: 'mine' } } }
    expect(addOrchestrator(taken)).toBe(false)
    expect(taken).toEqual({ agent: { orchestrator: { prompt: 'mine' } } })

    expect(addOrchestrator({ agent: { orchestrator: { disable: true } } })).toBe(false)
  })

  it('has no prompt, which would take the place of the host’s own', () => {
    const config: { agent?: Record<string, object> } = {}
    addOrchestrator(config)
    expect(config.agent?.orchestrator).not.toHaveProperty('prompt')
  })
})
