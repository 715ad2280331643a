import { describe, expect, it } from 'vitest'

import { aggregate } from '../../lib/request/stream/aggregate.js'
import { errorOf } from '../../lib/request/failures/failures.js'
import { errorEventBytes } from '../../lib/request/failures/host-error.js'
import { cutText } from '../../lib/request/failures/host-text.js'
import { shortened } from '../../lib/request/stream/events.js'
import { HeldBytes } from '../../lib/request/stream/held.js'
import { MAX_HELD_BYTES, StreamScan, TOO_LONG } from '../../lib/request/stream/scan.js'
import { CodexError } from '../../lib/kernel/errors.js'
import { redactText } from '../../lib/kernel/text/redact.js'
import { piecesOf, runStream } from '../support/event-stream.js'

const MB = 1024 * 1024
const event = (type: string, fields: object = {}): string =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`
const added = event('response.output_item.added')
const completed = event('response.completed', {
  response: { usage: { input_tokens: 1, output_tokens: 1 } },
})
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
const large = (bytes: number): string =>
  event('response.completed', {
    response: {
      usage: { input_tokens: 1, output_tokens: 1 },
      output: [{ text: 'x'.repeat(bytes) }],
    },
  })

/** Pieces of an event that never ends, as many as are asked for. */
function* endless(start: string, piece: number): Generator<Uint8Array> {
  yield bytesOf(start)
  for (;;) yield new Uint8Array(piece).fill(120)
}

describe('the cost of a large event', () => {
  // Joining what is held with each new piece took 29 s for 8 MB.
  it.each([
    ['one that ends the answer', large],
    [
      'one that goes out as it comes',
      (bytes: number) => event('response.output_text.delta', { delta: 'x'.repeat(bytes) }),
    ],
    [
      'one of an unknown form',
      (bytes: number) =>
        `data:{"n":{},"type":"response.output_text.delta","delta":"${'x'.repeat(bytes)}"}\n\n`,
    ],
  ])(
    'grows with its size and no faster: %s',
    (_name, make) => {
      const cost = (size: number, piece: number): number => {
        const pieces = [...piecesOf(bytesOf(added + make(size)), piece)]
        const before = process.cpuUsage()
        const scan = new StreamScan()
        for (const chunk of pieces) {
          scan.push(chunk)
          while (scan.next().kind !== 'more');
        }
        const { user, system } = process.cpuUsage(before)
        return (user + system) / 1000
      }
      const best = (size: number, piece: number): number =>
        Math.min(...[1, 2, 3].map(() => cost(size, piece)))
      // 16 times the size: 16 times the cost, where the square of it would be 256 times.
      for (const piece of [1400, 16 * 1024])
        expect(best(8 * MB, piece)).toBeLessThan(100 * Math.max(2, best(MB / 2, piece)))
    },
    60_000,
  )

  it('is read byte by byte without a list of single bytes: their number, not their size, would fill the memory', () => {
    const held = new HeldBytes()
    for (let index = 0; index < MB; index += 1) held.add(Uint8Array.of(120))
    expect([held.byteLength, held.takePieces().length < 300]).toEqual([MB, true])
  })

  it('a large delta goes out as it comes, without waiting for its end', async () => {
    const parts = [
      bytesOf(
        'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","delta":"',
      ),
      ...piecesOf(bytesOf('x'.repeat(MB)), 16 * 1024),
      bytesOf('"}\n\n'),
    ]
    const run = await runStream([bytesOf(added), ...parts, bytesOf(completed)])
    expect(parts.every((part) => run.chunks.includes(part))).toBe(true)
  })

  it.each([1400, 16 * 1024])(
    'does not hide what it is: the second type of a large event counts, in pieces of %i bytes',
    async (size) => {
      const claims = (type: string, rest: string): string =>
        `data: {"type":"response.output_text.delta","delta":"${'x'.repeat(MB)}","type":"${type}",${rest}}\n\n`
      const text =
        claims('codex.rate_limits', '"n":1') +
        claims('response.completed', '"response":{"usage":{"input_tokens":1,"output_tokens":1}}')
      const run = await runStream(piecesOf(bytesOf(added + text), size))
      expect([run.limits.length, run.ends.map(({ kind }) => kind)]).toEqual([1, ['completed']])
    },
  )

  it('an 8 MB terminal event comes out whole', async () => {
    const text = large(8 * MB)
    const run = await runStream(piecesOf(bytesOf(added + text), 1400))
    expect([Buffer.from(run.bytes).equals(bytesOf(added + text)), run.ends[0]?.kind]).toEqual([
      true,
      'completed',
    ])
  }, 30_000)
})

describe('an event without an end', () => {
  it.each([
    ['an event that ends the answer', 'data: {"type":"response.completed","x":"'],
    ['an unknown form', 'data:\ndata:{"'],
    ['limits', 'data: {"type":"codex.rate_limits","x":"'],
  ])(
    'is not held beyond 32 MB before output and counts as a broken endpoint: %s',
    async (_name, start) => {
      const run = await runStream(endless(event('response.created') + start, 64 * 1024))
      expect([run.kind, run.why]).toEqual(['broken', 'too_long'])
      expect(run.reads).toBeLessThan(MAX_HELD_BYTES / (64 * 1024) + 10)
    },
    30_000,
  )

  it('is not held beyond 32 MB after output and ends the stream with one error event', async () => {
    const run = await runStream(
      endless(`${added}data: {"type":"response.completed","x":"`, 64 * 1024),
    )
    expect([
      run.error,
      run.ends.map(({ kind }) => kind),
      run.events.map(({ event: name }) => name),
    ]).toEqual([undefined, ['broken'], ['response.output_item.added', 'error']])
    expect(run.events[1]?.data).toContain('too_long')
  }, 30_000)

  it('is told to the user in one sentence that says what was sent', () => {
    const error = errorOf(
      { kind: 'stream_broken', message: TOO_LONG },
      { label: 'Account 1', nowMs: 0 },
    )
    expect([error.code, error.message]).toEqual([
      'stream_broken',
      'The backend sent an event of more than 32 MB, so its answer was stopped.',
    ])
  })

  it('nor are many events without any output', async () => {
    const chunk = bytesOf(event('response.in_progress', { x: 'x'.repeat(64 * 1024) }))
    const run = await runStream(
      (function* () {
        for (;;) yield chunk
      })(),
    )
    expect([run.kind, run.why, run.reads < 600]).toEqual(['broken', 'too_long', true])
  }, 30_000)
})

describe('the text of an error inside a stream', () => {
  const long = {
    type: 'response.failed',
    response: {
      error: { code: 'server_error', message: `busy ${'a '.repeat(4 * MB)}` },
      instructions: ['x'.repeat(MB)],
    },
  }

  it.each(['before output', 'after output'])(
    'is cut before anything cleans it (%s)',
    async (when) => {
      const run = await runStream(
        piecesOf(
          bytesOf((when === 'before output' ? '' : added) + event(long.type, long)),
          64 * 1024,
        ),
      )
      expect(run.kind).toBe(when === 'before output' ? 'failed' : 'open')
      expect(run.failures.map((seen) => JSON.stringify(seen).length < 4096)).toEqual([true])
    },
    30_000,
  )

  it('keeps what the judgement needs', () => {
    expect(shortened(long)).toMatchObject({
      type: 'response.failed',
      response: {
        error: { code: 'server_error', message: expect.stringMatching(/^busy a a .{900,1000}…$/) },
      },
    })
    const usual = {
      type: 'error',
      status: 429,
      headers: { 'retry-after': '3' },
      error: { code: 'x', message: 'y', resets_at: 7, param: null },
    }
    expect(shortened(usual)).toEqual(usual)
  })

  it('never ends in half a token, which would no longer be known as one', () => {
    const token = `eyJ${'h'.repeat(40)}.eyJ${'p'.repeat(900)}.${'s'.repeat(200)}`
    expect(redactText(cutText(`refused: ${token} and more ${'.'.repeat(99)}`))).toBe('refused: …')
    expect(cutText('short')).toBe('short')
  })

  it('is bounded in our own error event', () => {
    const bytes = errorEventBytes(new CodexError('backend_failed', 'x'.repeat(MB)))
    expect(bytes.byteLength).toBeLessThan(4096)
  })
})

describe('an answer in one piece', () => {
  const stream = (chunks: Iterable<Uint8Array>): ReadableStream<Uint8Array> => {
    const iterator = chunks[Symbol.iterator]()
    return new ReadableStream({
      pull(controller) {
        const { done, value } = iterator.next()
        if (done === true) controller.close()
        else controller.enqueue(value)
      },
    })
  }

  it.each([
    ['CR alone', (text: string) => text.replaceAll('\n', '\r')],
    ['CR LF', (text: string) => text.replaceAll('\n', '\r\n')],
    ['a BOM', (text: string) => `\uFEFF${text}`],
    ['data over several lines', (text: string) => text.replaceAll(',"', ',\ndata: "')],
  ])('is put together from every form: %s', async (_name, form) => {
    const text = form(
      event('response.output_item.done', { item: { type: 'message', text: 'a' } }) +
        event('response.completed', { response: { id: 'r', output: [] } }),
    )
    for (const size of [1, 3, 1000]) {
      const response = await aggregate(stream(piecesOf(bytesOf(text), size)))
      expect([response.status, await response.json()]).toEqual([
        200,
        { id: 'r', output: [{ type: 'message', text: 'a' }] },
      ])
    }
  })

  it('is refused when it has no end, and read no further', async () => {
    let reads = 0
    const response = await aggregate(
      stream(
        (function* () {
          for (;;) {
            reads += 1
            yield new Uint8Array(MB).fill(120)
          }
        })(),
      ),
    )
    expect([response.status, reads <= 34]).toEqual([403, true])
  }, 30_000)
})
