import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { ask, type FuzzStage, goodAnswer, MISSING, withCore } from './fake-backend.js'
import { runs, timeFor } from './runs.js'

const DROPPED = ['previous_response_id', 'max_output_tokens', 'max_completion_tokens']
const SEALED = 'reasoning.encrypted_content'

/** Keys the rules know, and any others. */
const key = fc.oneof(
  fc.constantFrom('temperature', 'metadata', 'text', 'tools', '\n', 'a"b', 'ü', 'x\\y', ...DROPPED),
  fc
    .string({ unit: 'binary', maxLength: 6 })
    .filter(
      (name) =>
        ![
          '__proto__',
          'input',
          'model',
          'stream',
          'store',
          'include',
          'reasoning',
          'service_tier',
          'prompt_cache_key',
          'instructions',
        ].includes(name),
    ),
)
const item = fc.oneof(
  fc.record({
    role: fc.constant('user'),
    content: fc.array(
      fc.record({ type: fc.constant('input_text'), text: fc.string({ unit: 'binary' }) }),
      { minLength: 1, maxLength: 2 },
    ),
  }),
  fc.record({
    type: fc.constant('message'),
    id: fc.string(),
    role: fc.constant('assistant'),
    content: fc.jsonValue({ maxDepth: 2 }),
  }),
  fc.record({ type: fc.constant('item_reference'), id: fc.string() }),
  fc.record({ type: fc.constant('reasoning'), id: fc.constant('rs_1'), summary: fc.constant([]) }),
)

interface Body {
  readonly members: readonly (readonly [string, unknown])[]
  /** How the text is laid out. */
  readonly style: { readonly space: string; readonly escaped: readonly number[] }
}

const body: fc.Arbitrary<Body> = fc
  .record({
    extra: fc.array(fc.tuple(key, fc.jsonValue({ maxDepth: 3 })), { maxLength: 6 }),
    input: fc.array(item, { minLength: 1, maxLength: 5 }),
    include: fc.option(
      fc.array(fc.constantFrom(SEALED, 'web_search_call.action.sources'), { maxLength: 2 }),
      { nil: undefined },
    ),
    stream: fc.constantFrom(true, undefined),
    store: fc.constantFrom(true, false, undefined),
    order: fc.infiniteStream(fc.nat(1_000)),
    space: fc.constantFrom('', '', ' ', '\n  ', ' '.repeat(40), `\n${'\t'.repeat(200)}`),
    escaped: fc.array(fc.nat(60), { maxLength: 3 }),
  })
  .map(({ extra, input, include, stream, store, order, space, escaped }) => {
    const members = Object.entries({
      model: 'gpt-5.5',
      instructions: 'x',
      input,
      include,
      stream: stream ?? true,
      store,
      ...Object.fromEntries(extra),
    }).filter(([, value]) => value !== undefined)
    const shuffled = members
      .map((member) => [order.next().value!, member] as const)
      .sort(([left], [right]) => left - right)
      .map(([, member]) => member)
    return { members: shuffled, style: { space, escaped } }
  })

/** The text of a body with blanks everywhere they may be, and some letters of keys written as escapes. */
function textOf({ members, style: { space, escaped } }: Body): string {
  let letters = 0
  const escape = (letter: string): string =>
    `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`
  // What stands behind a backslash already is no letter of its own.
  const name = (plain: string): string =>
    JSON.stringify(plain).replace(/\\(?:u[0-9a-f]{4}|.)|[a-z]/g, (written) =>
      written.length === 1 && escaped.includes((letters += 1)) ? escape(written) : written,
    )
  const inner = (value: unknown): string => {
    if (Array.isArray(value))
      return `[${space}${value.map(inner).join(`${space},${space}`)}${space}]`
    if (typeof value === 'object' && value !== null)
      return `{${space}${Object.entries(value)
        .map(([one, of]) => `${name(one)}${space}:${space}${inner(of)}`)
        .join(`${space},${space}`)}${space}}`
    return JSON.stringify(value)
  }
  return inner(Object.fromEntries(members))
}

/** What the backend should get, by the rules in words: nothing stored, no ids of stored things, the rest as it was. */
function reference({ members }: Body): Record<string, unknown> {
  const given = Object.fromEntries(members) as Record<string, unknown> & {
    input: Record<string, unknown>[]
    include?: string[]
  }
  const kept = Object.fromEntries(members.filter(([name]) => !DROPPED.includes(name)))
  const wanted: Record<string, unknown> = {
    ...kept,
    stream: true,
    store: false,
    include: given.include?.includes(SEALED) ? given.include : [...(given.include ?? []), SEALED],
  }
  wanted.input = given.input.flatMap((one) => {
    if (one.type === 'item_reference') return []
    const { id: _stored, ...rest } = one
    return [rest]
  })
  return wanted
}

const answering = ({ path }: { path: string }): Response =>
  path.endsWith('/codex/responses') ? goodAnswer('ok') : MISSING.clone()

describe('request bodies through the whole bridge', () => {
  it(
    'go out as the rules say, whatever else is in them and however they are written',
    async () => {
      await withCore([{ name: 'a' }], answering, async ({ core, asked }) => {
        await fc.assert(
          fc.asyncProperty(body, async (given) => {
            const before = asked.length
            const { status, text } = await ask(core, textOf(given))
            expect(status, text.slice(0, 300)).toBe(200)
            expect(asked).toHaveLength(before + 1)
            expect(JSON.parse(asked.at(-1)!.body)).toEqual(
              JSON.parse(JSON.stringify(reference(given))),
            )
          }),
          runs(300),
        )
      })
    },
    timeFor(300),
  )

  it(
    'that are no request are refused in one sentence and never sent',
    async () => {
      const wrong = fc
        .oneof(
          fc.string({ unit: 'binary' }),
          fc.constantFrom(
            '',
            '[]',
            'null',
            '"text"',
            '42',
            '{',
            '{"a":',
            '{"a":1,}',
            '\uFEFF{}x',
            '['.repeat(200_000),
            '{"a":'.repeat(100_000),
            `{"\\u0061":${'['.repeat(200_000)}${']'.repeat(200_000)},"a":1}`,
          ),
        )
        .filter((text) => !isObject(text) || text.length > 1_000)
      await withCore([{ name: 'a' }], answering, async (stage) => {
        await fc.assert(
          fc.asyncProperty(wrong, (text) => isRefused(stage, text)),
          runs(60),
        )
      })
    },
    timeFor(60),
  )
})

function isObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  } catch {
    return false
  }
}

async function isRefused({ core, asked }: FuzzStage, text: string): Promise<void> {
  const before = asked.length
  const answer = await ask(core, text)
  // Deep nesting is valid JSON and may go out as it is.
  if (answer.status === 200 && isObject(text)) return
  expect(answer.status).toBeGreaterThanOrEqual(400)
  expect(answer.status).toBeLessThan(500)
  expect(asked).toHaveLength(before)
  const { error } = JSON.parse(answer.text) as { error: { message: string } }
  expect(error.message.length).toBeLessThan(600)
  expect(error.message).not.toMatch(/stack|\bat .*:\d+|undefined|RangeError|\[object/i)
}
