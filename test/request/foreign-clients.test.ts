import { createOpenAI } from '@ai-sdk/openai'
import OpenAI from 'openai'
import { describe, expect, it } from 'vitest'

import { openStream } from '../../lib/request/stream/stream.js'
import { CodexError } from '../../lib/kernel/errors.js'
import { answersAsked, coreOver } from '../support/core-over.js'
import { piecesOf } from '../support/event-stream.js'

/** The SDKs that others point at this plugin's `fetch`; the first is also what OpenCode is built on. */
const aiSdk = (fetch: typeof globalThis.fetch) =>
  createOpenAI({ apiKey: 'managed', fetch }).responses('gpt-5.5')
const openai = (fetch: typeof globalThis.fetch) =>
  new OpenAI({ apiKey: 'managed', fetch, maxRetries: 0 })
const input = [
  { role: 'user' as const, content: [{ type: 'input_text' as const, text: 'SIM:say went on' }] },
]
const prompt = [
  { role: 'user' as const, content: [{ type: 'text' as const, text: 'SIM:say went on' }] },
]
const asked = { model: 'gpt-5.5', input, instructions: 'x' }

async function partsOf(fetch: typeof globalThis.fetch) {
  const { stream } = await aiSdk(fetch).doStream({
    prompt,
    providerOptions: { openai: { store: false, instructions: 'x' } },
  })
  const parts = []
  for await (const part of stream) parts.push(part)
  return parts
}

describe('a client over the simulator, whose streams speak of limits', () => {
  const over = async (): Promise<typeof globalThis.fetch> => (await coreOver(['a'])).core.fetch

  it('the openai SDK reads responses.create with a stream', async () => {
    const types: string[] = []
    for await (const event of await openai(await over()).responses.create({
      ...asked,
      stream: true,
    }))
      types.push(event.type)
    expect([types[0], types.at(-1), types.filter((type) => type.startsWith('codex.'))]).toEqual([
      'response.created',
      'response.completed',
      [],
    ])
  })

  it('the openai SDK reads responses.stream, which throws on a type it does not know', async () => {
    const stream = openai(await over()).responses.stream(asked)
    let text = ''
    stream.on('response.output_text.delta', ({ delta }) => (text += delta))
    expect((await stream.finalResponse()).status).toBe('completed')
    expect(text).toContain('went on')
  })

  it('the openai SDK reads a plain responses.create', async () => {
    const response = await openai(await over()).responses.create(asked)
    expect(response.output_text).toContain('went on')
  })

  it('the openai SDK reads a plain responses.create whose input is a text', async () => {
    const response = await openai(await over()).responses.create({
      model: 'gpt-5.5',
      input: 'SIM:say went on',
      instructions: 'x',
    })
    expect(response.output_text).toContain('went on')
  })

  it('the openai SDK reads a turn that names the answer before it and brings the whole conversation along', async () => {
    const response = await openai(await over()).responses.create({
      ...asked,
      previous_response_id: 'resp_1',
      background: false,
      conversation: null,
    })
    expect(response.output_text).toContain('went on')
  })

  it.each([
    [
      'a chat completion',
      (client: OpenAI) =>
        client.chat.completions.create({
          model: 'gpt-5.5',
          messages: [{ role: 'user', content: 'hi' }],
        }),
      'serves the Responses API only',
    ],
    [
      'an answer in the background',
      (client: OpenAI) => client.responses.create({ ...asked, background: true }),
      'stores no answers',
    ],
    [
      'a stored conversation',
      (client: OpenAI) => client.responses.create({ ...asked, conversation: 'conv_1' }),
      'stores no answers',
    ],
    [
      'a stored conversation by its object',
      (client: OpenAI) => client.responses.create({ ...asked, conversation: { id: 'conv_1' } }),
      'stores no answers',
    ],
    [
      'the next text after a stored answer, which alone says something else',
      (client: OpenAI) =>
        client.responses.create({
          model: 'gpt-5.5',
          input: 'and then?',
          previous_response_id: 'resp_1',
        }),
      'stores no answers',
    ],
  ])(
    'the openai SDK is refused %s in one sentence, and the backend is not asked',
    async (_name, create, sentence) => {
      const { core, simulator } = await coreOver(['a'])
      await expect(create(openai(core.fetch))).rejects.toMatchObject({
        status: 400,
        message: expect.stringContaining(sentence),
      })
      expect(answersAsked(simulator)).toEqual([])
    },
  )

  it('the AI SDK reads a stream', async () => {
    const parts = await partsOf(await over())
    expect(parts.filter(({ type }) => type === 'error')).toEqual([])
    expect(parts.at(-1)).toMatchObject({ type: 'finish', finishReason: { unified: 'stop' } })
  })
})

const usage = { input_tokens: 3, output_tokens: 2, total_tokens: 5 }
const message = { type: 'message', id: 'm', role: 'assistant', status: 'in_progress', content: [] }
const part = { type: 'output_text', text: '', annotations: [] }
const at = { item_id: 'm', output_index: 0, content_index: 0 }
const shape = {
  id: 'r',
  object: 'response',
  created_at: 1,
  model: 'gpt-5.5',
  status: 'in_progress',
  output: [],
}
const body = [
  { type: 'codex.rate_limits', rate_limits: {} },
  { type: 'response.created', response: shape },
  { type: 'response.metadata', headers: {} },
  { type: 'response.output_item.added', output_index: 0, item: message },
  { type: 'response.content_part.added', ...at, part },
  { type: 'codex.rate_limits', rate_limits: {} },
  { type: 'response.output_text.delta', ...at, delta: 'went on' },
]
const done = {
  type: 'response.done',
  response: {
    ...shape,
    status: 'completed',
    output: [{ ...message, content: [{ ...part, text: 'went on' }] }],
    usage,
  },
}

/** A client's `fetch` whose answer is this stream, handed through the bridge in small pieces. */
function answering(text: string): typeof globalThis.fetch {
  return async () => {
    const pieces = piecesOf(new TextEncoder().encode(text), 61)
    const response = new Response(
      new ReadableStream({
        pull(controller) {
          const { done: isDone, value } = pieces.next()
          if (isDone === true) controller.close()
          else controller.enqueue(value)
        },
      }),
    )
    const opened = await openStream(response, {
      idleMs: 0,
      signal: new AbortController().signal,
      observer: { onEnd: () => undefined },
      brokenError: () =>
        new CodexError('stream_broken', 'The answer broke off before it was complete.'),
      failedError: () => new CodexError('backend_failed', 'The backend gave up.'),
    })
    if (opened.kind !== 'open') throw new Error(opened.kind)
    return new Response(opened.body, { headers: { 'content-type': 'text/event-stream' } })
  }
}

const FORMS: Readonly<Record<string, (event: object) => string>> = {
  'the usual form': (event) => `data: ${JSON.stringify(event)}\n\n`,
  'CR alone': (event) => `data: ${JSON.stringify(event)}\r\r`,
  'CR LF': (event) => `data: ${JSON.stringify(event)}\r\n\r\n`,
  'data over several lines': (event) =>
    `${JSON.stringify(event, undefined, 1)
      .split('\n')
      .map((line) => `data: ${line}\n`)
      .join('')}\n`,
  'an escaped type': (event) =>
    `data: ${JSON.stringify(event).replace('"response.', '"response\\u002e')}\n\n`,
}

describe.each(Object.entries(FORMS))('a client of an endpoint that sends %s', (_name, form) => {
  const good = [...body, done].map(form).join('')
  const cut = body.map(form).join('')

  it('reads the answer', async () => {
    const response = await openai(answering(good)).responses.stream(asked).finalResponse()
    expect(response.output_text).toBe('went on')
    const parts = await partsOf(answering(good))
    expect(parts.filter(({ type }) => type === 'error')).toEqual([])
    expect(parts.at(-1)).toMatchObject({ type: 'finish', usage: { inputTokens: { total: 3 } } })
  })

  it('understands the error event behind an answer that broke off', async () => {
    const stream = await openai(answering(cut)).responses.create({ ...asked, stream: true })
    const types: string[] = []
    const read = async (): Promise<void> => {
      for await (const event of stream) types.push(event.type)
    }
    await expect(read()).rejects.toMatchObject({
      code: 'invalid_prompt',
      message: expect.stringContaining('broke off'),
    })
    expect(types.at(-1)).toBe('response.output_text.delta')
    const parts = await partsOf(answering(cut))
    expect(JSON.stringify(parts.find(({ type }) => type === 'error'))).toContain('broke off')
  })
})
