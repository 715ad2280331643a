import { describe, expect, it } from 'vitest'

import { objectText } from '../../../lib/request/body/json-edit.js'
import {
  readFrame,
  refusalOf,
  requestFrame,
  sseText,
} from '../../../lib/request/transport/frames.js'

const body = objectText(
  '{"model":"gpt-5.5","input":[1.0,{"b":1e2}],"stream":true,"store":false,"background":false,"instructions":"i"}',
)!

describe('a request as a frame', () => {
  it('is the body of the request by HTTP without what only HTTP has', () => {
    expect(requestFrame(body)).toBe(
      '{"type":"response.create","model":"gpt-5.5","input":[1.0,{"b":1e2}],"store":false,"instructions":"i"}',
    )
  })

  it('names the answer that it continues, and holds what is new alone', () => {
    expect(
      JSON.parse(
        requestFrame(body, { responseId: 'resp_1', input: '[{"c":3}]', turnState: undefined }),
      ),
    ).toEqual({
      type: 'response.create',
      model: 'gpt-5.5',
      input: [{ c: 3 }],
      store: false,
      instructions: 'i',
      previous_response_id: 'resp_1',
    })
  })
})

describe('a frame of the backend', () => {
  it.each([
    '{"type":"response.output_text.delta","delta":"a"}',
    ' { "type" : "codex.keepalive" } ',
    '{"delta":"a","type":"response.output_text.delta"}',
    '{"type":"response.completed","response":{"id":"r"}}',
  ])('is the same event as by HTTP: %s', (text) => {
    const frame = readFrame(text)!
    const type = (JSON.parse(text) as { type: string }).type
    expect(frame.type).toBe(type)
    expect(sseText(frame)).toBe(`event: ${type}\ndata: ${text}\n\n`)
  })

  it('that is written over several lines stays one event', () => {
    const frame = readFrame('{\n"type":"x.y",\r\n"a":1}')!
    expect(sseText(frame)).toBe('event: x.y\ndata: {\ndata: "type":"x.y",\ndata: "a":1}\n\n')
  })

  it.each(['', 'hello', '[1]', '{"a":1}', '{"type":5}'])('is none: %j', (text) => {
    expect(readFrame(text)).toBeUndefined()
  })

  it.each([
    ['status', { status: 429 }],
    ['status_code', { status_code: 429 }],
  ])(
    'with an error and a %s is an answer with that status, its headers and its text',
    async (_name, named) => {
      const text = JSON.stringify({
        type: 'error',
        ...named,
        error: { code: 'usage_limit_reached' },
        headers: { 'retry-after': 7, 'x-bad': 'a\nb' },
      })
      const response = refusalOf(readFrame(text)!)!
      expect([response.status, response.headers.get('retry-after')]).toEqual([429, '7'])
      expect(response.headers.get('x-bad')).toBeNull()
      expect(await response.text()).toBe(text)
    },
  )

  it.each([{}, { status: 200 }, { status: 'no' }, { status: 700 }])(
    'with an error and %j for a status is an event like others',
    (named) => {
      expect(refusalOf(readFrame(JSON.stringify({ type: 'error', ...named }))!)).toBeUndefined()
    },
  )
})
