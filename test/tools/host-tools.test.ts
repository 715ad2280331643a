import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as z from 'zod'

import type { AnyTool } from '../../lib/tools/definition.js'
import { hostArguments, hostTools } from '../../lib/tools/host-tools.js'
import { TOOLS } from '../../lib/tools/index.js'
import { MODEL_TOOLS, PERSONALITY_TOOL } from '../../lib/tools/model-tools.js'
import { hostArgs } from '../../lib/tools/profiles.js'
import { codexPersonality } from '../../lib/tools/setup/codex-personality.js'

const PAIRS = [
  ...TOOLS.map((tool, index) => ({ tool, told: MODEL_TOOLS[index] })),
  { tool: codexPersonality as AnyTool, told: PERSONALITY_TOOL },
].map(({ tool, told }) => ({ name: tool.name, tool, told: told! }))

/** The schema of all arguments, as the host makes it with its own copy of the library. */
const wholeOf = (args: unknown): z.ZodObject => z.object(args as z.ZodRawShape)

describe('what the host is given for the model, without what runs the tools', () => {
  it('is every tool, in the same order, with what its definition says', () => {
    expect(MODEL_TOOLS.map(({ name }) => name)).toEqual(TOOLS.map(({ name }) => name))
    expect(
      PAIRS.map(({ told: { name, summary, risk, core } }) => [name, summary, risk, core]),
    ).toEqual(PAIRS.map(({ tool: { name, summary, risk, core } }) => [name, summary, risk, core]))
  })

  it.each(PAIRS)('has for $name the JSON Schema of its arguments', ({ tool, told }) => {
    const own = z.toJSONSchema(wholeOf(hostArgs(tool)), { io: 'input' })
    expect(z.toJSONSchema(wholeOf(hostArguments(told)), { io: 'input' })).toEqual(own)
  })

  it.each(PAIRS)('takes and refuses for $name what its arguments do', ({ tool, told }) => {
    const small = wholeOf(hostArguments(told))
    const large = wholeOf(hostArgs(tool))
    const names = [...Object.keys(told.args), 'other']
    const value = fc.oneof(
      fc.constantFrom(
        undefined,
        null,
        true,
        0,
        1,
        1.5,
        -1,
        200,
        201,
        NaN,
        '',
        'hard',
        'status',
        {},
      ),
      fc.constantFrom(
        ...Object.values(told.args).flatMap((it) => ('enum' in it ? it.enum : ['x'])),
      ),
      fc.array(fc.constantFrom<unknown>('a', 1, true, null), { maxLength: 3 }),
    )
    const given = fc.dictionary(fc.constantFrom(...names), value, { maxKeys: 5 })
    fc.assert(
      fc.property(given, (args) => {
        expect(small.safeParse(args).success).toBe(large.safeParse(args).success)
      }),
    )
  })

  it('describes an argument where hosts of any age look: on the schema and in the registry', () => {
    const { topic } = hostArguments(MODEL_TOOLS.find(({ name }) => name === 'help')!)
    const inner = (topic as unknown as z.ZodOptional).def.innerType as z.ZodType
    expect(inner.description).toContain('switch')
    expect(z.globalRegistry.get(inner)?.description).toBe(inner.description)
  })

  it('calls a tool by its name, and hands on what was given and what went wrong', async () => {
    const calls: unknown[] = []
    const tools = hostTools(MODEL_TOOLS, async (name, given) => {
      calls.push([name, given])
      if (name === 'switch') throw new Error('no such account')
      return 'two accounts'
    })
    const context = {} as never
    expect(await tools['codex-list']!.execute({ tag: 'work' }, context)).toMatchObject({
      title: 'list',
      output: 'two accounts',
    })
    await expect(tools['codex-switch']!.execute({}, context)).rejects.toThrow('no such account')
    expect(calls).toEqual([
      ['list', { tag: 'work' }],
      ['switch', {}],
    ])
  })
})
