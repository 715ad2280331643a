import { describe, expect, it } from 'vitest'

import { aggregate } from '../../lib/request/stream/aggregate.js'
import { errorEventBytes, streamError } from '../../lib/request/failures/host-error.js'
import { CodexError } from '../../lib/kernel/errors.js'

const event = (type: string, fields: object = {}): string =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`
const item = (text: string, index?: number): string =>
  event('response.output_item.done', {
    item: { type: 'message', text },
    ...(index === undefined ? {} : { output_index: index }),
  })
const completed = event('response.completed', {
  response: { id: 'r', output: [], usage: { input_tokens: 1 } },
})

function stream(
  parts: readonly (string | Uint8Array)[],
  error?: Error,
): ReadableStream<Uint8Array> {
  const waiting = [...parts]
  return new ReadableStream({
    pull(controller) {
      const part = waiting.shift()
      if (part !== undefined)
        controller.enqueue(typeof part === 'string' ? new TextEncoder().encode(part) : part)
      else if (error !== undefined) controller.error(error)
      else controller.close()
    },
  })
}

async function answer(parts: readonly (string | Uint8Array)[], error?: Error) {
  const response = await aggregate(stream(parts, error))
  return { status: response.status, body: JSON.parse(await response.text()) }
}

describe('aggregate', () => {
  it('rebuilds an empty output from the finished items, in the order of their places', async () => {
    expect(await answer([item('b', 1), item('a', 0), completed])).toEqual({
      status: 200,
      body: {
        id: 'r',
        usage: { input_tokens: 1 },
        output: [
          { type: 'message', text: 'a' },
          { type: 'message', text: 'b' },
        ],
      },
    })
  })

  it('keeps the output of the terminal event when it has one', async () => {
    const full = event('response.completed', {
      response: { output: [{ type: 'message', text: 'whole' }] },
    })
    expect((await answer([item('a', 0), full])).body.output).toEqual([
      { type: 'message', text: 'whole' },
    ])
  })

  it('gives back an incomplete answer as it is', async () => {
    const incomplete = event('response.incomplete', {
      response: { status: 'incomplete', output: [] },
    })
    expect((await answer([item('a'), incomplete])).body).toEqual({
      status: 'incomplete',
      output: [{ type: 'message', text: 'a' }],
    })
  })

  it('reads text whose characters are split over chunks', async () => {
    const bytes = new TextEncoder().encode(item('Grüße 🌍', 0) + completed)
    const single = Array.from(bytes, (byte) => Uint8Array.of(byte))
    expect((await answer(single)).body.output).toEqual([{ type: 'message', text: 'Grüße 🌍' }])
  })

  it('is not slowed down or misled by an absurd place', async () => {
    const { body } = await answer([item('a', 4e9), item('b', -1), item('c', 0.5), completed])
    expect(body.output).toEqual(['a', 'b', 'c'].map((text) => ({ type: 'message', text })))
  })

  it('answers with the error the stream ended on, under its own code and status', async () => {
    const { status, body } = await answer([
      item('a'),
      errorEventBytes(new CodexError('context_too_long', 'Too long.')),
    ])
    expect([status, body.error.code]).toEqual([413, 'context_length_exceeded'])
    expect(body.error.message).toContain('Too long.')
  })

  it('answers with the error the stream was broken off with', async () => {
    const { status, body } = await answer(
      [item('a')],
      streamError(new CodexError('backend_unreachable', 'No connection.')),
    )
    expect([status, body.error.code]).toEqual([403, 'backend_unreachable'])
  })

  it('rejects with the reason of an abort', async () => {
    await expect(
      aggregate(stream([item('a')], new DOMException('Esc', 'AbortError'))),
    ).rejects.toMatchObject({ name: 'AbortError' })
  })

  it('calls a stream without a terminal event broken', async () => {
    const { status, body } = await answer([item('a'), 'data: {oops\n\n'])
    expect([status, body.error.code]).toEqual([403, 'stream_broken'])
  })

  it('refuses an answer that is too long for one piece', async () => {
    const chunk = new Uint8Array(8 * 1024 * 1024).fill(58)
    const { status, body } = await answer([
      chunk,
      '\n',
      chunk,
      '\n',
      chunk,
      '\n',
      chunk,
      '\n',
      chunk,
    ])
    expect([status, body.error.code]).toEqual([403, 'stream_broken'])
  })
})
