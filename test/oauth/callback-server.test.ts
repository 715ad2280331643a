import net from 'node:net'

import { describe, expect, it, onTestFinished } from 'vitest'

import { type CallbackServer, startCallbackServer } from '../../lib/oauth/callback-server.js'

/** Two ports that nobody listens on. */
async function freePorts(): Promise<readonly number[]> {
  const servers = await Promise.all(
    [0, 1].map(
      () =>
        new Promise<net.Server>((resolve) => {
          const server = net.createServer().listen(0, '127.0.0.1', () => resolve(server))
        }),
    ),
  )
  const ports = servers.map((server) => (server.address() as net.AddressInfo).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

async function started(ports: readonly number[]): Promise<CallbackServer> {
  const server = await startCallbackServer({ state: 's', ports })
  onTestFinished(() => server.close())
  return server
}

/** Lets listening on ::1 fail as a system does, for the first `times` servers. */
function failIpv6(code: string, times = Infinity): void {
  const original = Object.getOwnPropertyDescriptor(net.Server.prototype, 'listen')!
  let left = times
  net.Server.prototype.listen = function (this: net.Server, ...args: unknown[]) {
    const [options] = args as [{ host?: string }]
    if (options.host !== '::1' || (left -= 1) < 0)
      return (original.value as (...all: unknown[]) => net.Server).apply(this, args)
    queueMicrotask(() => this.emit('error', Object.assign(new Error(code), { code })))
    return this
  } as typeof net.Server.prototype.listen
  onTestFinished(() => void Object.defineProperty(net.Server.prototype, 'listen', original))
}

const redirect = async ({ redirectUri }: CallbackServer, query: string): Promise<Response> =>
  fetch(`${redirectUri.replace('localhost', '127.0.0.1')}?${query}`)

describe('the server that waits for the redirect of a login', () => {
  it.each(['EADDRNOTAVAIL', 'EAFNOSUPPORT'])(
    'works on a machine without IPv6 (%s): no login was possible there',
    async (code) => {
      failIpv6(code)
      const ports = await freePorts()
      const server = await started(ports)
      expect(server.redirectUri).toBe(`http://localhost:${ports[0]}/auth/callback`)
      expect((await redirect(server, 'state=s&code=c')).status).toBe(200)
      expect(await server.code).toBe('c')
    },
  )

  it('takes the next port where another program has the first on IPv6 alone: the browser might go there', async () => {
    failIpv6('EADDRINUSE', 1)
    const ports = await freePorts()
    expect((await started(ports)).redirectUri).toContain(`:${ports[1]}/`)
    // Nothing is left behind on the first.
    expect((await started(ports)).redirectUri).toContain(`:${ports[0]}/`)
  })

  it.each(['state=s', 'state=s&code=', `state=s&code=${'c'.repeat(4_097)}`])(
    'ends the login with a sentence when a redirect carries no code, %#: it waited until the time was over',
    async (query) => {
      const server = await started(await freePorts())
      const answer = await redirect(server, query)
      expect([answer.status, await answer.text()]).toEqual([
        400,
        expect.stringContaining('contains no code'),
      ])
      await expect(server.code).rejects.toMatchObject({
        code: 'oauth_failed',
        message: 'The login server redirected without a code.',
      })
    },
  )
})
