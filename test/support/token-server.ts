import http from 'node:http'
import type { AddressInfo } from 'node:net'

/** A login server that knows refresh tokens only: single use, rotating, and it counts. */
export interface TokenServer {
  readonly issuer: string
  /** Requests answered, by outcome. */
  readonly counts: { rotated: number; reused: number; failed: number }
  /** Makes a token that can be spent once. */
  grant(name: string): string
  /** What the next requests are answered with instead; one entry each. */
  readonly script: { status: number; body: unknown; delayMs?: number }[]
  /** Time between the spending and the answer, ms. */
  delayMs: number
  /** Called when a token was spent, before the answer goes out. */
  onSpent: () => void
  close(): Promise<void>
}

/** Starts the server on loopback. */
export async function startTokenServer(
  options: { lifetimeSeconds?: number } = {},
): Promise<TokenServer> {
  const live = new Set<string>()
  const known = new Set<string>()
  const counts = { rotated: 0, reused: 0, failed: 0 }
  const script: TokenServer['script'] = []
  let serial = 0
  const grant = (name: string): string => {
    serial += 1
    const token = `rt_${name}_${serial}`
    live.add(token)
    known.add(token)
    return token
  }
  const server = http.createServer((request, response) => {
    let text = ''
    request.setEncoding('utf8').on('data', (part: string) => (text += part))
    request.on('end', () => {
      const answer = (status: number, body: unknown, delayMs = self.delayMs): void => {
        setTimeout(() => {
          response.writeHead(status, { 'content-type': 'application/json' })
          response.end(JSON.stringify(body))
        }, delayMs)
      }
      const scripted = script.shift()
      if (scripted) {
        counts.failed += 1
        answer(scripted.status, scripted.body, scripted.delayMs)
        return
      }
      const { refresh_token: token } = JSON.parse(text) as { refresh_token: string }
      if (!live.delete(token)) {
        counts.reused += 1
        answer(401, {
          error: { code: known.has(token) ? 'refresh_token_reused' : 'refresh_token_invalidated' },
        })
        return
      }
      counts.rotated += 1
      const name = token.split('_')[1] ?? ''
      const next = grant(name)
      self.onSpent()
      answer(200, {
        access_token: `at_${name}_${counts.rotated}`,
        refresh_token: next,
        expires_in: options.lifetimeSeconds ?? 3600,
      })
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const self: TokenServer = {
    issuer: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    counts,
    grant,
    script,
    delayMs: 0,
    onSpent: () => undefined,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return self
}
