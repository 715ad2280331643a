import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import {
  isCall,
  isOutput,
  MAX_ORPHAN_CHARS,
  repairToolPairs,
} from '../../lib/request/body/tool-pairs.js'

const ANSWER: Record<string, string[]> = {
  function_call: ['function_call_output'],
  custom_tool_call: ['custom_tool_call_output'],
  local_shell_call: ['local_shell_call_output', 'function_call_output'],
}
const id = fc.constantFrom('c1', 'c2', 'c3', 'c4')
const call = fc.record({
  type: fc.constantFrom(...Object.keys(ANSWER)),
  call_id: id,
  name: fc.constant('bash'),
  arguments: fc.option(fc.string()),
  input: fc.option(fc.string()),
})
const output = fc.record({
  type: fc.constantFrom(...new Set(Object.values(ANSWER).flat())),
  call_id: id,
  output: fc.oneof(
    fc.string(),
    fc.array(fc.record({ type: fc.constant('input_text'), text: fc.string() }), { maxLength: 3 }),
  ),
})
const message = fc.record({
  role: fc.constantFrom('user', 'assistant'),
  content: fc.array(fc.record({ type: fc.constant('input_text'), text: fc.string() }), {
    maxLength: 3,
  }),
})
const reasoning = fc.record({ type: fc.constant('reasoning'), encrypted_content: fc.string() })
const history = fc.array(fc.oneof(call, output, message, reasoning), { maxLength: 24 })

/** Texts of outputs and messages, in their order. */
const textsOf = (items: readonly unknown[]): string[] =>
  items.flatMap((item) => {
    const { output: result, content } = item as { output?: unknown; content?: unknown }
    const parts: unknown[] = [result, content].flat()
    return parts.flatMap((part) =>
      typeof part === 'string' ? [part] : [(part as { text?: string } | undefined)?.text ?? ''],
    )
  })

describe('repairToolPairs', () => {
  it('leaves every output after its call and every call with its output, whatever the history', () => {
    fc.assert(
      fc.property(history, (items) => {
        const open = new Map<string, string[]>()
        for (const item of repairToolPairs(items)) {
          if (isCall(item)) open.set(item.call_id, [...(open.get(item.call_id) ?? []), item.type])
          if (!isOutput(item)) continue
          const answered = open.get(item.call_id)?.pop()
          expect(ANSWER[answered ?? '']).toContain(item.type)
        }
        expect([...open.values()].flat()).toEqual([])
      }),
    )
  })

  it('loses no text and keeps the order', () => {
    fc.assert(
      fc.property(history, (items) => {
        const after = textsOf(repairToolPairs(items)).join('\n')
        let from = 0
        for (const text of textsOf(items)) {
          const at = after.indexOf(text, from)
          expect(at).toBeGreaterThanOrEqual(from)
          from = at + text.length
        }
      }),
    )
  })

  it('changes nothing the second time', () => {
    fc.assert(
      fc.property(history, (items) => {
        const once = repairToolPairs(items)
        expect(repairToolPairs(once)).toEqual(once)
      }),
    )
  })

  it('takes any list of JSON values without an error and without losing one of them', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.jsonValue(), call, output)), (items) => {
        expect(repairToolPairs(items).length).toBeGreaterThanOrEqual(items.length)
      }),
    )
  })

  it('leaves a history that is whole as it is, item for item', () => {
    const items = [
      { role: 'user', content: 'hi' },
      { type: 'function_call', call_id: 'c', name: 'a', arguments: '{}' },
      { type: 'function_call_output', call_id: 'c', output: 'x' },
    ]
    expect(repairToolPairs(items)).toEqual(items)
  })

  it('turns a result without its call into a message of the assistant with the text', () => {
    expect(
      repairToolPairs([
        {
          type: 'custom_tool_call_output',
          call_id: 'c9',
          output: [{ type: 'input_text', text: 'hello' }],
        },
      ]),
    ).toEqual([
      {
        role: 'assistant',
        content: [{ type: 'output_text', text: 'Result of the earlier tool call c9:\nhello' }],
      },
    ])
  })

  it('keeps a picture of such a result as a message of the user', () => {
    const picture = { type: 'input_image', image_url: 'data:image/png;base64,AA==' }
    expect(
      repairToolPairs([{ type: 'function_call_output', call_id: 'c', output: [picture] }])[1],
    ).toEqual({ role: 'user', content: [picture] })
  })

  it('cuts such a result at its bound and says how much is missing', () => {
    const [item] = repairToolPairs([
      { type: 'function_call_output', call_id: 'c', output: 'x'.repeat(MAX_ORPHAN_CHARS + 5) },
    ]) as { content: { text: string }[] }[]
    expect(item?.content[0]?.text).toContain('[5 more characters left out]')
  })

  it('gives a call without a result one directly behind it', () => {
    expect(
      repairToolPairs([
        { type: 'local_shell_call', call_id: 'c', action: {} },
        { role: 'user', content: 'go on' },
      ]),
    ).toMatchObject([
      { type: 'local_shell_call' },
      {
        type: 'local_shell_call_output',
        call_id: 'c',
        output: expect.stringContaining('no result'),
      },
      { role: 'user' },
    ])
  })

  it('gives a result the kind of its call', () => {
    expect(
      repairToolPairs([
        { type: 'custom_tool_call', call_id: 'c', input: 'x' },
        { type: 'function_call_output', call_id: 'c', output: 'y' },
      ])[1],
    ).toEqual({ type: 'custom_tool_call_output', call_id: 'c', output: 'y' })
  })

  it.each([[null], [undefined]])('writes arguments that are %s as an empty object', (given) => {
    expect(
      repairToolPairs([
        { type: 'function_call', call_id: 'c', arguments: given },
        { type: 'function_call_output', call_id: 'c', output: '' },
      ])[0],
    ).toMatchObject({ arguments: '{}' })
  })
})
