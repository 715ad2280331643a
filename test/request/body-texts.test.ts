import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'

import { objectText, type ObjectText } from '../../lib/request/body/json-edit.js'
import { prepareRequest } from '../../lib/request/body/request.js'
import { growth, repeated, SQUARE_GROWTH } from '../support/growth.js'

/** A piece of JSON text with the blanks, escapes, repeated keys and numbers that only other serialisers write. */
const space = fc.oneof(
  fc.constant(''),
  fc.constantFrom(' ', '\n', '\t\r\n ', ' '.repeat(50), '\n'.repeat(200)),
)
const escaped = (text: string): fc.Arbitrary<string> =>
  fc.array(fc.boolean(), { minLength: text.length, maxLength: text.length }).map(
    (flags) =>
      `"${Array.from(text)
        .map((letter, at) =>
          flags[at] === true ? `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}` : letter,
        )
        .join('')}"`,
  )
const string = fc.oneof(
  fc.string().map((text) => JSON.stringify(text)),
  fc.constantFrom('"\\ud800"', '"\\n\\"\\\\"', '"}],{"', '"item_reference"', '"reasoning"', '"id"'),
)
const scalar = fc.oneof(
  string,
  fc.constantFrom(
    '1e400',
    '-1e400',
    '-0',
    '12345678901234567890',
    '1.5E-7',
    'true',
    'false',
    'null',
  ),
)
const KEYS = [
  'id',
  'type',
  'role',
  'content',
  'call_id',
  'encrypted_content',
  'output',
  '__proto__',
  '',
  '\n',
  'x',
]
const listOf = (elements: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc
    .tuple(
      fc.array(
        fc.tuple(space, elements, space).map((all) => all.join('')),
        { maxLength: 5 },
      ),
      space,
    )
    .map(([all, blank]) => `[${all.length === 0 ? blank : all.join(',')}]`)
const objectOf = (members: fc.Arbitrary<[string, string]>): fc.Arbitrary<string> =>
  fc
    .tuple(
      fc.array(
        fc
          .tuple(space, members, space, space, space)
          .map(([a, [key, value], b, c, d]) => `${a}${key}${b}:${c}${value}${d}`),
        { maxLength: 7 },
      ),
      space,
    )
    .map(([all, blank]) => `{${all.length === 0 ? blank : all.join(',')}}`)
const key = fc
  .constantFrom(...KEYS)
  .chain((name) =>
    fc.oneof(
      fc.constant(JSON.stringify(name)),
      /^[a-z_]+$/.test(name) ? escaped(name) : fc.constant(JSON.stringify(name)),
    ),
  )
const { value } = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    scalar,
    listOf(tie('value')),
    objectOf(fc.tuple(key, tie('value'))),
  ),
}))
const item = objectOf(
  fc.oneof(
    fc.tuple(key, value),
    fc.tuple(
      fc.constantFrom('"type"', '"\\u0074ype"'),
      fc.constantFrom('"reasoning"', '"item_reference"', '"item_r\\u0065ference"', '"message"'),
    ),
    fc.tuple(escaped('id'), string),
    fc.tuple(fc.constant('"encrypted_content"'), string),
  ),
)
const memberOf = (name: string, values: fc.Arbitrary<string>): fc.Arbitrary<[string, string]> =>
  fc.tuple(escaped(name), values)
const bodies = fc
  .tuple(
    space,
    objectOf(
      fc.oneof(
        memberOf('model', fc.constantFrom('"gpt-5.5"', '"gpt-5.5-high"', '"gpt-99"', '7')),
        memberOf(
          'input',
          fc.oneof(
            { weight: 4, arbitrary: listOf(fc.oneof(item, value)) },
            { weight: 1, arbitrary: string },
          ),
        ),
        memberOf('store', fc.constantFrom('true', 'false', 'null')),
        memberOf('stream', fc.constantFrom('true', 'false')),
        memberOf(
          'include',
          fc.oneof(
            listOf(scalar),
            fc.constantFrom('["reasoning.encrypted_content"]', '[]', '[ ]', 'null'),
          ),
        ),
        memberOf(
          'reasoning',
          fc.oneof(
            objectOf(fc.tuple(fc.constantFrom('"effort"', '"summary"', '"x"'), scalar)),
            fc.constant('null'),
          ),
        ),
        memberOf('previous_response_id', value),
        memberOf('max_output_tokens', value),
        fc.tuple(key, value),
      ),
    ),
    space,
  )
  .map((all) => all.join(''))
  .filter((text) => !followsStoredAnswer(JSON.parse(text) as Record<string, unknown>))

/** A text that goes on after an answer somebody else stored is refused, whatever else the body says: see foreign-clients.test.ts. */
function followsStoredAnswer({
  input,
  previous_response_id: earlier,
}: Record<string, unknown>): boolean {
  return (
    typeof input === 'string' &&
    earlier !== undefined &&
    earlier !== null &&
    earlier !== false &&
    earlier !== ''
  )
}

/** The same on what a parser makes of it. */
function reference(text: string): unknown {
  const body = JSON.parse(text) as Record<string, unknown>
  const has = (name: string): boolean => Object.hasOwn(body, name)
  if (body.model === 'gpt-5.5-high') {
    body.model = 'gpt-5.5'
    const given = has('reasoning') && body.reasoning !== null ? (body.reasoning as object) : {}
    body.reasoning = { ...given, effort: 'high' }
  }
  body.stream = true
  body.store = false
  const include: unknown[] = Array.isArray(body.include) ? body.include : []
  body.include = include.includes('reasoning.encrypted_content')
    ? include
    : [...include, 'reasoning.encrypted_content']
  for (const name of ['previous_response_id', 'max_output_tokens', 'max_completion_tokens'])
    Reflect.deleteProperty(body, name)
  const isObject = (one: unknown): one is Record<string, unknown> =>
    typeof one === 'object' && one !== null && !Array.isArray(one)
  if (typeof body.input === 'string')
    body.input = [{ role: 'user', content: [{ type: 'input_text', text: body.input }] }]
  else if (Array.isArray(body.input)) {
    const items: unknown[] = body.input
    body.input = items
      .filter(
        (one: unknown) =>
          !isObject(one) || !Object.hasOwn(one, 'type') || one.type !== 'item_reference',
      )
      .map((one: unknown) => {
        if (!isObject(one) || !Object.hasOwn(one, 'id') || typeof one.id !== 'string') return one
        const { id: _id, ...rest } = one
        return rest
      })
  }
  return body
}

describe('a body of any writing', () => {
  it('says after the change what a parser would have made of it, number for number and key for key', () => {
    fc.assert(
      fc.property(bodies, (text) => {
        expect(JSON.parse(prepareRequest(text).body.text)).toEqual(reference(text))
      }),
      { numRuns: 1_500 },
    )
  })

  it('knows where its members stand, after any change, as well as a scan of it would', () => {
    const placesOf = ({ scan: { members, close } }: ObjectText) => [
      [...members].map(([key, { keyStart, start, end }]) => [key, keyStart, start, end]),
      close,
    ]
    fc.assert(
      fc.property(bodies, (text) => {
        const prepared = prepareRequest(text)
        for (const body of [
          prepared.body,
          prepared.withoutReasoning(),
          prepared.withModel('gpt-6-sol').body,
          prepared.withPairedTools()?.body ?? prepared.body,
        ])
          expect(placesOf(body)).toEqual(placesOf(objectText(body.text)!))
      }),
      { numRuns: 500 },
    )
  })

  it('is the very string of the host where nothing has to change', () => {
    fc.assert(
      fc.property(bodies, (text) => {
        const once = prepareRequest(text).body.text
        expect(prepareRequest(once).body.text).toBe(once)
        expect(prepareRequest(once).changed).toEqual([])
      }),
      { numRuns: 500 },
    )
  })

  it('loses the reasoning it is told to lose and nothing else', () => {
    fc.assert(
      fc.property(bodies, fc.nat({ max: 3 }), (text, number) => {
        const prepared = prepareRequest(text)
        const body = JSON.parse(prepared.body.text) as { input: unknown }
        const items: unknown[] = Array.isArray(body.input) ? body.input : []
        const isPiece = (one: unknown): boolean =>
          typeof one === 'object' &&
          one !== null &&
          !Array.isArray(one) &&
          'type' in one &&
          Object.hasOwn(one, 'type') &&
          one.type === 'reasoning' &&
          Object.hasOwn(one, 'encrypted_content')
        const pieces = items.filter(isPiece)
        expect(prepared.reasoning()).toHaveLength(pieces.length)
        if (pieces.length > 0) expect(prepared.hasEncryptedReasoning).toBe(true)
        if (!Array.isArray(body.input)) return
        expect(JSON.parse(prepared.withoutReasoning().text)).toEqual({
          ...body,
          input: items.filter((one) => !isPiece(one)),
        })
        expect(JSON.parse(prepared.withoutReasoning(new Set([number])).text)).toEqual({
          ...body,
          input: items.filter((one) => one !== pieces[number]),
        })
      }),
      { numRuns: 500 },
    )
  })

  it('stays JSON when the last member goes and many blanks stand before it', () => {
    const text = `{"model":"gpt-5.5","input":[],"store":false,"stream":true,"include":["reasoning.encrypted_content"],${' '.repeat(300)}"previous_response_id"${'\n'.repeat(90)}:"x"${' '.repeat(90)}}`
    expect(JSON.parse(prepareRequest(text).body.text)).toEqual({
      model: 'gpt-5.5',
      input: [],
      store: false,
      stream: true,
      include: ['reasoning.encrypted_content'],
    })
  })

  it('passes however deep it is nested, or is refused in one sentence', () => {
    const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`
    for (const text of [
      `{"input":[],"x":${deep}}`,
      `{"input":[],"x":1,"x":${deep}}`,
      `{"inp\\u0075t":${deep}}`,
      `{"input":[{"id":"a","x":${deep}}]}`,
      `{"input":[{"type":"reasoning","encrypted_content":"e","x":${deep}}]}`,
      `{"input":[],"include":${deep}}`,
    ]) {
      const prepared = prepareRequest(text)
      expect(prepared.body.text).toContain('"store":false')
      expect(() => prepared.withoutReasoning().text).not.toThrow()
    }
  })

  it('is looked at again only where reasoning may stand, however long the rest of it is', () => {
    const looksOf = (messages: number): number => {
      const message = { role: 'user', content: [{ type: 'input_text', text: 'say "hi"' }] }
      const sealed = { type: 'reasoning', encrypted_content: 'e', summary: [] }
      const others = Array.from({ length: messages }, () => message)
      const prepared = prepareRequest(JSON.stringify({ input: [...others, sealed, ...others] }))
      const spies = [
        vi.spyOn(String.prototype, 'charCodeAt'),
        vi.spyOn(String.prototype, 'indexOf'),
        vi.spyOn(JSON, 'parse'),
      ]
      try {
        expect(prepared.reasoning()).toEqual(['"e"'])
        prepared.withoutReasoning(new Set([0]))
        return spies.reduce((sum, { mock }) => sum + mock.calls.length, 0)
      } finally {
        vi.restoreAllMocks()
      }
    }
    expect(looksOf(1)).toBeGreaterThan(0)
    expect(looksOf(500)).toBe(looksOf(1))
  })

  it('takes time in proportion to its length, whatever is repeated in it', () => {
    const ask = (text: string): void => {
      const prepared = prepareRequest(text)
      prepared.reasoning()
      prepared.withoutReasoning()
    }
    for (const unit of ['\\\\', '\\"', '✓', '\\u0069'])
      expect(
        growth(ask, (chars) => `{"input":[{"id":"${repeated(unit, chars - (chars % 12))}"}]}`),
        JSON.stringify(unit),
      ).toBeLessThan(SQUARE_GROWTH)
    for (const item of [
      '{"id":"a"}',
      '{"type":"item_reference"}',
      '{"type":"reasoning","encrypted_content":"e"}',
      '{"\\u0069d":1}',
      '"id"',
      '[]',
    ])
      expect(
        growth(ask, (chars) => {
          const items = Array.from({ length: Math.ceil(chars / item.length) }, () => item)
          return `{"input":[${items.join(',')}]}`
        }),
        item,
      ).toBeLessThan(SQUARE_GROWTH)
  })

  it('is refused in one sentence when it is a chat completion, which the backend would not understand', () => {
    expect(() => prepareRequest('{"model":"gpt-5.5","messages":[]}')).toThrow(
      expect.objectContaining({
        code: 'bad_request',
        message: expect.stringContaining('Responses API'),
      }),
    )
  })
})
