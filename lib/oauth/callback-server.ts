import http from 'node:http'

import { CodexError } from '../kernel/errors.js'
import { systemCode } from '../kernel/system-code.js'
import { failurePage, PAGE_HEADERS, successPage } from './callback-page.js'
import { isSameSecret } from './pkce.js'

/** Ports the login server accepts, in the order they are tried; see docs/development/facts/oauth.md#redirect-to-this-machine. */
export const CALLBACK_PORTS = [1455, 1457] as const
const CALLBACK_PATH = '/auth/callback'

/** A server that waits for one redirect. */
export interface CallbackServer {
  readonly redirectUri: string
  /**
   * The authorization code.
   * @throws CodexError `oauth_failed` when the login server redirected with an error
   */
  readonly code: Promise<string>
  /** Stops listening and cuts open connections. Idempotent. */
  close(): Promise<void>
}

/** A code or state longer than this is none. */
const MAX_VALUE = 4096
const ERROR_SHAPE = /^[\w .,:;'()-]{1,200}$/

/**
 * Listens on the first free port, on 127.0.0.1 and, where there is one, on ::1: browsers differ in what they take
 * `localhost` for. A redirect with a wrong state is answered and forgotten: any page may send one.
 * @throws CodexError `callback_port_busy`
 */
export async function startCallbackServer(options: {
  readonly state: string
  readonly ports?: readonly number[]
}): Promise<CallbackServer> {
  let settle: { resolve: (code: string) => void; reject: (error: CodexError) => void } | undefined
  const code = new Promise<string>((resolve, reject) => {
    settle = { resolve, reject }
  })
  // It may fail before its caller waits for it.
  code.catch(() => undefined)

  const handle = (request: http.IncomingMessage, response: http.ServerResponse): void => {
    const answer = (status: number, page: string): void => {
      response.writeHead(status, PAGE_HEADERS)
      response.end(page)
    }
    const url = URL.canParse(request.url ?? '', 'http://localhost')
      ? new URL(request.url ?? '', 'http://localhost')
      : undefined
    if (url?.pathname !== CALLBACK_PATH || !isOwnHost(request.headers.host)) {
      answer(404, failurePage('Nothing here.'))
      return
    }
    if (request.method !== 'GET') {
      answer(405, failurePage('This address only accepts a browser redirect.'))
      return
    }
    const { searchParams } = url
    const state = searchParams.get('state') ?? ''
    if (state.length > MAX_VALUE || !isSameSecret(state, options.state)) {
      answer(400, failurePage('This redirect belongs to another login (its state does not match).'))
      return
    }
    const error = searchParams.get('error')
    if (error !== null) {
      const reason = reasonOf(error, searchParams.get('error_description'))
      answer(200, failurePage(reason))
      settle?.reject(new CodexError('oauth_failed', reason))
      return
    }
    const found = searchParams.get('code')
    if (found === null || found === '' || found.length > MAX_VALUE) {
      answer(400, failurePage('The redirect contains no code.'))
      settle?.reject(new CodexError('oauth_failed', 'The login server redirected without a code.'))
      return
    }
    answer(200, successPage())
    settle?.resolve(found)
  }

  for (const port of options.ports ?? CALLBACK_PORTS) {
    const servers = await listenOn(port, handle)
    if (servers === undefined) continue
    let closing: Promise<void> | undefined
    return {
      redirectUri: `http://localhost:${port}${CALLBACK_PATH}`,
      code,
      close() {
        closing ??= Promise.all(servers.map(closed)).then(() => undefined)
        return closing
      },
    }
  }
  throw new CodexError(
    'callback_port_busy',
    `Ports ${(options.ports ?? CALLBACK_PORTS).join(' and ')} are in use by other programs, so a browser login cannot come back.`,
  )
}

/** Undefined when another program has the port on either address. */
async function listenOn(
  port: number,
  handle: http.RequestListener,
): Promise<http.Server[] | undefined> {
  const servers: http.Server[] = []
  for (const host of ['127.0.0.1', '::1']) {
    const server = http.createServer({ requestTimeout: 10_000 }, handle)
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject)
        server.listen({ port, host, exclusive: true }, () => {
          server.off('error', reject)
          resolve()
        })
      })
      // A login must not keep a host alive that wants to end.
      server.unref()
      servers.push(server)
    } catch (error) {
      const hasNoIpv6 =
        host === '::1' && ['EADDRNOTAVAIL', 'EAFNOSUPPORT'].includes(systemCode(error) ?? '')
      if (hasNoIpv6) continue
      await Promise.all(servers.map(closed))
      return undefined
    }
  }
  return servers
}

function closed(server: http.Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    // The success page is on its way; a browser that keeps the line open after it is cut off.
    setTimeout(() => server.closeAllConnections(), 100).unref()
  })
}

/** Pages of other origins must not reach the server under a name of their own (DNS rebinding). */
function isOwnHost(host: string | undefined): boolean {
  return host !== undefined && /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/.test(host)
}

function reasonOf(error: string, description: string | null): string {
  if (description === 'missing_codex_entitlement')
    return 'Codex is not enabled for this workspace; ask its administrator.'
  const said =
    [description, error].find((text) => text !== null && ERROR_SHAPE.test(text)) ?? 'unknown reason'
  return error === 'access_denied'
    ? `The login was refused: ${said}.`
    : `The login server returned an error: ${said}.`
}
