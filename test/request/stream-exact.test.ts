import { createHook } from 'node:async_hooks'

import { createParser } from 'eventsource-parser'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'

import { CodexError } from '../../lib/kernel/errors.js'
import { isSuspect, roleOf } from '../../lib/request/stream/heads.js'
import { openStream, type StreamEnd } from '../../lib/request/stream/stream.js'
import { piecesOf, runStream } from '../support/event-stream.js'

type Data = Readonly<Record<string, unknown>> & { readonly type?: string }

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
const usage = { input_tokens: 7, output_tokens: 5 }
const added = { type: 'response.output_item.added', item: { type: 'message', content: [] } }
const delta = (text: string): Data => ({ type: 'response.output_text.delta', delta: text })
const plain = (data: Data, newline = '\n'): string =>
  `event: ${data.type ?? ''}${newline}data: ${JSON.stringify(data)}${newline}${newline}`

/** What the backend ends with, all in a form the host ends on. */
const ENDS: readonly Data[] = [
  { type: 'response.completed', response: { id: 'r', output: [{ type: 'error' }], usage } },
  { type: 'response.incomplete', response: { id: 'r', output: [], usage } },
  { type: 'response.failed', response: { error: { type: 'x', code: 'server_is_overloaded' } } },
  { type: 'error', error: { type: 'response.output_text.delta', code: 'busy' } },
]

/** Words that look like what the scan looks for. */
const WORDS = [
  '"type":"response.completed"',
  '{"type":"codex.rate_limits"}',
  'data: {"type":"error"}\n\n',
  'type',
  'y',
  '\\u0074ype',
  '\u0001',
  '\n\n',
  '\r',
  'Grüße 🌍',
  ':',
]
const text = fc
  .array(fc.oneof(fc.constantFrom(...WORDS), fc.string({ unit: 'binary' })), { maxLength: 5 })
  .map((words) => words.join(''))
/** Types of what is within an event: of items and parts, and of things that would matter were they events. */
const INNER = [
  'message',
  'reasoning',
  'function_call',
  'custom_tool_call',
  'computer_call',
  'output_text',
  'error',
  'response.completed',
  'response.failed',
  'codex.rate_limits',
]

const event: fc.Arbitrary<Data> = fc.oneof(
  { weight: 4, arbitrary: text.map(delta) },
  fc.integer({ min: 0, max: 99 }).map((used) => ({
    type: 'codex.rate_limits',
    rate_limits: { primary: { used_percent: used } },
  })),
  fc.constantFrom<Data>(
    { type: 'response.metadata', headers: {} },
    { type: 'codex.other' },
    { type: 'vendor.unheard' },
    { type: 'response.in_progress' },
    { type: 'response.content_part.added', part: { type: 'output_text' } },
    { no: 'type' },
  ),
  fc.tuple(fc.constantFrom(...INNER), text).map(([type, content]) => ({
    type: 'response.output_item.done',
    item: { type, content },
  })),
)

/** Ways to write an event down that all say the same; each is told by its first bytes or waited for. */
const FORMS: readonly ((data: Data) => string)[] = [
  plain,
  (data) => plain(data, '\r\n'),
  (data) => plain(data, '\r'),
  (data) => `data: ${JSON.stringify(data)}\n\n`,
  (data) => `data: ${JSON.stringify(data).replaceAll('":', '": ')}\n\n`,
  ({ type, ...rest }) =>
    `data: ${JSON.stringify({ ...rest, ...(type === undefined ? {} : { type }) })}\n\n`,
  (data) =>
    `${JSON.stringify(data, undefined, 1)
      .split('\n')
      .map((line) => `data: ${line}\n`)
      .join('')}\n`,
]

/** What an exact parser finds in the stream, up to its end. */
function reference(stream: string): readonly Data[] {
  const found: Data[] = []
  const parser = createParser({ onEvent: ({ data }) => found.push(JSON.parse(data) as Data) })
  parser.feed(stream)
  const end = found.findIndex(({ type }) => roleOf(type) === 'read')
  return found.slice(0, end + 1)
}

/** The bytes in pieces of these sizes, over and over. */
function cut(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const pieces: Uint8Array[] = []
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length]!
    pieces.push(bytes.slice(at, at + size))
    at += size
  }
  return pieces
}

describe('whatever a stream is made of and however it is cut', () => {
  it('every event that matters is found, and the host gets the bytes of all others', async () => {
    const form = fc.record({
      write: fc.constantFrom(...FORMS),
      comment: fc.constantFrom('', '', ': alive\n\n', ': alive\r\n'),
    })
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(event, form), { maxLength: 25 }),
        fc.tuple(fc.constantFrom(...ENDS), form),
        fc.option(fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1 })),
        async (middle, end, sizes) => {
          const parts = [...middle, end].map(([data, { write, comment }]) => ({
            comment,
            text: write(data),
            isTaken: roleOf(data.type) === 'taken',
          }))
          const behind = plain(delta('too late'))
          const texts = [plain(added), ...parts.map((one) => one.comment + one.text), behind]
          const chunks = sizes === null ? texts.map(bytesOf) : cut(bytesOf(texts.join('')), sizes)
          const run = await runStream(chunks)

          const [last] = end
          const known = reference(texts.join(''))
          expect(known.at(-1)).toEqual(last)
          const isFailure = last.type === 'error' || last.type === 'response.failed'
          expect(run.limits).toEqual(known.filter(({ type }) => type === 'codex.rate_limits'))
          expect(run.failures).toEqual(isFailure ? [last] : [])
          expect(run.ends.map(({ kind }) => kind)).toEqual([
            isFailure ? 'failed' : last.type?.replace('response.', ''),
          ])
          const handed = parts.map((one, index) =>
            one.isTaken || (isFailure && index === parts.length - 1)
              ? one.comment
              : one.comment + one.text,
          )
          const wanted = plain(added) + handed.join('')
          const out = Buffer.from(run.bytes).toString()
          if (isFailure) {
            expect(out.slice(0, wanted.length)).toBe(wanted)
            expect(out.slice(wanted.length)).toMatch(/^event: error\ndata: .*\n\n$/)
            // Parsers wait behind a CR for the LF that may belong to it.
          } else expect(out).toBe(wanted.endsWith('\r') ? `${wanted}\n` : wanted)
        },
      ),
      { numRuns: 600 },
    )
  }, 60_000)

  it('an event that has to be read is never taken for one that may pass', () => {
    const letter = fc
      .tuple(fc.boolean(), fc.boolean())
      .map(([isEscaped, isUpper]) => (char: string) => {
        const code = char.charCodeAt(0).toString(16).padStart(4, '0')
        return isEscaped ? `\\u${isUpper ? code.toUpperCase() : code}` : char
      })
    const blank = fc.constantFrom('', '', ' ', '\t', '\n')
    const matters = fc.oneof(
      fc.constantFrom(
        'response.completed',
        'response.done',
        'response.incomplete',
        'response.failed',
        'response.metadata',
        'error',
      ),
      fc.stringMatching(/^[a-z_]{0,9}$/).map((name) => `codex.${name}`),
    )
    fc.assert(
      fc.property(
        matters,
        fc.array(
          fc.tuple(
            fc.constantFrom('a', 'type', 'item'),
            fc.constantFrom<unknown>('response.output_text.delta', 1, { type: 'message' }, 'yyy'),
          ),
          { maxLength: 4 },
        ),
        fc.array(letter, { minLength: 1 }),
        blank,
        blank,
        (type, others, letters, before, behind) => {
          const spelled = (word: string): string =>
            JSON.stringify(word)
              .slice(1, -1)
              .replace(/[a-z.]/g, (char) => letters[char.charCodeAt(0) % letters.length]!(char))
          const members = others.map(
            ([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)},`,
          )
          const json = `{${members.join('')}"${spelled('type')}"${before}:${behind}"${spelled(type)}"}`
          expect(JSON.parse(json)).toMatchObject({ type })
          const lines = json.split('\n').map((line) => `data: ${line}\n`)
          expect(isSuspect(bytesOf(`${lines.join('')}\n`))).toBe(true)
        },
      ),
      { numRuns: 2000 },
    )
  })
})

const completed = ENDS[0]!

/** A backend that sends a chunk per read and then waits, beside what becomes of it. */
function backend(chunks: readonly Uint8Array[]) {
  const state = { reads: 0, cancelled: 0 }
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const chunk = chunks[state.reads]
        state.reads += 1
        if (chunk === undefined) return new Promise<void>(() => undefined)
        controller.enqueue(chunk)
        return undefined
      },
      cancel() {
        state.cancelled += 1
      },
    },
    { highWaterMark: 0 },
  )
  return { body, state }
}

async function open(
  chunks: readonly Uint8Array[],
  options: { signal?: AbortSignal; idleMs?: number } = {},
) {
  const { body, state } = backend(chunks)
  const ends: StreamEnd[] = []
  const opened = await openStream({ body } as Response, {
    idleMs: 0,
    signal: new AbortController().signal,
    ...options,
    observer: { onEnd: (end) => ends.push(end) },
    brokenError: (why) => new CodexError('stream_broken', `The answer broke off: ${why}.`),
    failedError: () => new CodexError('backend_failed', 'The backend gave up.'),
  })
  if (opened.kind !== 'open') throw new Error(`not open: ${opened.kind}`)
  return { body: opened.body, reader: opened.body.getReader(), state, ends }
}

const settled = () => new Promise((resolve) => setImmediate(resolve))

describe('the cost of an answer', () => {
  it('is the parsing of its last event: none that passes is parsed, whatever is in it', async () => {
    const usual = [
      delta('"type":"response.completed" ypsilon'),
      { type: 'response.reasoning_summary_text.delta', delta: 'x' },
      { type: 'response.function_call_arguments.delta', delta: '{"type":"error"}' },
      { type: 'response.custom_tool_call_input.delta', delta: 'y' },
      { type: 'response.content_part.added', part: { type: 'output_text' } },
      { type: 'response.output_item.done', item: { type: 'reasoning', summary: [] } },
      {
        type: 'response.output_item.done',
        item: { type: 'message', content: [{ type: 'output_text' }] },
      },
      { type: 'response.output_item.done', item: { type: 'function_call', arguments: '{}' } },
    ].map((data) => plain(data))
    const created = {
      type: 'response.created',
      response: { instructions: 'é \u001b "', tools: [{ type: 'function' }] },
    }
    const whole = bytesOf(
      plain(created) + plain(added) + usual.join('').repeat(50) + plain(completed),
    )
    const parsed = vi.spyOn(JSON, 'parse')
    try {
      for (const size of [40, 333, 1400, 16 * 1024]) {
        parsed.mockClear()
        const { reader } = await open([...piecesOf(whole, size)])
        while (!(await reader.read()).done);
        expect(parsed.mock.calls.length, `pieces of ${size}`).toBe(1)
      }
    } finally {
      parsed.mockRestore()
    }
  })

  it('is few promises for a chunk beside those of a reader alone', async () => {
    const chunks = 1000
    const sent = [plain(added), ...Array.from({ length: chunks }, () => plain(delta('a')))].map(
      bytesOf,
    )
    const counted = async (reader: ReadableStreamDefaultReader<Uint8Array>): Promise<number> => {
      let count = 0
      const hook = createHook({
        init(_id, type) {
          if (type === 'PROMISE') count += 1
        },
      }).enable()
      for (let index = 0; index < sent.length; index += 1) await reader.read()
      hook.disable()
      return count / chunks
    }
    const alone = await counted(backend(sent).body.getReader())
    const ours = await counted((await open(sent)).reader)
    // Its read, and waiting for it.
    expect(ours - alone).toBeLessThan(2.5)
  })
})

describe('the host that reads slowly', () => {
  it('is waited for: no more than one chunk is read ahead of it', async () => {
    const { reader, state } = await open(
      [plain(added), ...Array.from({ length: 20 }, () => plain(delta('a')))].map(bytesOf),
    )
    await settled()
    expect(state.reads).toBe(1)
    for (let read = 1; read <= 10; read += 1) {
      await reader.read()
      await settled()
      expect([read, read + 1]).toContain(state.reads)
    }
  })
})

describe('an event that is held until it is whole', () => {
  const half = bytesOf(plain(completed).slice(0, -9))

  it('is dropped when the host aborts meanwhile, and the host learns why', async () => {
    const abort = new AbortController()
    const { reader, state, ends } = await open([bytesOf(plain(added)), half], {
      signal: abort.signal,
    })
    await reader.read()
    const pending = reader.read()
    await settled()
    abort.abort(new Error('Esc'))
    await expect(pending).rejects.toThrow('Esc')
    expect([state.cancelled, ends]).toEqual([
      1,
      [{ kind: 'aborted', bytes: bytesOf(plain(added)).length }],
    ])
  })

  it('is dropped when the host stops reading meanwhile', async () => {
    const { reader, state, ends } = await open([bytesOf(plain(added)), half])
    await reader.read()
    const pending = reader.read()
    await settled()
    await reader.cancel()
    expect([(await pending).done, state.cancelled, ends]).toEqual([
      true,
      1,
      [{ kind: 'cancelled', bytes: bytesOf(plain(added)).length }],
    ])
  })

  it('takes the LF of its last line end along when it was taken out, also in front of a chunk that passes', async () => {
    const limits = { type: 'codex.rate_limits', rate_limits: {} }
    const run = await runStream(
      [
        plain(added) + plain(limits, '\r\n').slice(0, -1),
        `\n${plain(delta('a'))}`,
        plain(completed),
      ].map(bytesOf),
    )
    expect(Buffer.from(run.bytes).toString()).toBe(
      plain(added) + plain(delta('a')) + plain(completed),
    )
  })
})

describe('silence', () => {
  it('is counted anew with each chunk, and from when the backend is asked', async () => {
    const { reader, ends } = await open(
      [plain(added), plain(delta('a')), plain(delta('b'))].map(bytesOf),
      { idleMs: 80 },
    )
    for (let read = 0; read < 3; read += 1) {
      await new Promise((resolve) => setTimeout(resolve, 60))
      await reader.read()
      expect(ends).toEqual([])
    }
    const last = await reader.read()
    expect([Buffer.from(last.value!).toString(), ends.map(({ kind }) => kind)]).toEqual([
      expect.stringMatching(/^event: error\ndata: .*idle/),
      ['idle'],
    ])
  })
})
