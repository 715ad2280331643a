import http from 'node:http'
import type { AddressInfo } from 'node:net'

import { describe, expect, it, onTestFinished } from 'vitest'

import { callBackend } from '../../lib/kernel/backend-call.js'

const CALLER = { token: 'at_secret', accountId: 'ws' }
const REQUEST = { path: '/wham/usage', what: 'usage request', timeoutMs: 5_000 }

/** A server that notes the headers it is asked with. */
async function backend(handle: http.RequestListener) {
  const asked: http.IncomingHttpHeaders[] = []
  const server = http.createServer((request, response) => {
    asked.push(request.headers)
    handle(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => server.closeAllConnections())
  onTestFinished(() => void server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { asked, deps: { fetch, backend: url, userAgent: 'test' } }
}

describe('an authorised call of the backend', () => {
  it('carries the token and the workspace of the account, and reads JSON of any status', async () => {
    const { asked, deps } = await backend((_request, response) => {
      response.writeHead(403, { etag: '"1"' }).end('{"error":"no"}')
    })
    const answer = await callBackend(deps, CALLER, REQUEST)
    expect([answer.status, answer.body, answer.headers.get('etag')]).toEqual([
      403,
      { error: 'no' },
      '"1"',
    ])
    expect(asked[0]).toMatchObject({
      authorization: 'Bearer at_secret',
      'chatgpt-account-id': 'ws',
      'user-agent': 'test',
    })
  })

  it('names no workspace that is not known, and reads a page as nothing', async () => {
    const { asked, deps } = await backend((_request, response) => response.end('<html></html>'))
    const answer = await callBackend(deps, { token: 't', accountId: undefined }, REQUEST)
    expect(answer).toMatchObject({ status: 200, body: undefined })
    expect(asked[0]).not.toHaveProperty('chatgpt-account-id')
  })

  it('never follows a redirect: the token stays with the backend', async () => {
    const elsewhere = await backend((_request, response) => response.end('{}'))
    const { deps } = await backend((_request, response) => {
      response.writeHead(302, { location: elsewhere.deps.backend }).end()
    })
    await expect(callBackend(deps, CALLER, REQUEST)).rejects.toMatchObject({
      code: 'backend_unreachable',
    })
    expect(elsewhere.asked).toEqual([])
  })

  it('is not made where the address would leave the backend', async () => {
    const { asked, deps } = await backend((_request, response) => response.end('{}'))
    const request = { ...REQUEST, path: '.evil.test/wham/usage' }
    await expect(
      callBackend({ ...deps, backend: 'https://backend.test' }, CALLER, request),
    ).rejects.toMatchObject({ code: 'destination_refused' })
    expect(asked).toEqual([])
  })

  it('says which request got no answer, and never with the token', async () => {
    const { deps } = await backend((request) => request.socket.destroy())
    const failure = await callBackend(deps, CALLER, REQUEST).catch((error: unknown) => error)
    expect(failure).toMatchObject({
      code: 'backend_unreachable',
      message: expect.stringMatching(/^The usage request got no answer/),
    })
    expect(String(failure)).not.toContain('at_secret')
  })

  it('reads no more of an answer than any answer has', async () => {
    const { deps } = await backend((_request, response) => {
      response.end(`"${'x'.repeat(9 * 1024 * 1024)}"`)
    })
    expect((await callBackend(deps, CALLER, REQUEST)).body).toBeUndefined()
  })

  it('ends with the reason of its caller when that gives up', async () => {
    const { deps } = await backend(() => undefined)
    const over = new AbortController()
    const call = callBackend(deps, CALLER, { ...REQUEST, signal: over.signal })
    over.abort(new Error('the user pressed Esc'))
    await expect(call).rejects.toThrow('the user pressed Esc')
  })
})
