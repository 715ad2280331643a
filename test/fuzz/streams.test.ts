import { createParser } from 'eventsource-parser'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { ask, goodAnswer, MISSING, withCore } from './fake-backend.js'
import { runs, timeFor } from './runs.js'

type Event = { readonly type: string } & Readonly<Record<string, unknown>>
const ENDINGS = [
  'completed',
  'done',
  'incomplete',
  'no usage',
  'failed',
  'error event',
  'cut off',
  'line broken',
] as const
type Ending = (typeof ENDINGS)[number]

/** How one event is written down; all of it is what the standard allows. */
interface Form {
  readonly name: 'first' | 'last' | 'none'
  readonly space: boolean
  readonly lines: 'one' | 'many'
  readonly isTypeEscaped: boolean
  readonly typePlace: 'first' | 'last'
  readonly comment: boolean
  readonly id: boolean
  readonly retry: boolean
}

const form: fc.Arbitrary<Form> = fc.record({
  name: fc.constantFrom('first', 'first', 'last', 'none'),
  space: fc.boolean(),
  lines: fc.constantFrom('one', 'one', 'many'),
  isTypeEscaped: fc.integer({ min: 0, max: 5 }).map((number) => number === 0),
  typePlace: fc.constantFrom('first', 'first', 'last'),
  comment: fc.boolean(),
  id: fc.boolean(),
  retry: fc.boolean(),
})

const shape = {
  limits: fc.boolean(),
  words: fc.array(fc.string({ unit: 'binary', minLength: 1, maxLength: 12 }), { maxLength: 5 }),
  ending: fc.constantFrom(...ENDINGS),
  chunks: fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 20 }),
  done: fc.boolean(),
}
/** As OpenAI's servers and most others write. */
const usual = fc.record({
  ...shape,
  forms: fc.array(
    form.map((one) => ({
      ...one,
      lines: 'one' as const,
      isTypeEscaped: false,
      name: 'first' as const,
    })),
    { minLength: 12, maxLength: 12 },
  ),
  lineEnd: fc.constantFrom('\n', '\r\n', 'mixed'),
  bom: fc.constant(false),
})
/** All that the standard allows. */
const any = fc.record({
  ...shape,
  forms: fc.array(form, { minLength: 12, maxLength: 12 }),
  lineEnd: fc.constantFrom('\n', '\n', '\r\n', '\r', 'mixed'),
  bom: fc.boolean(),
})
type Plan = typeof any extends fc.Arbitrary<infer T> ? T : never

const USAGE = { input_tokens: 3, output_tokens: 2, total_tokens: 5 }
const failure = { code: 'server_is_overloaded', message: 'busy' }

function eventsOf({ words, ending, limits }: Plan): Event[] {
  const response = (status: string, more: object = {}): object => ({
    id: 'r',
    status,
    output: [],
    ...more,
  })
  const end: Record<Ending, Event[]> = {
    completed: [{ type: 'response.completed', response: response('completed', { usage: USAGE }) }],
    done: [{ type: 'response.done', response: response('completed', { usage: USAGE }) }],
    incomplete: [
      {
        type: 'response.incomplete',
        response: response('incomplete', {
          usage: USAGE,
          incomplete_details: { reason: 'max_output_tokens' },
        }),
      },
    ],
    'no usage': [{ type: 'response.completed', response: response('completed') }],
    failed: [{ type: 'response.failed', response: response('failed', { error: failure }) }],
    'error event': [{ type: 'error', ...failure }],
    'cut off': [],
    'line broken': [],
  }
  const output =
    words.length === 0
      ? []
      : [
          {
            type: 'response.output_item.added',
            output_index: 0,
            item: { type: 'message', id: 'm', role: 'assistant', content: [] },
          },
          ...words.map((delta) => ({ type: 'response.output_text.delta', item_id: 'm', delta })),
        ]
  return [
    { type: 'response.created', response: response('in_progress') },
    ...(limits
      ? [{ type: 'codex.rate_limits', rate_limits: { primary: { used_percent: 4 } } }]
      : []),
    ...output,
    ...end[ending],
  ]
}

function written(event: Event, one: Form, lineEnd: () => string): string {
  const { type, ...rest } = event
  const ordered = one.typePlace === 'first' ? event : { ...rest, type }
  const pretty = JSON.stringify(ordered, undefined, one.lines === 'many' ? 1 : undefined)
  const json = one.isTypeEscaped
    ? pretty.replace(JSON.stringify(type), JSON.stringify(type).replaceAll('.', '\\u002e'))
    : pretty
  const data = json.split('\n').map((line) => `data:${one.space ? ' ' : ''}${line}`)
  const name = `event:${one.space ? ' ' : ''}${type}`
  const lines = [
    ...(one.comment ? [': still here'] : []),
    ...(one.id ? ['id: 7'] : []),
    ...(one.retry ? ['retry: 100'] : []),
    ...(one.name === 'first' ? [name] : []),
    ...data,
    ...(one.name === 'last' ? [name] : []),
    '',
  ]
  return lines.map((line) => line + lineEnd()).join('')
}

function bytesOf(given: Plan): Uint8Array {
  let turn = 0
  const lineEnd = (): string =>
    given.lineEnd === 'mixed' ? ['\n', '\r\n'][(turn += 1) % 2]! : given.lineEnd
  const text = eventsOf(given)
    .map((event, index) => written(event, given.forms[index % given.forms.length]!, lineEnd))
    .join('')
  const tail =
    given.done && !['cut off', 'line broken'].includes(given.ending)
      ? `data: [DONE]${lineEnd()}${lineEnd()}`
      : ''
  return new TextEncoder().encode(`${given.bom ? '\uFEFF' : ''}${text}${tail}`)
}

function streamOf(given: Plan): ReadableStream<Uint8Array> {
  const bytes = bytesOf(given)
  let from = 0
  let turn = 0
  return new ReadableStream({
    pull(controller) {
      if (from >= bytes.length) {
        if (given.ending === 'line broken') controller.error(new TypeError('terminated'))
        else controller.close()
        return
      }
      const size = given.chunks[(turn += 1) % given.chunks.length]!
      controller.enqueue(bytes.slice(from, from + size))
      from += size
    },
  })
}

function heardIn(text: string): Event[] {
  const events: Event[] = []
  const parser = createParser({
    onEvent: ({ data }) => data !== '[DONE]' && events.push(JSON.parse(data) as Event),
  })
  parser.feed(text)
  return events
}

const wordsIn = (events: readonly Event[]): unknown[] =>
  events.filter(({ type }) => type === 'response.output_text.delta').map(({ delta }) => delta)
const FAILS = new Set<Ending>(['failed', 'error event', 'cut off', 'line broken'])

async function saysTheSame(given: Plan): Promise<void> {
  let isFirst = true
  const answering = (): Response => {
    if (!isFirst) return goodAnswer('from-the-other')
    isFirst = false
    return new Response(streamOf(given), {
      status: 200,
      headers: { 'content-type': 'text/event-stream' },
    })
  }
  await withCore(
    [{ name: 'a' }, { name: 'b' }],
    ({ path }) => (path.endsWith('/codex/responses') ? answering() : MISSING.clone()),
    async ({ core, asked }) => {
      const { status, text, brokeOff } = await ask(core)
      const heard = heardIn(text)
      expect(brokeOff).toBe(false)
      const terminal = heard.filter(({ type }) =>
        /^(?:response\.(?:completed|incomplete|failed)|error)$/.test(type),
      )
      if (given.words.length === 0 && given.ending !== 'incomplete') {
        // Nothing had gone out: whoever answers then answers alone.
        if (FAILS.has(given.ending) || asked.length > 1)
          expect(wordsIn(heard)).toEqual(['from-the-other'])
        expect(status).toBe(200)
        return
      }
      expect(asked.length, 'how many were asked, although output had begun').toBe(1)
      expect(wordsIn(heard)).toEqual(given.words)
      expect(terminal.length, `ends with ${terminal.map(({ type }) => type).join()}`).toBe(1)
      if (!FAILS.has(given.ending))
        expect(terminal[0]?.type).toBe(
          given.ending === 'incomplete' ? 'response.incomplete' : 'response.completed',
        )
      else expect(terminal[0]?.type).toMatch(/failed|error/)
      expect(heard.at(-1)).toBe(terminal[0])
    },
  )
}

describe('streams through the whole bridge', () => {
  it(
    'in the usual forms say the same to the host, fail over only before output and never say anything twice',
    async () => {
      await fc.assert(fc.asyncProperty(usual, saysTheSame), runs(25))
    },
    timeFor(25),
  )

  it(
    'in every form the standard allows do the same (a third-party endpoint may write any of them)',
    async () => {
      await fc.assert(fc.asyncProperty(any, saysTheSame), runs(25))
    },
    timeFor(25),
  )
})
