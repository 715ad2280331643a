import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

import { describe, expect, it, onTestFinished } from 'vitest'

import { createCore } from '../../lib/core.js'
import { resolvePaths } from '../../lib/kernel/files/paths.js'
import { answersAsked, ask, coreOver, firstTurn, RESPONSES, pathsOf } from '../support/core-over.js'
import { aHome, homeIn } from '../support/home.js'

const message = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  status: 'completed',
  content: [{ type: 'output_text', text: 'hello', annotations: [] }],
}
const call = {
  id: 'fc_1',
  type: 'function_call',
  call_id: 'call_1',
  name: 'read',
  arguments: '{"a":1}',
}
const whole = {
  id: 'resp_1',
  object: 'response',
  status: 'completed',
  output: [message, call],
  usage: { input_tokens: 3, output_tokens: 2 },
}

/** An endpoint of an API key that gives this answer to everybody, and counts. */
async function endpointWith(
  text: string,
  type: string | undefined,
): Promise<{
  asked: () => number
  answer: (stream?: boolean) => Promise<{ status: number; text: string }>
}> {
  let asked = 0
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      if (request.method === 'POST') asked += 1
      response.writeHead(200, type === undefined ? {} : { 'content-type': type })
      response.end(text)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`
  const keys = ['k1', 'k2'].map((apiKey) => ({
    kind: 'api-key',
    apiKey: `sk-${apiKey}-0123456789`,
    baseUrl,
    addedAt: 1,
    lastUsed: 0,
  }))
  const home = await aHome(keys)
  const env = { ...homeIn(home), CODEX_AUTH_RETRY_ALL_MAX_WAIT_MS: '0' }
  const core = await createCore({
    host: { log: () => undefined, toast: () => undefined },
    paths: resolvePaths(env),
    env,
    directory: home,
  })
  onTestFinished(() => core.close())
  return {
    asked: () => asked,
    answer: async (stream = true) =>
      ask(core, JSON.stringify({ ...JSON.parse(await firstTurn()), stream })),
  }
}

describe('an endpoint that answers in one piece of JSON', () => {
  it.each(['application/json', 'application/json; charset=utf-8', undefined, 'text/plain'])(
    'is asked, and paid, once, and the host gets the answer as events (content type %s)',
    async (type) => {
      const endpoint = await endpointWith(` \n${JSON.stringify(whole, undefined, 2)}`, type)
      const { status, text } = await endpoint.answer()
      expect(status).toBe(200)
      for (const part of [
        'response.output_text.delta',
        '"delta":"hello"',
        'response.function_call_arguments.done',
        'event: response.completed',
      ])
        expect(text).toContain(part)
      expect(endpoint.asked()).toBe(1)
    },
  )

  it('is asked once also for a caller without streaming, who gets the answer as it was', async () => {
    const endpoint = await endpointWith(JSON.stringify(whole), 'application/json')
    expect(JSON.parse((await endpoint.answer(false)).text)).toMatchObject({
      id: 'resp_1',
      output: [{ id: 'msg_1' }, { id: 'fc_1' }],
    })
    expect(endpoint.asked()).toBe(1)
  })

  it.each([
    [
      'an error object',
      '{"error":{"message":"The model is busy","type":"server_error"}}',
      'application/json',
    ],
    ['an error as a word', '{"error":"nope"}', 'application/json'],
    [
      'a failed answer',
      JSON.stringify({
        ...whole,
        status: 'failed',
        error: { code: 'server_error', message: 'broken' },
      }),
      'application/json',
    ],
    ['an answer without output', JSON.stringify({ ...whole, output: [] }), 'application/json'],
    ['a chat completion', '{"object":"chat.completion","choices":[]}', 'application/json'],
    ['half an answer', '{"object":"response","sta', 'application/json'],
    ['a list', '[]', 'application/json'],
    ['JSON under the name of a stream', JSON.stringify(whole), 'text/event-stream'],
  ])(
    'is asked once, and the host is told in a sentence it does not act on, when it is %s',
    async (_, text, type) => {
      const endpoint = await endpointWith(text, type)
      const answer = await endpoint.answer()
      expect([400, 401, 403]).toContain(answer.status)
      expect(
        (JSON.parse(answer.text) as { error: { message: string } }).error.message.length,
      ).toBeGreaterThan(20)
      expect(endpoint.asked()).toBe(1)
    },
  )
})

describe('requests of other clients', () => {
  it('may give their input as a text', async () => {
    const { core, simulator } = await coreOver(['a'])
    expect(
      (
        await ask(
          core,
          '{"model":"gpt-5.5","instructions":"x","input":"SIM:say \\u0068i","stream":true}',
        )
      ).text,
    ).toContain('response.completed')
    expect(JSON.parse(answersAsked(simulator).at(-1)?.body ?? '{}')).toMatchObject({
      input: [{ role: 'user', content: [{ type: 'input_text', text: 'SIM:say hi' }] }],
    })
  })

  const body = '{"model":"gpt-5.5","instructions":"x","input":"SIM:say hi","stream":true}'
  const URL_ = 'https://api.openai.com/v1/responses'
  it.each<[string, () => [RequestInfo | URL, RequestInit?]]>([
    ['a Blob', () => [URL_, { method: 'POST', body: new Blob([body]) }]],
    ['bytes', () => [URL_, { method: 'POST', body: new TextEncoder().encode(body) }]],
    [
      'a buffer',
      () => [new URL(URL_), { method: 'POST', body: new TextEncoder().encode(body).buffer }],
    ],
    [
      'a stream',
      () => [
        URL_,
        { method: 'post', body: new Blob([body]).stream(), duplex: 'half' } as RequestInit,
      ],
    ],
    ['a Request', () => [new Request(URL_, { method: 'POST', body })]],
    ['a text with a byte order mark', () => [URL_, { method: 'POST', body: `\uFEFF${body}` }]],
  ])('are served when their body is %s', async (_, request) => {
    const { core } = await coreOver(['a'])
    const response = await core.fetch(...request())
    expect(await response.text()).toContain('response.completed')
  })

  const used = (): Request => {
    const request = new Request(URL_, { method: 'POST', body })
    void request.text()
    return request
  }
  it.each<[string, () => [RequestInfo | URL, RequestInit?], RegExp]>([
    [
      'a chat completion',
      () => [
        'https://api.openai.com/v1/chat/completions',
        { method: 'POST', body: '{"model":"gpt-5.5","messages":[{"role":"user","content":"hi"}]}' },
      ],
      /Responses API only, not chat completions.*client\.responses\.create/,
    ],
    [
      'a list of models',
      () => ['https://api.openai.com/v1/models', { method: 'GET' }],
      /Responses API only, not \/v1\/models/,
    ],
    [
      'embeddings',
      () => ['https://api.openai.com/v1/embeddings', { method: 'POST', body: '{}' }],
      /not \/v1\/embeddings/,
    ],
    [
      'a compaction',
      () => ['https://api.openai.com/v1/responses/compact', { method: 'POST', body }],
      /not \/v1\/responses\/compact/,
    ],
    ['a GET', () => [URL_, { method: 'GET' }], /with POST, not with GET/],
    ['an empty body', () => [URL_, { method: 'POST', body: '' }], /no body/],
    ['no body', () => [URL_, { method: 'POST' }], /no body/],
    ['a form', () => [URL_, { method: 'POST', body: new FormData() }], /form, not JSON/],
    ['a body that was read before', () => [used()], /could not be read/],
    ['a text', () => [URL_, { method: 'POST', body: 'hello' }], /not JSON/],
  ])(
    'are refused in one sentence, and no credential leaves, when they are %s',
    async (_, request, sentence) => {
      const { core, simulator } = await coreOver(['a'])
      const response = await core.fetch(...request())
      expect([400, 403]).toContain(response.status)
      expect(
        (JSON.parse(await response.text()) as { error: { message: string } }).error.message,
      ).toMatch(sentence)
      expect(pathsOf(simulator)).not.toContain(RESPONSES)
    },
  )
})
