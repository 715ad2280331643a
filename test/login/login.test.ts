import net from 'node:net'

import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'

import { accountFromLogin } from '../../lib/login/account-from-login.js'
import { CALLBACK_PORTS, startCallbackServer } from '../../lib/oauth/callback-server.js'
import { readClaims } from '../../lib/oauth/claims.js'
import { beginLogin, type LoginDeps } from '../../lib/login/login.js'
import { OAuthClient } from '../../lib/oauth/oauth-client.js'
import { codeFromPaste } from '../../lib/login/paste-login.js'
import { createPkce } from '../../lib/oauth/pkce.js'
import { systemClock } from '../../lib/kernel/clock.js'
import { type Simulator, type SimulatorOptions, startSimulator } from '../../simulator/index.js'

async function setUp(
  options: SimulatorOptions = {},
): Promise<{ simulator: Simulator; deps: LoginDeps }> {
  const simulator = await startSimulator({
    accounts: ['work'],
    ...options,
    settings: { autoApprove: 'work', deviceIntervalSec: 0, ...options.settings },
  })
  onTestFinished(() => simulator.close())
  return {
    simulator,
    deps: {
      oauth: new OAuthClient({
        endpoints: { issuer: simulator.url, backend: simulator.backend },
        fetch,
        clock: systemClock,
        userAgent: 'test',
      }),
      clock: systemClock,
    },
  }
}

const isListening = (port: number, host = '127.0.0.1'): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = net.connect(port, host)
    socket.once('connect', () => resolve(Boolean(socket.destroy())))
    socket.once('error', () => resolve(false))
  })

describe('a browser login', () => {
  it('brings tokens that make a whole account, and leaves nothing listening', async () => {
    const { deps } = await setUp()
    const login = await beginLogin('browser', deps)
    const page = await fetch(login.url)
    expect(await page.text()).toContain('Signed in')
    const tokens = await login.finish()
    expect(accountFromLogin(tokens, 5)).toMatchObject({
      email: 'work@example.test',
      planType: 'plus',
      accountIdSource: 'token',
      tokenRotatedAt: 5,
      refreshToken: tokens.refreshToken,
    })
    for (const port of CALLBACK_PORTS) expect(await isListening(port)).toBe(false)
  })

  it('answers a redirect with a wrong state and goes on waiting for the right one', async () => {
    const { deps } = await setUp()
    const login = await beginLogin('browser', deps)
    const redirect = new URL(new URL(login.url).searchParams.get('redirect_uri')!)
    const forged = await fetch(`${redirect.href}?code=stolen&state=wrong`)
    expect(forged.status).toBe(400)
    await fetch(login.url)
    expect((await login.finish()).accessToken).toBeTruthy()
  })

  it('refuses requests under a foreign host name', async () => {
    const server = await startCallbackServer({ state: 's' })
    onTestFinished(() => server.close())
    const port = Number(new URL(server.redirectUri).port)
    const answer = await new Promise<string>((resolve) => {
      const socket = net.connect(port, '127.0.0.1', () =>
        socket.write('GET /auth/callback?code=c&state=s HTTP/1.1\r\nHost: evil.example\r\n\r\n'),
      )
      socket.once('data', (data) => resolve(data.toString()))
    })
    expect(answer).toContain('404')
  })

  it('says in one sentence that the user refused', async () => {
    const { deps } = await setUp({
      scenario: { when: { endpoint: 'authorize' }, do: { type: 'deny' } },
    })
    const login = await beginLogin('browser', deps)
    expect(await (await fetch(login.url)).text()).toContain('The login was refused')
    await expect(login.finish()).rejects.toMatchObject({
      code: 'oauth_failed',
      message: 'The login was refused: The user refused the login.',
    })
  })

  it('takes the other port while one login waits, and says so when both are taken', async () => {
    const { deps } = await setUp()
    const first = await beginLogin('browser', deps)
    const second = await beginLogin('browser', deps)
    onTestFinished(async () => {
      await first.cancel()
      await second.cancel()
    })
    const portOf = (url: string): string =>
      new URL(new URL(url).searchParams.get('redirect_uri')!).port
    expect([portOf(first.url), portOf(second.url)]).toEqual(['1455', '1457'])
    await expect(beginLogin('browser', deps)).rejects.toMatchObject({ code: 'callback_port_busy' })
  })

  it('can be cancelled', async () => {
    const { deps } = await setUp()
    const login = await beginLogin('browser', deps)
    const waiting = login.finish()
    await login.cancel()
    await expect(waiting).rejects.toMatchObject({ code: 'login_cancelled' })
    expect(await isListening(1455)).toBe(false)
  })
})

describe('the answer of the login server', () => {
  it.each(['access_token', 'refresh_token'])(
    'without %s is refused with its name',
    async (field) => {
      const { deps } = await setUp({
        scenario: { when: { endpoint: 'token' }, do: { type: 'omit', fields: [field] } },
      })
      const login = await beginLogin('paste', deps)
      const answer = await fetch(login.url, { redirect: 'manual' })
      await expect(login.finish(answer.headers.get('location')!)).rejects.toMatchObject({
        code: 'oauth_failed',
        message: expect.stringContaining(field),
      })
    },
  )

  it('may leave out what is not needed', async () => {
    const { deps } = await setUp({
      scenario: {
        when: { endpoint: 'token' },
        do: { type: 'omit', fields: ['id_token', 'expires_in', 'scope'] },
      },
    })
    const login = await beginLogin('paste', deps)
    const answer = await fetch(login.url, { redirect: 'manual' })
    expect((await login.finish(answer.headers.get('location')!)).expiresAt).toBeGreaterThan(
      Date.now(),
    )
  })
})

describe('a device login', () => {
  it('waits until the code was used', async () => {
    const { deps, simulator } = await setUp({ settings: { autoApprove: null } })
    const login = await beginLogin('device', deps)
    const waiting = login.finish()
    await expect
      .poll(
        () => simulator.requests.filter(({ path }) => path.endsWith('deviceauth/token')).length,
        { timeout: 5_000 },
      )
      .toBeGreaterThan(0)
    expect(simulator.approveDevice(login.userCode!, 'work')).toBe(true)
    expect((await waiting).refreshToken).toMatch(/^rt_/)
  })
})

describe('codeFromPaste', () => {
  it.each([
    ['http://localhost:1455/auth/callback?code=ac_1&state=S'],
    ['"http://localhost:1455/auth/callback?state=S&code=ac_1"'],
    ['?code=ac_1&state=S'],
    ['code=ac_1&state=S'],
    ['ac_1#S'],
    ['  ac_1\n'],
  ])('finds the code in %j', (pasted) => {
    expect(codeFromPaste(pasted, 'S')).toBe('ac_1')
  })

  it.each([
    ['', 'Nothing was pasted'],
    ['http://localhost/auth/callback?code=a&state=other', 'another login'],
    ['a#other', 'another login'],
    ['http://localhost/auth/callback?error=access_denied&state=S', 'refused'],
    ['http://localhost/auth/callback', 'no login code'],
    ['two words', 'no login code'],
  ])('refuses %j and says why', (pasted, why) => {
    expect(() => codeFromPaste(pasted, 'S')).toThrow(why)
  })
})

describe('readClaims', () => {
  it('never throws, whatever the token', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json().map((json) => `a.${Buffer.from(json).toString('base64url')}.c`),
        ),
        (token) => {
          expect(readClaims(token)).toBeTypeOf('object')
        },
      ),
    )
  })
})

describe('createPkce', () => {
  it('makes verifiers within the bounds of RFC 7636, each a new one', () => {
    const made = Array.from({ length: 50 }, createPkce)
    expect(new Set(made.map(({ verifier }) => verifier)).size).toBe(50)
    for (const { verifier } of made) expect(verifier).toMatch(/^[\w-]{43,128}$/)
  })
})

describe('a device login on a bad line', () => {
  interface Odd {
    readonly status?: number
    readonly body?: string
    /** The connection breaks. */
    readonly breaks?: boolean
  }

  /** A login server that answers questions about the device with these, then grants it. */
  function lineWith(
    odd: readonly Odd[],
    options: { clock?: typeof systemClock; tokens?: Odd[] } = {},
  ) {
    const asked: string[] = []
    const left = [...odd]
    const tokens = [...(options.tokens ?? [])]
    const grant: Odd = { body: '{"authorization_code":"ac","code_verifier":"v"}' }
    const fetch = async (input: RequestInfo | URL): Promise<Response> => {
      const path = new URL(input instanceof Request ? input.url : input).pathname
      asked.push(path)
      const answers: Record<string, () => Odd> = {
        '/api/accounts/deviceauth/usercode': () => ({
          body: '{"device_auth_id":"d","usercode":"U","interval":0}',
        }),
        '/api/accounts/deviceauth/token': () => left.shift() ?? grant,
        '/oauth/token': () =>
          tokens.shift() ?? {
            body: '{"access_token":"at","refresh_token":"rt","id_token":null,"expires_in":1e308}',
          },
      }
      const { status = 200, body = '', breaks = false } = answers[path]?.() ?? { status: 404 }
      if (breaks)
        throw Object.assign(new TypeError('fetch failed'), {
          cause: Object.assign(new Error('reset'), { code: 'ECONNRESET' }),
        })
      return new Response(body, { status })
    }
    // Pauses cost nothing here; what is counted is what would have passed.
    const clock = options.clock ?? { now: () => Date.now(), sleep: async () => undefined }
    const oauth = new OAuthClient({
      endpoints: { issuer: 'http://login.test', backend: 'http://login.test' },
      fetch,
      clock,
      userAgent: 'test',
    })
    return { asked, begin: () => beginLogin('device', { oauth, clock }) }
  }

  it.each<[string, Odd]>([
    ['a connection that breaks while polling', { breaks: true }],
    ['the page of a captive portal', { body: '<html>Welcome</html>' }],
    ['a proxy that wants a password', { status: 407, body: '<html></html>' }],
    ['a page with status 400', { status: 400, body: '<html></html>' }],
    ['a redirect', { status: 302 }],
    ['an overloaded server', { status: 503, body: '{"error":"invalid_grant"}' }],
    ['too many questions', { status: 429 }],
    ['a code that means "not yet"', { status: 400, body: '{"error":"authorization_pending"}' }],
    ['a wish for fewer questions', { status: 400, body: '{"error":{"code":"slow_down"}}' }],
    ['an answer without the code', { body: '{"authorization_code":null}' }],
  ])('goes on after %s (the user has already typed the code in)', async (_name, odd) => {
    const { begin, asked } = lineWith([odd, odd, odd])
    const tokens = await (await begin()).finish()
    expect(tokens).toMatchObject({ accessToken: 'at', refreshToken: 'rt' })
    expect(Number.isNaN(new Date(tokens.expiresAt).getTime())).toBe(false)
    expect(asked.filter((path) => path.endsWith('deviceauth/token'))).toHaveLength(4)
  })

  it.each(['expired_token', 'access_denied'])(
    'ends at once when the server says %s',
    async (code) => {
      const { begin, asked } = lineWith([
        { status: 400, body: JSON.stringify({ error: { code } }) },
      ])
      await expect((await begin()).finish()).rejects.toMatchObject({
        code: 'oauth_failed',
        message: expect.stringContaining(code),
      })
      expect(asked.filter((path) => path.endsWith('deviceauth/token'))).toHaveLength(1)
    },
  )

  it('has not timed out because the clock of the machine jumped by a day', async () => {
    let offsetMs = 0
    const clock = {
      now: () => Date.now() + offsetMs,
      sleep: async () => {
        offsetMs += 24 * 3_600_000
      },
    }
    const { begin } = lineWith([{ status: 403 }, { status: 403 }], { clock })
    expect(await (await begin()).finish()).toMatchObject({ accessToken: 'at' })
  })

  it('ends after 15 minutes of pauses, and says when the line was to blame', async () => {
    const { begin, asked } = lineWith(Array.from({ length: 2_000 }, () => ({ breaks: true })))
    await expect((await begin()).finish()).rejects.toMatchObject({
      code: 'login_timeout',
      message: expect.stringContaining('ECONNRESET'),
    })
    expect(asked.length).toBeLessThan(1_000)
  })

  it('takes its code to the server again when the first try broke off', async () => {
    const { begin } = lineWith([], {
      tokens: [{ breaks: true }, { status: 502, body: '<html></html>' }],
    })
    expect(await (await begin()).finish()).toMatchObject({ refreshToken: 'rt' })
  })
})
