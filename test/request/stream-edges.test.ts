import { getEventListeners } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'

import { describe, expect, it, onTestFinished } from 'vitest'

import { openStream, type StreamEnd } from '../../lib/request/stream/stream.js'
import { CodexError } from '../../lib/kernel/errors.js'

const usage = {
  input_tokens: 7,
  input_tokens_details: { cached_tokens: 3 },
  output_tokens: 5,
  output_tokens_details: { reasoning_tokens: 2 },
}
const event = (type: string, fields: object = {}): string =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`
const created = event('response.created')
const added = event('response.output_item.added')
const delta = (text: string): string => event('response.output_text.delta', { delta: text })
const limits = event('codex.rate_limits', { rate_limits: { primary: { used_percent: 40 } } })
const completed = event('response.completed', { response: { id: 'r', output: [], usage } })
const failed = event('response.failed', {
  response: { error: { code: 'server_is_overloaded', message: 'busy' } },
})
const healthy = `${created}: keepalive\n\n${added}${delta('Grüße 🌍 "type":"response.completed"\n')}${completed}`
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
const splits = (text: string): Uint8Array[][] =>
  Array.from({ length: bytesOf(text).byteLength - 1 }, (_none, index) => [
    bytesOf(text).slice(0, index + 1),
    bytesOf(text).slice(index + 1),
  ])

/** A backend that hands out one chunk per read; `response.body` is its very stream, because identity is looked at. */
function backend(chunks: readonly (Uint8Array | string)[], then: 'eof' | 'hang' | 'error' = 'eof') {
  const state = { cancelled: 0, reads: 0 }
  const waiting = [...chunks]
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        state.reads += 1
        const chunk = waiting.shift()
        if (chunk !== undefined)
          controller.enqueue(typeof chunk === 'string' ? bytesOf(chunk) : chunk)
        else if (then === 'eof') controller.close()
        else if (then === 'error') controller.error(new TypeError('socket hang up'))
        else return new Promise<void>(() => undefined)
        return undefined
      },
      cancel() {
        state.cancelled += 1
      },
    },
    { highWaterMark: 0 },
  )
  return { response: { body } as Response, state }
}

async function open(response: Response, extra: { idleMs?: number; signal?: AbortSignal } = {}) {
  const signal = extra.signal ?? new AbortController().signal
  const ends: StreamEnd[] = []
  const heard: unknown[] = []
  const count = { firstOutput: 0, errors: 0 }
  const opened = await openStream(response, {
    idleMs: 0,
    ...extra,
    signal,
    observer: {
      onRateLimits: (seen) => heard.push(seen),
      onFirstOutput: () => (count.firstOutput += 1),
      onEnd: (end) => ends.push(end),
    },
    brokenError: (why) => {
      count.errors += 1
      return new CodexError('stream_broken', `The answer broke off: ${why}.`)
    },
    failedError: () => new CodexError('backend_failed', 'The backend gave up.'),
  })
  /** What still waits for an abort. */
  const listeners = (): number => getEventListeners(signal, 'abort').length
  return { opened, ends, heard, count, listeners }
}

async function body(response: Response, extra: { idleMs?: number; signal?: AbortSignal } = {}) {
  const result = await open(response, extra)
  if (result.opened.kind !== 'open') throw new Error(`not open: ${JSON.stringify(result.opened)}`)
  return { ...result, body: result.opened.body }
}

async function drain(stream: ReadableStream<Uint8Array>) {
  const reader = stream.getReader()
  const chunks: Uint8Array[] = []
  let error: Error | undefined
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read())
      chunks.push(read.value)
  } catch (thrown) {
    error = thrown as Error
  }
  return { chunks, text: Buffer.concat(chunks).toString(), error }
}

const tick = () => new Promise((resolve) => setImmediate(resolve))

describe('a healthy stream', () => {
  it.each([
    ['LF', '\n'],
    ['CRLF', '\r\n'],
  ])('has the same bytes wherever it is split in two, with %s', async (_name, newline) => {
    const text = healthy.replaceAll('\n', newline)
    for (const [index, parts] of splits(text).entries()) {
      const { body: stream, ends } = await body(backend(parts, 'hang').response)
      expect((await drain(stream)).text, `split at ${index + 1}`).toBe(text)
      expect(ends).toMatchObject([{ kind: 'completed', bytes: bytesOf(text).byteLength }])
    }
  })

  it('goes through one byte at a time', async () => {
    const { body: stream } = await body(
      backend(Array.from(bytesOf(healthy), (byte) => Uint8Array.of(byte))).response,
    )
    expect((await drain(stream)).text).toBe(healthy)
  })

  it('hands on the very chunks it got, from the first to the last', async () => {
    const chunks = [created, added, delta('a'), delta('b') + delta('c'), completed].map(bytesOf)
    const { body: stream } = await body(backend(chunks).response)
    const out = (await drain(stream)).chunks
    expect(out.map((chunk, index) => chunk === chunks[index])).toEqual(chunks.map(() => true))
  })

  it('hands on the very chunk when the text of one event spans several', async () => {
    const whole = bytesOf(delta('x'.repeat(3000)))
    const parts = [whole.slice(0, 1000), whole.slice(1000, 2000), whole.slice(2000)]
    const { body: stream } = await body(backend([added, ...parts, completed]).response)
    const out = (await drain(stream)).chunks
    expect(parts.map((part) => out.includes(part))).toEqual([true, true, true])
  })

  it('reads nothing behind the first output before the host asks', async () => {
    const { response, state } = backend([added, delta('a'), delta('b'), completed])
    const { body: stream } = await body(response)
    await tick()
    expect(state.reads).toBe(1)
    await stream.cancel()
  })

  it('drops what follows the terminal event and lets the caller go once', async () => {
    const { response, state } = backend([added, `${completed}data: [DONE]\n\n`], 'hang')
    const { body: stream, ends, count, listeners } = await body(response)
    expect((await drain(stream)).text).toBe(added + completed)
    expect([listeners(), state.cancelled, ends.length, count.firstOutput]).toEqual([0, 0, 1, 1])
  })

  it('tells of rate limits once each, wherever it is split', async () => {
    const text = created + limits + added + limits + completed
    const one: unknown = JSON.parse(limits.slice(limits.indexOf('{')))
    for (const [index, parts] of splits(text).entries()) {
      const { body: stream, heard } = await body(backend(parts).response)
      expect((await drain(stream)).text).toBe(created + added + completed)
      expect(heard, `split at ${index + 1}`).toEqual([one, one])
    }
  })

  it('finds the type behind other members and is not misled by the type of an item', async () => {
    const late = (type: string) =>
      `data: {"sequence_number":1,"item":{"type":"message"},"response":{"usage":${JSON.stringify(usage)}},"type":"${type}"}\n\n`
    const text = late('response.output_item.added') + delta('a') + late('response.completed')
    const { body: stream, ends } = await body(backend([text], 'hang').response)
    expect((await drain(stream)).text).toBe(text)
    expect(ends).toMatchObject([{ kind: 'completed', usage: { inputTokens: 7 } }])
  })

  it('does not count the time in which the host did not read as silence', async () => {
    const { body: stream, ends } = await body(backend([added, delta('a'), completed]).response, {
      idleMs: 20,
    })
    await new Promise((resolve) => setTimeout(resolve, 60))
    expect((await drain(stream)).text).toBe(added + delta('a') + completed)
    expect(ends[0]?.kind).toBe('completed')
  })
})

describe('a terminal event in another form', () => {
  it('renames response.done and touches no other byte, wherever it is split', async () => {
    const done = `event: response.done\r\nid: 9\r\ndata: {"type": "response.done", "response":{"x":1.0,"note":"ä response.done","usage":${JSON.stringify(usage)}}}\r\n\r\n`
    const wanted = done
      .replace('event: response.done', 'event: response.completed')
      .replace('"type": "response.done"', '"type": "response.completed"')
    for (const [index, parts] of splits(added + done).entries()) {
      const { body: stream, ends } = await body(backend(parts).response)
      expect((await drain(stream)).text, `split at ${index + 1}`).toBe(added + wanted)
      expect(ends).toMatchObject([{ kind: 'completed', usage: { outputTokens: 5 } }])
    }
  })

  it('counts as broken off when it is no JSON, because the host could not end on it', async () => {
    const { body: stream, ends } = await body(
      backend([added, 'data: {"type":"response.completed",oops\n\n']).response,
    )
    const { text, error } = await drain(stream)
    expect([
      error,
      text.startsWith(`${added}event: error\n`),
      text.includes('oops'),
      ends[0]?.kind,
    ]).toEqual([undefined, true, false, 'broken'])
  })
})

describe('before any output', () => {
  it('a failure ends the connection and lets the caller go', async () => {
    const { response, state } = backend([created, failed], 'hang')
    const { opened, listeners } = await open(response)
    expect(opened).toEqual({ kind: 'failed', event: JSON.parse(failed.slice(failed.indexOf('{'))) })
    expect([state.cancelled, listeners()]).toEqual([1, 0])
  })

  it('an answer without a body is broken and lets the caller go', async () => {
    const { opened, listeners } = await open({ body: null } as Response)
    expect([opened, listeners()]).toEqual([{ kind: 'broken', why: 'eof' }, 0])
  })

  it('opens when only the terminal event carries the output', async () => {
    const full = event('response.completed', { response: { output: [{ type: 'message' }], usage } })
    const { body: stream } = await body(backend([created + full]).response)
    expect((await drain(stream)).text).toBe(created + full)
  })

  it.each(['<html>\n\n<body>', '\n <!doctype html><p>', '{"detail":"no"}', '[1]', '\uFEFF{"a":1}'])(
    'does not wait for the end of %j to say that it is no event stream',
    async (text) => {
      const { response, state } = backend([text], 'hang')
      const { opened, listeners } = await open(response)
      expect([opened.kind, state.cancelled, listeners()]).toEqual(['not_sse', 1, 0])
    },
    2000,
  )

  it('an abort reaches the backend and rejects with its reason', async () => {
    const abort = new AbortController()
    const { response, state } = backend([created], 'hang')
    const opening = open(response, { signal: abort.signal })
    setImmediate(() => abort.abort(new Error('Esc')))
    await expect(opening).rejects.toThrow('Esc')
    expect([state.cancelled, getEventListeners(abort.signal, 'abort').length]).toEqual([1, 0])
  }, 2000)

  it('an abort that came earlier rejects as well', async () => {
    const { response, state } = backend([], 'hang')
    await expect(open(response, { signal: AbortSignal.abort(new Error('Esc')) })).rejects.toThrow(
      'Esc',
    )
    expect(state.cancelled).toBe(1)
  }, 2000)
})

describe('after output', () => {
  it('drops half an event that was not handed out yet and ends on an error event', async () => {
    const { body: stream } = await body(backend([added, completed.slice(0, -5)]).response)
    const { text, error } = await drain(stream)
    expect([error, text.startsWith(`${added}event: error\n`)]).toEqual([undefined, true])
  })

  it('never leaves the host without an end, wherever the line is cut', async () => {
    const from = bytesOf(healthy.slice(0, healthy.indexOf(added) + added.length)).byteLength
    for (const [part] of splits(healthy).slice(from - 1)) {
      const { body: stream, ends } = await body(backend([part!]).response)
      const { text, error } = await drain(stream)
      expect([
        error !== undefined || /\n\nevent: error\ndata: .*\n\n$/.test(text),
        ends.map((end) => end.kind),
      ]).toEqual([true, ['broken']])
    }
  })

  it('a cancel during a read resolves, reaches the backend and asks for no error', async () => {
    const { response, state } = backend([added], 'hang')
    const { body: stream, ends, count, listeners } = await body(response)
    const reader = stream.getReader()
    await reader.read()
    const pending = reader.read()
    await reader.cancel()
    expect((await pending).done).toBe(true)
    await tick()
    expect([state.cancelled, listeners(), count.errors, ends]).toEqual([
      1,
      0,
      0,
      [{ kind: 'cancelled', bytes: bytesOf(added).byteLength }],
    ])
  })

  it('an abort during a read reaches the backend and errors with its reason', async () => {
    const abort = new AbortController()
    const { response, state } = backend([added], 'hang')
    const { body: stream, ends, listeners } = await body(response, { signal: abort.signal })
    const reader = stream.getReader()
    await reader.read()
    const pending = reader.read()
    abort.abort(new Error('Esc'))
    await expect(pending).rejects.toThrow('Esc')
    expect([state.cancelled, listeners(), ends.map((end) => end.kind)]).toEqual([1, 0, ['aborted']])
  }, 2000)

  it('an abort reaches the backend although the host has stopped reading', async () => {
    const abort = new AbortController()
    const { response, state } = backend([added], 'hang')
    const { ends } = await body(response, { signal: abort.signal })
    abort.abort(new Error('Esc'))
    expect([state.cancelled, ends.map((end) => end.kind)]).toEqual([1, ['aborted']])
  })

  it('a cancel closes a real connection', async () => {
    const { url, requestClosed } = await listen()
    const response = await fetch(url)
    const { body: stream, ends } = await body(response)
    const reader = stream.getReader()
    await reader.read()
    await reader.cancel()
    expect([await requestClosed, ends.map((end) => end.kind)]).toEqual(['closed', ['cancelled']])
  })
})

/** A server whose answer begins and never ends. */
async function listen() {
  let onClosed: (how: 'closed') => void = () => undefined
  const requestClosed = new Promise<'closed'>((resolve) => (onClosed = resolve))
  const server = http.createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.once('close', () => onClosed('closed'))
    response.write(added)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requestClosed }
}
