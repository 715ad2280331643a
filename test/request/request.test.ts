import { readFileSync } from 'node:fs'

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { scanElements, scanTopLevel, watchFor } from '../../lib/request/body/json-scan.js'
import { prepareRequest } from '../../lib/request/body/request.js'

const usual = {
  model: 'gpt-5.5',
  input: [{ role: 'user', content: [{ type: 'input_text', text: 'hi' }] }],
  store: false,
  include: ['reasoning.encrypted_content'],
  stream: true,
}

describe('scanTopLevel', () => {
  it('finds every member of any object exactly where it stands', () => {
    const objects = fc.dictionary(
      fc.string().filter((key) => !JSON.stringify(key).includes('\\') && key !== '__proto__'),
      fc.jsonValue(),
    )
    fc.assert(
      fc.property(objects, fc.constantFrom(undefined, 1, 2), (object, indent) => {
        const text = JSON.stringify(object, undefined, indent)
        const scan = scanTopLevel(text)
        expect([...(scan?.members.keys() ?? [])]).toEqual(Object.keys(JSON.parse(text)))
        for (const [key, member] of scan?.members ?? [])
          expect(JSON.parse(text.slice(member.start, member.end))).toEqual(JSON.parse(text)[key])
      }),
    )
  })

  it('never takes a text for well-formed that ends early', () => {
    const text = JSON.stringify({ a: [1, { b: 'x"y\\' }], c: 'd', e: [] })
    for (let length = 0; length < text.length; length += 1)
      expect(scanTopLevel(text.slice(0, length))).toBeUndefined()
  })

  it('finds strings of any length with any escapes', () => {
    const strings = fc
      .array(fc.constantFrom('\\', '"', 'a', '\\"', '{', ']', 'ü', 'x'.repeat(40)), {
        maxLength: 60,
      })
      .map((parts) => parts.join(''))
    fc.assert(
      fc.property(strings, strings, (one, two) => {
        const text = JSON.stringify({ one, two: [one, { two }], last: 1 })
        const scan = scanTopLevel(text)
        expect(
          JSON.parse(text.slice(scan!.members.get('two')!.start, scan!.members.get('two')!.end)),
        ).toEqual([one, { two }])
      }),
    )
  })

  it('points at the last element of an array', () => {
    const text = '{"input":[{"a":[1,2]}, {"b":"x,y"}],"empty":[]}'
    const { members } = scanTopLevel(text)!
    const input = members.get('input')!
    expect(text.slice(input.lastElementStart, input.end - 1).trim()).toBe('{"b":"x,y"}')
  })

  it('takes a quote for the end of a string only behind an even number of backslashes', () => {
    for (let backslashes = 0; backslashes < 12; backslashes += 1) {
      const text = `{"a":["${'\\'.repeat(backslashes)}",{"b":"]}"}],"c":1}`
      expect(scanTopLevel(text) !== undefined).toBe(backslashes % 2 === 0)
    }
  })

  it('finds the elements that have a watched text as a key or a value, and names no other', () => {
    const watched = new Map([
      ['id', 'stored'],
      ['item_reference', 'stored'],
      ['encrypted_content', 'sealed'],
    ])
    const words = fc.constantFrom('id', 'item_reference', 'encrypted_content', 'i', 'ids', 'x', '✓')
    const element = fc.oneof(
      fc.dictionary(words, fc.oneof(words, fc.dictionary(words, words), fc.array(words))),
      fc.array(fc.oneof(words, fc.array(words))),
      words,
    )
    const has = (one: unknown, kind: string): boolean =>
      typeof one === 'object' &&
      one !== null &&
      [...(Array.isArray(one) ? [] : Object.keys(one)), ...Object.values(one)].some(
        (word) => watched.get(word as string) === kind,
      )
    const escaped = (text: string): string =>
      text.replace(/"(i|e)/g, (_, letter: string) => `"\\u00${letter === 'i' ? '69' : '65'}`)
    fc.assert(
      fc.property(
        fc.array(element),
        fc.constantFrom(undefined, 1),
        fc.boolean(),
        (list, indent, escape) => {
          const plain = JSON.stringify(
            { before: ['id'], list, after: { id: { id: 1 } } },
            undefined,
            indent,
          )
          const text = escape ? escaped(plain) : plain
          const { members } = scanTopLevel(text, watchFor(watched))!
          const { start, end, found } = members.get('list')!
          const array = text.slice(start, end)
          const all = scanElements(array)!.map((one) => array.slice(one.start, one.end))
          for (const kind of ['stored', 'sealed'])
            expect(
              (found?.get(kind) ?? []).map((one) => array.slice(one.start, one.end).trim()),
            ).toEqual(all.filter((one) => has(JSON.parse(one), kind)))
          expect(members.get('before')?.found?.size).toBe(0)
        },
      ),
    )
  })
})

describe('prepareRequest', () => {
  it.each([
    '02-first-turn',
    '03-tool-turn-variant-high',
    '04-after-tool-output',
    '05-following-turn',
    '01-title',
    '07-compaction',
    '10-subagent-turn',
  ])('hands on the very string of the host for the captured request %s', (name) => {
    const captured = JSON.parse(
      readFileSync(new URL(`../fixtures/opencode/${name}.json`, import.meta.url), 'utf8'),
    )
    const body = typeof captured.body === 'string' ? captured.body : JSON.stringify(captured.body)
    const prepared = prepareRequest(body)
    expect(prepared.changed).toEqual([])
    expect(prepared.body.text).toBe(body)
  })

  it('says that a turn goes on after a tool call, and only then', () => {
    const withOutput = {
      ...usual,
      input: [...usual.input, { type: 'function_call_output', call_id: 'c', output: 'done' }],
    }
    expect(prepareRequest(JSON.stringify(withOutput)).continuesTurn).toBe(true)
    expect(prepareRequest(JSON.stringify(usual)).continuesTurn).toBe(false)
  })

  it('sets what the backend insists on, whatever was there before', () => {
    const bodies = fc.record(
      {
        model: fc.constantFrom('gpt-5.5', 'something-new'),
        input: fc.array(fc.record({ role: fc.constant('user'), content: fc.string() })),
        store: fc.constantFrom(true, false, null),
        stream: fc.constantFrom(true, false, null),
        include: fc.constantFrom(
          [],
          ['file_search_call.results'],
          ['reasoning.encrypted_content'],
          null,
        ),
        previous_response_id: fc.string(),
        max_output_tokens: fc.nat(),
        max_completion_tokens: fc.nat(),
        text: fc.constant({ verbosity: 'low' }),
      },
      { requiredKeys: ['model', 'input'] },
    )
    fc.assert(
      fc.property(bodies, fc.constantFrom(undefined, 2), (body, indent) => {
        const out = JSON.parse(prepareRequest(JSON.stringify(body, undefined, indent)).body.text)
        expect(out).toMatchObject({
          store: false,
          stream: true,
          model: body.model,
          input: body.input,
        })
        // What the host asks to have included besides is its own affair and stays.
        expect(new Set(out.include)).toEqual(
          new Set([...(body.include ?? []), 'reasoning.encrypted_content']),
        )
        for (const key of ['previous_response_id', 'max_output_tokens', 'max_completion_tokens'])
          expect(out).not.toHaveProperty(key)
        expect(out.text).toEqual(body.text)
      }),
    )
  })

  it('cuts ids of stored items and references to them, and nothing else', () => {
    const input = [
      { type: 'item_reference', id: 'msg_1' },
      { id: 'rs_1', type: 'reasoning', encrypted_content: 'e', summary: [] },
      { type: 'function_call', call_id: 'c', name: 'n', arguments: '{"id":"stays"}' },
    ]
    const out = JSON.parse(prepareRequest(JSON.stringify({ ...usual, input })).body.text)
    expect(out.input).toEqual([
      { type: 'reasoning', encrypted_content: 'e', summary: [] },
      input[2],
    ])
  })

  it('resolves an effort suffix into model and effort and keeps the other reasoning options', () => {
    const out = JSON.parse(
      prepareRequest(
        JSON.stringify({ ...usual, model: 'gpt-5.5-high', reasoning: { summary: 'auto' } }),
      ).body.text,
    )
    expect(out).toMatchObject({ model: 'gpt-5.5', reasoning: { effort: 'high', summary: 'auto' } })
  })

  it('passes a model it does not know unchanged', () => {
    const body = JSON.stringify({ ...usual, model: 'gpt-99-nova-high' })
    expect(prepareRequest(body).body.text).toBe(body)
  })

  it('drops the pieces of encrypted reasoning it is told to, and counts them in their order', () => {
    const reasoning = (text: string) => ({
      type: 'reasoning',
      encrypted_content: text,
      summary: [],
    })
    const prepared = prepareRequest(
      JSON.stringify({
        ...usual,
        input: [usual.input[0], reasoning('old'), usual.input[0], reasoning('new')],
      }),
    )
    expect(prepared.hasEncryptedReasoning).toBe(true)
    expect(prepared.reasoning()).toEqual(['"old"', '"new"'])
    expect(JSON.parse(prepared.withoutReasoning(new Set([0])).text).input).toEqual([
      usual.input[0],
      usual.input[0],
      reasoning('new'),
    ])
    expect(JSON.parse(prepared.withoutReasoning().text).input).toEqual([
      usual.input[0],
      usual.input[0],
    ])
  })

  it('takes out what it has to, with its comma, and leaves every other character as it is', () => {
    const item = (name: string): string => ` {"type": "message",\n"${name}": 1e400} `
    const reasoning = '\n{"type":"reasoning", "encrypted_content":"e"}\t'
    const head = '{"model":"gpt-5.5","store":false,"stream":true,'
    const tail = ',"include":["reasoning.encrypted_content"]}'
    const body = (...items: string[]): string => `${head}"input":[${items.join(',')}]${tail}`
    const cut = (...items: string[]) => prepareRequest(body(...items)).withoutReasoning().text
    expect(cut(item('a'), reasoning, item('b'))).toBe(body(item('a'), item('b')))
    expect(cut(reasoning, item('a'), reasoning, reasoning)).toBe(body(item('a')))
    expect(cut(item('a'), reasoning)).toBe(body(item('a')))
    expect(cut(reasoning, reasoning)).toBe(body())
    expect(cut(item('a'))).toBe(body(item('a')))
    const withId = body(item('a'), '{"id":"msg_1","type":"message"}', '{"type":"item_reference"}')
    expect(prepareRequest(withId).body.text).toBe(body(item('a'), '{"type":"message"}'))
  })

  it('remembers that the caller wanted one JSON answer', () => {
    expect(prepareRequest(JSON.stringify({ ...usual, stream: false })).wantsStream).toBe(false)
    expect(prepareRequest(JSON.stringify(usual)).wantsStream).toBe(true)
  })

  it.each(['', 'text', '[1]', '"string"', '{"model":', 'null'])(
    'refuses %j with one sentence',
    (body) => {
      expect(() => prepareRequest(body)).toThrow(
        expect.objectContaining({ code: 'request_not_json' }),
      )
    },
  )

  it('copes with keys that are written twice or with escapes', () => {
    expect(
      JSON.parse(prepareRequest('{"model":"a","store":true,"store":true,"input":[]}').body.text)
        .store,
    ).toBe(false)
    expect(
      JSON.parse(prepareRequest('{"m\\u006fdel":"a","input":[],"store":true}').body.text).store,
    ).toBe(false)
  })
})
