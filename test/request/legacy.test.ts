import { readFileSync } from 'node:fs'

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { createLegacyPreparation } from '../../lib/request/legacy/prepare.js'
import { prepareRequest } from '../../lib/request/body/request.js'
import { answersAsked, ask, coreOver, RESPONSES } from '../support/core-over.js'

const legacy = createLegacyPreparation({ codexMode: true, instructions: () => 'shipped' })
interface Sent {
  readonly instructions: unknown
  readonly input: { readonly content: readonly { readonly text: string }[] }[]
  readonly tools: unknown
  readonly reasoning: { readonly effort?: string }
}
const bodyOf = (request: unknown): Sent =>
  JSON.parse(legacy(JSON.stringify(request)).body.text) as Sent
const input = [{ role: 'user', content: [{ type: 'input_text', text: 'hi' }] }]
const isObject = (text: string): boolean =>
  text.startsWith('{') && typeof JSON.parse(text) === 'object'
const captured = (name: string): string =>
  JSON.stringify(
    (
      JSON.parse(
        readFileSync(new URL(`../fixtures/opencode/${name}.json`, import.meta.url), 'utf8'),
      ) as { body: unknown }
    ).body,
  )

describe('legacy preparation', () => {
  it('makes a chat completion into a request the backend takes', () => {
    const out = bodyOf({
      model: 'gpt-5.5-high',
      messages: [
        { role: 'system', content: 'Be brief.' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'look' },
            { type: 'image_url', image_url: { url: 'data:image/png;base64,AA==', detail: 'low' } },
          ],
        },
        {
          role: 'assistant',
          content: 'I look.',
          tool_calls: [
            { id: 'c1', type: 'function', function: { name: 'bash', arguments: '{"a":1}' } },
          ],
        },
        { role: 'tool', tool_call_id: 'c1', content: 'done' },
        { role: 'system', content: 'Now faster.' },
      ],
      tools: [{ type: 'function', function: { name: 'bash', parameters: { type: 'object' } } }],
      tool_choice: { type: 'function', function: { name: 'bash' } },
      response_format: { type: 'json_schema', json_schema: { name: 'answer', schema: {} } },
      max_tokens: 10,
      temperature: 0,
      stop: ['x'],
    })
    expect(out).toEqual({
      model: 'gpt-5.5',
      instructions: 'Be brief.',
      input: [
        {
          role: 'developer',
          content: [{ type: 'input_text', text: expect.stringContaining('are: bash.') }],
        },
        {
          role: 'user',
          content: [
            { type: 'input_text', text: 'look' },
            { type: 'input_image', image_url: 'data:image/png;base64,AA==', detail: 'low' },
          ],
        },
        { role: 'assistant', content: [{ type: 'output_text', text: 'I look.' }] },
        { type: 'function_call', call_id: 'c1', name: 'bash', arguments: '{"a":1}' },
        { type: 'function_call_output', call_id: 'c1', output: 'done' },
        { role: 'developer', content: [{ type: 'input_text', text: 'Now faster.' }] },
      ],
      tools: [{ type: 'function', name: 'bash', strict: false, parameters: { type: 'object' } }],
      tool_choice: { type: 'function', name: 'bash' },
      text: { format: { type: 'json_schema', name: 'answer', schema: {} }, verbosity: 'low' },
      reasoning: { effort: 'high', summary: 'auto' },
      store: false,
      stream: true,
      include: ['reasoning.encrypted_content'],
    })
  })

  it('takes the oldest form of calls, which have no ids', () => {
    const out = bodyOf({
      model: 'm',
      messages: [
        { role: 'assistant', content: null, function_call: { name: 'f', arguments: '{}' } },
        { role: 'function', name: 'f', content: 'r' },
      ],
      functions: [{ name: 'f' }],
    })
    expect(out.input.slice(1)).toEqual([
      { type: 'function_call', call_id: 'call_f_0', name: 'f', arguments: '{}' },
      { type: 'function_call_output', call_id: 'call_f_0', output: 'r' },
    ])
    expect(out.tools).toEqual([{ type: 'function', strict: false, name: 'f' }])
  })

  it('takes the system prompt out of the first item where the instructions are missing', () => {
    expect(
      bodyOf({
        model: 'gpt-5.5',
        input: [{ role: 'developer', content: 'You are OpenCode.' }, ...input],
      }),
    ).toMatchObject({ instructions: 'You are OpenCode.', input })
  })

  it('never replaces instructions that the host sends', () => {
    const out = bodyOf({
      model: 'gpt-5.5',
      instructions: 'mine',
      input: [{ role: 'developer', content: 'AGENTS.md' }, ...input],
    })
    expect(out).toMatchObject({
      instructions: 'mine',
      input: [{ role: 'developer', content: 'AGENTS.md' }, ...input],
    })
  })

  it('uses the shipped instructions where there are none at all', () => {
    expect(bodyOf({ model: 'gpt-5.5', input }).instructions).toBe('shipped')
  })

  it('names the tools of the request, with those inside namespaces, and says nothing without tools', () => {
    const tools = [
      { type: 'function', name: 'bash' },
      { type: 'namespace', name: 'n', tools: [{ type: 'custom', name: 'patch' }] },
      { type: 'web_search' },
    ]
    expect(bodyOf({ model: 'm', input, tools }).input[0]?.content[0]?.text).toContain(
      'are: bash, patch, web_search.',
    )
    expect(bodyOf({ model: 'm', input, tools: [] }).input).toEqual(input)
    const plain = createLegacyPreparation({ codexMode: false, instructions: () => '' })
    expect(JSON.parse(plain(JSON.stringify({ model: 'm', input, tools })).body.text).input).toEqual(
      input,
    )
  })

  it.each([
    ['gpt-5.5', 'max', 'xhigh'],
    ['gpt-6-astra', 'ultra', 'xhigh'],
    ['gpt-6-luna', 'ultra', 'medium'],
    ['gpt-5.6-sol', 'minimal', 'low'],
    ['gpt-5.5', 'none', 'none'],
    ['gpt-99', 'max', 'max'],
    ['gpt-6-sol', undefined, 'medium'],
    ['gpt-99', undefined, undefined],
  ])('sends %s the effort %s as %s', (model, effort, sent) => {
    expect(bodyOf({ model, input, reasoning: { effort } }).reasoning.effort).toBe(sent)
  })

  it('keeps verbosity and summary of the host and fills in what the model has by default', () => {
    expect(
      bodyOf({
        model: 'gpt-5.5',
        input,
        text: { verbosity: 'high' },
        reasoning: { summary: 'detailed' },
      }),
    ).toMatchObject({ text: { verbosity: 'high' }, reasoning: { summary: 'detailed' } })
    expect(bodyOf({ model: 'gpt-daybreak-red-latest', input })).toMatchObject({
      text: { verbosity: 'high' },
      reasoning: { summary: 'auto' },
    })
    expect(
      bodyOf({ model: 'gpt-5.5', input, reasoning: { summary: 'none' } }).reasoning,
    ).not.toHaveProperty('summary')
    expect(bodyOf({ model: 'gpt-99', input })).not.toHaveProperty('text')
  })

  it('removes what refers to stored answers and repairs what is left', () => {
    const out = bodyOf({
      model: 'm',
      previous_response_id: 'r',
      input: [
        { type: 'item_reference', id: 'fc_1' },
        { type: 'message', id: 'msg_1', role: 'user', content: 'x' },
        { type: 'function_call_output', call_id: 'c', output: 'text' },
      ],
    })
    expect(out).not.toHaveProperty('previous_response_id')
    expect(out.input).toEqual([
      { type: 'message', role: 'user', content: 'x' },
      {
        role: 'assistant',
        content: [{ type: 'output_text', text: expect.stringContaining('text') }],
      },
    ])
  })

  it('gives another model its own effort and not what was left of the first one', () => {
    const first = legacy(JSON.stringify({ model: 'gpt-5.6-sol-max', input }))
    const second = first.withModel('gpt-5.5')
    expect(JSON.parse(second.body.text)).toMatchObject({
      model: 'gpt-5.5',
      reasoning: { effort: 'xhigh' },
    })
    expect(JSON.parse(second.withModel('gpt-6-sol').body.text)).toMatchObject({
      model: 'gpt-6-sol',
      reasoning: { effort: 'max' },
    })
  })

  it('remembers that the caller wanted one JSON answer', () => {
    expect(legacy(JSON.stringify({ model: 'm', input })).wantsStream).toBe(false)
    expect(legacy(JSON.stringify({ model: 'm', input, stream: true })).wantsStream).toBe(true)
  })

  it('names what it changed, for the trace', () => {
    expect(legacy(JSON.stringify({ model: 'gpt-5.5', messages: [] })).changed).toEqual(
      expect.arrayContaining(['messages', 'input', 'instructions']),
    )
  })

  it.each(['02-first-turn', '05-following-turn'])(
    'adds nothing but the tool message and the defaults to %s of a host of today',
    (name) => {
      const before = JSON.parse(captured(name))
      const after = JSON.parse(legacy(captured(name)).body.text) as Sent
      expect({
        ...after,
        input: after.input.slice(1),
        reasoning: before.reasoning,
        text: before.text,
      }).toEqual(before)
    },
  )

  it('makes a JSON object of any JSON object and leaves an input alone that is no list', () => {
    const anything = fc.dictionary(
      fc.constantFrom(
        'model',
        'input',
        'messages',
        'tools',
        'reasoning',
        'text',
        'instructions',
        'tool_choice',
        'response_format',
        'functions',
      ),
      fc.jsonValue(),
    )
    fc.assert(fc.property(anything, (body) => isObject(legacy(JSON.stringify(body)).body.text)))
    expect(bodyOf({ model: 'm', input: { odd: 1 } })).toMatchObject({ input: { odd: 1 } })
  })

  it('takes any list of messages without an error', () => {
    const odd = fc.record(
      {
        role: fc.constantFrom('system', 'user', 'assistant', 'tool', 'function', 'x'),
        content: fc.jsonValue(),
        tool_calls: fc.jsonValue(),
        function_call: fc.jsonValue(),
        tool_call_id: fc.jsonValue(),
        name: fc.jsonValue(),
      },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(fc.array(fc.oneof(odd, fc.jsonValue())), (messages) =>
        isObject(legacy(JSON.stringify({ model: 'm', messages })).body.text),
      ),
    )
  })

  it('changes nothing more when its own work comes back', () => {
    const once = legacy(captured('05-following-turn')).body.text
    expect(legacy(once).body.text).toBe(once)
  })

  it.each(['', '[1]', 'null'])('refuses %j with the sentence of native mode', (text) => {
    expect(() => legacy(text)).toThrow(expect.objectContaining({ code: 'request_not_json' }))
  })
})

describe('request mode', () => {
  const chat = JSON.stringify({
    model: 'gpt-5.5',
    messages: [{ role: 'user', content: 'hi' }],
    stream: true,
    max_tokens: 5,
  })

  it('is native unless the setting says otherwise, and native requests are byte for byte those of the host', async () => {
    const { core, simulator } = await coreOver(['a'])
    const turn = captured('02-first-turn')
    expect((await ask(core, turn)).status).toBe(200)
    expect(answersAsked(simulator).at(-1)?.body).toBe(turn)
    expect(prepareRequest(turn).body.text).toBe(turn)
    expect((await ask(core, chat)).status).not.toBe(200)
  })

  it('serves a chat completion of an old host in legacy mode', async () => {
    const { core, simulator } = await coreOver(['a'], {
      env: { CODEX_AUTH_REQUEST_TRANSFORM_MODE: 'legacy' },
    })
    const answer = await ask(core, chat)
    expect(answer).toMatchObject({
      status: 200,
      text: expect.stringContaining('response.completed'),
    })
    expect(
      JSON.parse(simulator.requests.filter(({ path }) => path === RESPONSES).at(-1)?.body ?? ''),
    ).toMatchObject({
      instructions: expect.stringContaining('coding agent'),
      input: [{ role: 'user' }],
    })
  })
})
