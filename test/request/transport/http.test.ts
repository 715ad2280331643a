import { getEventListeners } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'

import { afterEach, describe, expect, it } from 'vitest'

import type { Destination } from '../../../lib/request/endpoint.js'
import { HeaderTimeout, send } from '../../../lib/request/transport/http.js'

const servers: http.Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

async function listen(handler?: http.RequestListener) {
  const server = http.createServer(handler)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/codex/responses` as Destination,
    /** Resolves when the connection of the next request closes. */
    requestClosed: (onRequest: (response: http.ServerResponse) => void) =>
      new Promise<'closed'>((resolve) => {
        server.once('request', (request, response) => {
          request.on('close', () => resolve('closed'))
          onRequest(response)
        })
      }),
  }
}

const outgoing = (
  url: Destination,
  extra: { signal?: AbortSignal; headerTimeoutMs?: number } = {},
) => ({
  url,
  headers: { authorization: 'Bearer tok', 'content-type': 'application/json' },
  body: '{"a":"ü"}',
  headerTimeoutMs: 5000,
  signal: new AbortController().signal,
  ...extra,
})

describe('send', () => {
  it('posts the very text it is given', async () => {
    let seen = ''
    const { url } = await listen((request, response) => {
      request.on('data', (chunk: Buffer) => (seen += chunk.toString()))
      request.on('end', () => response.end('ok'))
    })
    const response = await send(fetch, outgoing(url))
    expect([response.status, await response.text(), seen]).toEqual([200, 'ok', '{"a":"ü"}'])
  })

  it('never follows a redirect with a credential', async () => {
    let hits = 0
    const { url } = await listen((_request, response) => {
      hits += 1
      response.writeHead(307, { location: '/elsewhere' }).end()
    })
    await expect(send(fetch, outgoing(url))).rejects.toThrow()
    expect(hits).toBe(1)
  })

  it('ends a wait for headers with a HeaderTimeout', async () => {
    const { url } = await listen(() => undefined)
    await expect(send(fetch, outgoing(url, { headerTimeoutMs: 30 }))).rejects.toBeInstanceOf(
      HeaderTimeout,
    )
  })

  it('reaches the backend with the abort of the caller and rethrows its reason', async () => {
    const abort = new AbortController()
    const server = await listen()
    const closed = server.requestClosed(() => abort.abort(new Error('Esc')))
    await expect(send(fetch, outgoing(server.url, { signal: abort.signal }))).rejects.toThrow('Esc')
    expect(await closed).toBe('closed')
  })

  it('aborts a body that is already streaming', async () => {
    const abort = new AbortController()
    const server = await listen()
    const closed = server.requestClosed((response) => response.writeHead(200).write('first'))
    const response = await send(fetch, outgoing(server.url, { signal: abort.signal }))
    abort.abort(new Error('Esc'))
    await expect(response.text()).rejects.toThrow()
    expect(await closed).toBe('closed')
  })

  it('leaves nothing behind at the signal of a request that many accounts refuse', async () => {
    const { url } = await listen((_request, response) => response.writeHead(429).end('{}'))
    const { signal } = new AbortController()
    for (let account = 0; account < 20; account += 1)
      await (await send(fetch, outgoing(url, { signal }))).text()
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  it('sends nothing when the caller has already given up', async () => {
    let hits = 0
    const { url } = await listen(() => (hits += 1))
    await expect(
      send(fetch, outgoing(url, { signal: AbortSignal.abort(new Error('gone')) })),
    ).rejects.toThrow('gone')
    expect(hits).toBe(0)
  })
})
