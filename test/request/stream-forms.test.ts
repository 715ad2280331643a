import { createParser } from 'eventsource-parser'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { dispatched, piecesOf, runStream, type StreamRun } from '../support/event-stream.js'

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
const usage = {
  input_tokens: 7,
  input_tokens_details: { cached_tokens: 3 },
  output_tokens: 5,
  output_tokens_details: { reasoning_tokens: 2 },
}
type Data = Readonly<Record<string, unknown>> & { readonly type: string }

const created: Data = {
  type: 'response.created',
  response: { id: 'r', tools: [{ type: 'function' }] },
}
const added: Data = { type: 'response.output_item.added', item: { type: 'message' } }
const delta = (text: string): Data => ({ type: 'response.output_text.delta', delta: text })
const limits: Data = { type: 'codex.rate_limits', rate_limits: { primary: { used_percent: 40 } } }
const completed: Data = {
  type: 'response.completed',
  response: { id: 'r', output: [{ type: 'message' }], usage },
}
const done: Data = { type: 'response.done', response: { id: 'r', output: [], usage } }

const plain = (data: Data, newline = '\n'): string =>
  `event: ${data.type}${newline}data: ${JSON.stringify(data)}${newline}${newline}`
const outOf = (run: StreamRun): Data[] => run.events.map(({ data }) => JSON.parse(data) as Data)

/** What the host's parser, fed chunk by chunk as the AI SDK does it, has dispatched when the stream ends. */
function seenByHost(run: StreamRun): Data[] {
  const seen: Data[] = []
  const parser = createParser({ onEvent: ({ data }) => seen.push(JSON.parse(data)) })
  const decoder = new TextDecoder()
  for (const chunk of run.chunks) parser.feed(decoder.decode(chunk, { stream: true }))
  return seen
}

/** One form of an event each; the text ends behind its blank line. */
const FORMS: Readonly<Record<string, (data: Data) => string>> = {
  'data over several lines': (data) =>
    `${JSON.stringify(data, undefined, 1)
      .split('\n')
      .map((line) => `data: ${line}\n`)
      .join('')}\n`,
  'a brace on a line of its own': (data) => `data: {\ndata: ${JSON.stringify(data).slice(1)}\n\n`,
  'the type on a line of its own': (data) => {
    const { type, ...rest } = data
    return `data: {"type":"${type}"\ndata: ,${JSON.stringify(rest).slice(1)}\n\n`
  },
  'CR alone': (data) => plain(data, '\r'),
  'CR LF': (data) => plain(data, '\r\n'),
  'mixed line ends': (data) => `event: ${data.type}\r\ndata: ${JSON.stringify(data)}\r\n\n`,
  'mixed line ends, CR first': (data) => `event: ${data.type}\ndata: ${JSON.stringify(data)}\r\r`,
  'no event field': (data) => `data: ${JSON.stringify(data)}\n\n`,
  'no space behind the colon': (data) => `event:${data.type}\ndata:${JSON.stringify(data)}\n\n`,
  'more than one space': (data) => `data:   ${JSON.stringify(data)}  \n\n`,
  'the event field behind the data': (data) =>
    `data: ${JSON.stringify(data)}\nevent: ${data.type}\n\n`,
  'id and retry': (data) => `id: 4\nretry: 100\ndata: ${JSON.stringify(data)}\nid\n\n`,
  'a field without a colon': (data) => `event\ndata: ${JSON.stringify(data)}\nunknown\n\n`,
  'an unknown field in front': (data) => `x-hop: 1\ndata: ${JSON.stringify(data)}\n\n`,
  'comments around': (data) => `: one\n:\ndata: ${JSON.stringify(data)}\n: two\n\n`,
  'an escaped type': (data) =>
    `data: ${JSON.stringify(data).replace(`"${data.type}"`, `"${data.type.replace('.', '\\u002e')}"`)}\n\n`,
  'an escaped key': (data) => `data: ${JSON.stringify(data).replace('"type"', '"t\\u0079pe"')}\n\n`,
  'the type behind nested objects': ({ type, ...rest }) =>
    `data: ${JSON.stringify({ sequence_number: 1, item: { type: 'error' }, ...rest, type })}\n\n`,
  'white space in the JSON': (data) =>
    `data: ${JSON.stringify(data).replace('{"type":', '{ "a" : [ 1 , {} ] ,\t"type" : ')}\n\n`,
  'the key twice': (data) =>
    `data: ${JSON.stringify(data).replace('{', '{"type":"response.output_text.delta",')}\n\n`,
  'the key twice, the second escaped': (data) =>
    `data: ${JSON.stringify(data).replace('{"type"', '{"type":"response.output_text.delta","\\u0074ype"')}\n\n`,
  'the key twice over two lines': (data) =>
    `data: {"type":"response.output_text.delta",\ndata: ${JSON.stringify(data).slice(1)}\n\n`,
}
/** An event of these goes out with its first bytes when it is cut, so its own name may be seen beside the mended one. */
const TOLD_LATE = new Set([
  'the key twice',
  'the key twice, the second escaped',
  'the key twice over two lines',
  'the type on a line of its own',
])

describe.each(Object.entries(FORMS))('an answer in the form "%s"', (name, form) => {
  const isDone = ({ type }: Data): boolean => type === 'response.done'

  it.each([1, 2, 3, 7, 64, 100_000])(
    'ends where it ends, without an error event behind a good answer, in pieces of %i bytes',
    async (size) => {
      for (const last of [completed, done]) {
        const run = await runStream(
          piecesOf(bytesOf([created, added, delta('a'), last].map(form).join('')), size),
        )
        expect([run.kind, run.error, run.ends.map((end) => end.kind)]).toEqual([
          'open',
          undefined,
          ['completed'],
        ])
        expect(run.ends[0]?.usage).toEqual({
          inputTokens: 7,
          cachedTokens: 3,
          outputTokens: 5,
          reasoningTokens: 2,
        })
        const seen = seenByHost(run)
        expect(seen).toEqual(outOf(run))
        const kept = TOLD_LATE.has(name) ? seen.filter((data) => !isDone(data)) : seen
        expect(kept.map(({ type }) => type)).toEqual([
          'response.created',
          'response.output_item.added',
          'response.output_text.delta',
          'response.completed',
        ])
        expect(kept.at(-1)).toMatchObject({ response: last['response'] as object })
      }
    },
  )

  it.each([1, 5, 100_000])(
    'tells of limits and fails over before output, never after, in pieces of %i bytes',
    async (size) => {
      const failed: Data = {
        type: 'response.failed',
        response: { error: { code: 'server_is_overloaded', message: 'busy' } },
      }
      const before = await runStream(
        piecesOf(bytesOf([created, limits, failed].map(form).join('')), size),
      )
      expect([before.kind, before.limits.length]).toEqual(['failed', 1])
      const after = await runStream(
        piecesOf(bytesOf([created, added, failed].map(form).join('')), size),
      )
      expect([after.kind, after.ends.map((end) => end.kind)]).toEqual(['open', ['failed']])
      expect(seenByHost(after).at(-1)).toMatchObject({
        type: 'error',
        error: { code: 'invalid_prompt' },
      })
    },
  )
})

describe('any mixture of forms', () => {
  const event = fc.constantFrom(...Object.keys(FORMS))
  const output = fc.constantFrom(
    added,
    delta('Grüße 🌍 \u2028 "type":"response.completed" \\u0079\r\n'),
    delta(''),
    limits,
    { type: 'vendor.unheard', n: 1 },
    { type: 'response.metadata', headers: {} },
  )
  const keepAlive = fc.constantFrom('', ': keepalive\n\n', ':\r', '\n', 'id: 7\n\n')

  it('brings out the events that went in, wherever it is cut, but for those of Codex alone and a terminal event by its own name', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(output, event, keepAlive), { maxLength: 8 }),
        event,
        fc.constantFrom(completed, done),
        fc.constantFrom('', '\uFEFF'),
        fc.oneof(fc.constant(1), fc.integer({ min: 2, max: 300 }), fc.constant(100_000)),
        fc.array(fc.integer({ min: 1, max: 2000 }), { maxLength: 6 }),
        async (middle, lastForm, last, bom, size, cuts) => {
          const text =
            bom +
            plain(created) +
            plain(added) +
            middle.map(([data, form, between]) => between + (FORMS[form] ?? plain)(data)).join('') +
            (FORMS[lastForm] ?? plain)(last)
          const whole = bytesOf(text)
          const places = [
            ...new Set([0, ...cuts.filter((cut) => cut < whole.length), whole.length]),
          ].sort((left, right) => left - right)
          const pieces = places
            .slice(1)
            .flatMap((end, index) => [...piecesOf(whole.slice(places[index], end), size)])
          const run = await runStream(pieces)
          // What is told late goes out by its own name first; that is looked at above.
          const isOurs = ({ type }: Data): boolean =>
            type === 'response.done' || type.startsWith('codex.') || type === 'response.metadata'
          const expected = dispatched(whole).map(({ data }) => JSON.parse(data) as Data)
          expect(expected.at(-1)?.type).toBe(last.type)
          const wanted = [
            ...expected.slice(0, -1).filter((data) => !isOurs(data)),
            { ...expected.at(-1), type: 'response.completed' },
          ]
          expect(run.kind).toBe('open')
          expect(outOf(run).filter((data) => !isOurs(data))).toEqual(wanted)
          expect(seenByHost(run)).toEqual(outOf(run))
          expect(run.limits.length).toBe(
            expected.filter(({ type }) => type === 'codex.rate_limits').length,
          )
          expect(run.ends).toMatchObject([
            { kind: 'completed', usage: { inputTokens: 7 }, bytes: run.bytes.length },
          ])
        },
      ),
      { numRuns: 400 },
    )
  }, 60_000)

  it('leaves the usual form untouched to the byte, and hands on the very chunks', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.tuple(
            fc.constantFrom(
              added,
              delta('Grüße 🌍'),
              { type: 'response.function_call_arguments.delta', delta: '{\\"a\\":' },
              { type: 'response.content_part.added', part: { type: 'output_text' } },
            ),
            fc.constantFrom('', ': keepalive\n\n'),
          ),
          { minLength: 1, maxLength: 12 },
        ),
        fc.constantFrom('\n', '\r\n'),
        fc.integer({ min: 1, max: 400 }),
        async (events, newline, size) => {
          const whole = bytesOf(
            [created, ...events.map(([data]) => data), completed]
              .map((data, index) => (events[index]?.[1] ?? '') + plain(data, newline))
              .join(''),
          )
          const cut = await runStream(piecesOf(whole, size))
          expect(Buffer.from(cut.bytes).equals(whole)).toBe(true)
          const chunks = [
            plain(added, newline),
            ...events.map(([data]) => plain(data, newline)),
            plain(completed, newline),
          ].map(bytesOf)
          const run = await runStream(chunks)
          expect(run.chunks.every((chunk, index) => chunk === chunks[index])).toBe(true)
        },
      ),
      { numRuns: 200 },
    )
  }, 60_000)
})

describe('an event that only Codex clients know', () => {
  it.each(['codex.rate_limits', 'codex.anything', 'response.metadata'])(
    '%s leaves no trace, and the bytes around it stay those of the chunk',
    async (type) => {
      const chunk = bytesOf(
        plain(created) +
          plain(added) +
          plain({ ...limits, type }) +
          plain(delta('a')) +
          plain(completed),
      )
      const run = await runStream([chunk])
      expect(Buffer.from(run.bytes).toString()).toBe(
        plain(created) + plain(added) + plain(delta('a')) + plain(completed),
      )
      expect(run.chunks.every((piece) => piece.buffer === chunk.buffer)).toBe(true)
    },
  )

  it('leaves the comments and the id that stand in it', async () => {
    const run = await runStream([
      bytesOf(
        `${plain(added)}: alive\nid: 9\ndata: ${JSON.stringify(limits)}\n\n${plain(completed)}`,
      ),
    ])
    expect(Buffer.from(run.bytes).toString()).toBe(
      `${plain(added)}: alive\nid: 9\n\n${plain(completed)}`,
    )
  })

  it('takes the LF along that comes in the next chunk', async () => {
    const run = await runStream([
      bytesOf(plain(added) + plain(limits, '\r\n').slice(0, -1)),
      bytesOf(`\n${plain(completed)}`),
    ])
    expect(Buffer.from(run.bytes).toString()).toBe(plain(added) + plain(completed))
  })
})

describe('a keep-alive', () => {
  it('goes out at once, also without a blank line', async () => {
    const run = await runStream([
      bytesOf(plain(added)),
      bytesOf(': alive\n'),
      bytesOf(': ali'),
      bytesOf('ve\n'),
      bytesOf(plain(completed)),
    ])
    expect(run.chunks.map((chunk) => Buffer.from(chunk).toString())).toEqual([
      plain(added),
      ': alive\n',
      ': ali',
      've\n',
      plain(completed),
    ])
  })
})

describe('token counts the host cannot read', () => {
  it.each([{}, null, { input_tokens: 'many', output_tokens: 5 }, { input_tokens: 7 }, 3])(
    'are put right, because the host asks again without an end it can read: %j',
    async (counts) => {
      const run = await runStream([
        bytesOf(
          plain(added) +
            plain({ type: 'response.completed', response: { id: 'r', usage: counts } }),
        ),
      ])
      const last = outOf(run).at(-1) as unknown as { response: { usage: Record<string, unknown> } }
      expect([
        typeof last.response.usage['input_tokens'],
        typeof last.response.usage['output_tokens'],
      ]).toEqual(['number', 'number'])
    },
  )
})

describe('an end inside the last event', () => {
  it.each(['\n', '\r', '\r\n'])(
    'is no end for the standard, and none here (%j)',
    async (newline) => {
      const text = plain(added) + plain(completed, newline)
      const run = await runStream([bytesOf(text.slice(0, -newline.length))], 'eof')
      expect([outOf(run).map(({ type }) => type), run.ends.map((end) => end.kind)]).toEqual([
        ['response.output_item.added', 'error'],
        ['broken'],
      ])
    },
  )
})
