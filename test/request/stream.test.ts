import http from 'node:http'
import type { AddressInfo } from 'node:net'

import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'

import {
  type Opened,
  openStream,
  type StreamEnd,
  type StreamOptions,
} from '../../lib/request/stream/stream.js'
import { CodexError } from '../../lib/kernel/errors.js'

const event = (type: string, fields: object = {}): string =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`
const USAGE = {
  input_tokens: 3,
  input_tokens_details: { cached_tokens: 1 },
  output_tokens: 2,
  output_tokens_details: { reasoning_tokens: 1 },
}
const PRELUDE =
  event('response.created', { response: {} }) + event('response.in_progress', { response: {} })
const TEXT =
  event('response.output_item.added', { item: { type: 'message' } }) +
  event('response.output_text.delta', { delta: 'Grüße 🎉' })
const COMPLETED = event('response.completed', { response: { id: 'r', usage: USAGE } })
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

interface Run {
  readonly opened: Opened
  readonly ends: StreamEnd[]
  readonly limits: unknown[]
  readonly cancelled: () => boolean
}

async function open(
  chunks: readonly Uint8Array[],
  options: Partial<StreamOptions> & { failure?: Error; hang?: boolean } = {},
): Promise<Run> {
  let cancelled = false
  let next = 0
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const chunk = chunks[next]
        next += 1
        if (chunk !== undefined) controller.enqueue(chunk)
        else if (options.failure !== undefined) controller.error(options.failure)
        else if (options.hang !== true) controller.close()
        else return new Promise(() => undefined)
        return undefined
      },
      cancel() {
        cancelled = true
      },
    },
    { highWaterMark: 0 },
  )
  const ends: StreamEnd[] = []
  const limits: unknown[] = []
  const opened = await openStream(new Response(body), {
    idleMs: 0,
    signal: new AbortController().signal,
    observer: {
      onEnd: (end) => void ends.push(end),
      onRateLimits: (limit) => void limits.push(limit),
    },
    brokenError: (why) => new CodexError('stream_broken', `The answer broke off (${why}).`),
    failedError: () => new CodexError('backend_failed', 'The backend failed.'),
    ...options,
  })
  return { opened, ends, limits, cancelled: () => cancelled }
}

async function read(opened: Opened): Promise<{ text: string; chunks: Uint8Array[] }> {
  if (opened.kind !== 'open') throw new Error(`not open: ${opened.kind}`)
  const chunks: Uint8Array[] = []
  for await (const chunk of opened.body) chunks.push(chunk)
  return { text: Buffer.concat(chunks).toString('utf8'), chunks }
}

describe('a healthy stream', () => {
  it('comes out byte for byte however it is cut into pieces', async () => {
    const whole = bytesOf(
      `: hello\n\n${PRELUDE}${TEXT}data: {"type":"response.odd"}\r\n\r\n${TEXT}${COMPLETED}`,
    )
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.integer({ min: 1, max: whole.length - 1 }), { maxLength: 12 }),
        async (cuts) => {
          const places = [0, ...cuts.sort((left, right) => left - right), whole.length]
          const pieces = places.slice(1).map((end, index) => whole.slice(places[index], end))
          const { opened, ends } = await open(pieces)
          expect((await read(opened)).text).toBe(new TextDecoder().decode(whole))
          expect(ends).toMatchObject([
            {
              kind: 'completed',
              usage: { inputTokens: 3, cachedTokens: 1, outputTokens: 2, reasoningTokens: 1 },
            },
          ])
        },
      ),
    )
  })

  it('hands on the very chunks of the backend once output runs', async () => {
    const steady = [
      TEXT,
      event('response.output_text.delta', { delta: 'a' }),
      event('response.output_text.delta', { delta: 'b' }),
    ].map(bytesOf)
    const { opened } = await open([...steady, bytesOf(COMPLETED)])
    const { chunks } = await read(opened)
    expect(chunks.slice(1, 3).map((chunk, index) => chunk === steady[index + 1])).toEqual([
      true,
      true,
    ])
  })

  it('ends at the terminal event without waiting for the backend to hang up', async () => {
    const { opened } = await open([bytesOf(PRELUDE + TEXT + COMPLETED)], { hang: true })
    expect((await read(opened)).text.endsWith(COMPLETED)).toBe(true)
  })

  it('passes events on that are not JSON or not known', async () => {
    const odd = 'event: x\ndata: <<<\n\ndata: [1]\n\ndata: {"type":"vendor.unheard"}\n\n'
    const { opened } = await open([bytesOf(TEXT + odd + COMPLETED)])
    expect((await read(opened)).text).toBe(TEXT + odd + COMPLETED)
  })

  it('tells what it says about limits and keeps that from the host: the openai SDK throws on a type it does not know', async () => {
    const limits = event('codex.rate_limits', { rate_limits: { primary: { used_percent: 4 } } })
    const { opened, limits: seen } = await open([
      bytesOf(PRELUDE + limits + TEXT + limits + COMPLETED),
    ])
    expect((await read(opened)).text).toBe(PRELUDE + TEXT + COMPLETED)
    expect(seen).toHaveLength(2)
  })
})

describe('a terminal event in a form the host does not end on', () => {
  it.each([
    ['response.done', event('response.done', { response: { usage: USAGE } })],
    ['no token counts', event('response.completed', { response: { id: 'r', usage: null } })],
  ])('is put right: %s', async (_name, terminal) => {
    const { opened } = await open([bytesOf(TEXT + terminal)])
    const { text } = await read(opened)
    const last = JSON.parse(text.slice(text.lastIndexOf('data: ') + 6))
    expect(last).toMatchObject({
      type: 'response.completed',
      response: { usage: { input_tokens: expect.any(Number), output_tokens: expect.any(Number) } },
    })
    expect(text).toContain('event: response.completed\n')
  })
})

describe('before any output', () => {
  it.each([
    [
      'response.failed',
      event('response.failed', { response: { error: { code: 'server_error' } } }),
    ],
    ['error', event('error', { code: 'rate_limit_exceeded' })],
  ])(
    'a failure by %s is handed to the caller, who may try somebody else',
    async (_name, failure) => {
      const { opened, ends } = await open([bytesOf(PRELUDE + failure)])
      expect(opened.kind).toBe('failed')
      expect(ends).toEqual([])
    },
  )

  it('an end without a terminal event, a network failure and silence are told apart', async () => {
    expect((await open([bytesOf(PRELUDE)])).opened).toMatchObject({ kind: 'broken', why: 'eof' })
    expect(
      (await open([bytesOf(PRELUDE)], { failure: new Error('ECONNRESET') })).opened,
    ).toMatchObject({ kind: 'broken', why: 'network' })
    expect((await open([bytesOf(PRELUDE)], { hang: true, idleMs: 30 })).opened).toMatchObject({
      kind: 'broken',
      why: 'idle',
    })
  })

  it('a completed answer without output is empty', async () => {
    expect((await open([bytesOf(PRELUDE + COMPLETED)])).opened.kind).toBe('empty')
  })

  it.each(['<!doctype html><title>Sign in</title>', '{"detail":"nope"}', '\n\n  <html>'])(
    '%j is no event stream',
    async (text) => {
      expect((await open([bytesOf(text)])).opened.kind).toBe('not_sse')
    },
  )
})

describe('after output has begun', () => {
  it.each([
    [
      'a failure event',
      [TEXT, event('response.failed', { response: { error: { code: 'x' } } })],
      {},
      'failed',
    ],
    ['an end without a terminal event', [TEXT], {}, 'broken'],
    ['a network failure', [TEXT], { failure: new Error('reset') }, 'broken'],
    ['silence', [TEXT], { hang: true, idleMs: 30 }, 'idle'],
  ] as const)('%s ends the stream with one error event', async (_name, texts, options, kind) => {
    const { opened, ends } = await open(texts.map(bytesOf), options)
    const { text } = await read(opened)
    expect(text.startsWith(TEXT)).toBe(true)
    expect(text.slice(TEXT.length)).toMatch(/^event: error\ndata: \{"type":"error".*\}\n\n$/)
    expect(ends).toMatchObject([{ kind }])
  })

  it('an end inside an event breaks the stream off, because no event could follow', async () => {
    const { opened } = await open([
      bytesOf(`${TEXT}data: {"type":"response.output_text.delta","delta":"hal`),
    ])
    await expect(read(opened)).rejects.toThrow('broke off')
  })

  it('the host that stops reading stops the backend', async () => {
    const { opened, cancelled, ends } = await open([bytesOf(TEXT)], { hang: true })
    if (opened.kind !== 'open') throw new Error('not open')
    const reader = opened.body.getReader()
    await reader.read()
    await reader.cancel()
    expect(cancelled()).toBe(true)
    expect(ends).toMatchObject([{ kind: 'cancelled' }])
  })
})

describe('over a real connection', () => {
  it('an abort by the host closes the connection to the backend', async () => {
    let closed = false
    const server = http.createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(TEXT)
      response.once('close', () => {
        closed = true
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => server.closeAllConnections())
    const abort = new AbortController()
    const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, {
      signal: abort.signal,
    })
    const ends: StreamEnd[] = []
    const opened = await openStream(response, {
      idleMs: 0,
      signal: abort.signal,
      observer: { onEnd: (end) => void ends.push(end) },
      brokenError: () => new CodexError('stream_broken', 'x'),
      failedError: () => new CodexError('backend_failed', 'x'),
    })
    if (opened.kind !== 'open') throw new Error('not open')
    const reader = opened.body.getReader()
    await reader.read()
    abort.abort()
    await expect(reader.read()).rejects.toMatchObject({ name: 'AbortError' })
    await expect.poll(() => closed).toBe(true)
    expect(ends).toMatchObject([{ kind: 'aborted' }])
  })
})
