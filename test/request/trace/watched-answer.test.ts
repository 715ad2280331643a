import fc from 'fast-check'
import { expect, it } from 'vitest'

import { EventCount, type EventRun } from '../../../lib/request/trace/event-count.js'
import { watchAnswer } from '../../../lib/request/trace/watched-answer.js'

const event = fc
  .tuple(
    fc.constantFrom('response.created', 'response.output_text.delta', 'codex.rate_limits', 'error'),
    fc.boolean(),
    fc.string({ maxLength: 400 }),
    fc.constantFrom('\n', '\r\n'),
  )
  .map(([type, isNamed, text, end]) => ({
    type,
    text: `${isNamed ? `event: ${type}${end}` : ''}data: ${JSON.stringify({ type, delta: text })}${end}${end}`,
  }))

function counted(chunks: readonly Uint8Array[]): readonly EventRun[] {
  const count = new EventCount()
  for (const chunk of chunks) count.take(chunk, 0)
  count.end(0)
  return count.runs
}

function cutAt(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const cuts = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b)
  return [0, ...cuts].map((from, index) => bytes.subarray(from, cuts[index] ?? bytes.length))
}

it('events are counted by type, each byte once, wherever the stream is cut into chunks', () => {
  fc.assert(
    fc.property(fc.array(event), fc.array(fc.nat(10_000)), (events, places) => {
      const bytes = new TextEncoder().encode(events.map(({ text }) => text).join(''))
      const runs = counted(cutAt(bytes, places))
      expect(runs.flatMap(({ type, count }) => Array<string>(count).fill(type))).toEqual(
        events.map(({ type }) => type),
      )
      expect(runs.reduce((sum, run) => sum + run.bytes, 0)).toBe(bytes.length)
      expect(runs.every(({ type }, index) => type !== runs[index + 1]?.type)).toBe(true)
    }),
  )
})

it.each([
  [': keep alive\n\n', [['comment', 1]]],
  ['data: [DONE]\n\n', [['done', 1]]],
  ['data: {"no":"type"}\n\n', [['other', 1]]],
  ['event: Some Words\ndata: {}\n\n', [['other', 1]]],
  [`event: ${'a.'.repeat(90)}\n\n`, [['other', 1]]],
  ['\n\n\r\n\n', []],
  [
    'event: error\ndata: {}\n\nevent: resp',
    [
      ['error', 1],
      ['unfinished', 1],
    ],
  ],
])('an event without a type of the backend is told by what it is: %j', (text, expected) => {
  const runs = counted([new TextEncoder().encode(text)])
  expect(runs.map(({ type, count }) => [type, count])).toEqual(expected)
})

it('after 2000 changes of type the rest is a number', () => {
  const count = new EventCount()
  const pair = new TextEncoder().encode('event: error\ndata: {}\n\nevent: ping\ndata: {}\n\n')
  for (let turn = 0; turn < 1_500; turn += 1) count.take(pair, turn)
  expect(count.runs).toHaveLength(2_000)
  expect(count.others).toBe(1_000)
})

it('chunks pass as they are, one by one, with their end, their failure and their cancelling', async () => {
  const chunks = ['a', '', 'data: x\n\n'].map((text) => new TextEncoder().encode(text))
  for (const end of ['end', 'fail', 'cancel'] as const) {
    let pulled = 0
    let cancelled: unknown
    let closed = 0
    const source = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          const chunk = chunks[pulled++]
          if (chunk !== undefined) controller.enqueue(chunk)
          else if (end === 'fail') controller.error(new Error('gone'))
          else controller.close()
        },
        cancel(reason) {
          cancelled = reason
        },
      },
      { highWaterMark: 0 },
    )
    const given = new Response(source, {
      status: 201,
      headers: { 'content-type': 'text/event-stream', 'x-a': 'b' },
    })
    const { response, answer } = watchAnswer(
      given,
      () => 0,
      () => (closed += 1),
    )
    expect([response.status, [...response.headers]]).toEqual([201, [...given.headers]])
    expect(pulled).toBe(0)
    const reader = response.body!.getReader()
    for (const chunk of chunks) expect((await reader.read()).value).toBe(chunk)
    expect(answer.closed).toBe('open')
    if (end === 'fail') await expect(reader.read()).rejects.toThrow('gone')
    else if (end === 'cancel') await reader.cancel('enough')
    else expect((await reader.read()).done).toBe(true)
    expect([answer.closed, closed]).toEqual([
      { end: 'end', fail: 'failed', cancel: 'cancelled' }[end],
      1,
    ])
    expect(cancelled).toBe(end === 'cancel' ? 'enough' : undefined)
    expect([answer.chunks, answer.bytes]).toEqual([3, 10])
  }
})

it('an answer without a body has ended at once', () => {
  let closed = 0
  const given = new Response(null, { status: 204 })
  const { response, answer } = watchAnswer(
    given,
    () => 0,
    () => (closed += 1),
  )
  expect(response).toBe(given)
  expect([answer.closed, closed]).toEqual(['end', 1])
})
