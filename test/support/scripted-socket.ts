import http from 'node:http'
import type { AddressInfo } from 'node:net'

import { onTestFinished } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'

import type { OpenWebSocket } from '../../lib/request/transport/socket.js'

/** A frame of the client, on which connection it came, and the way to answer. */
export interface AskedBySocket {
  readonly connection: number
  readonly frame: Readonly<Record<string, unknown>>
  readonly socket: WebSocket
}

export interface AskedByHttp {
  readonly body: Buffer
  readonly headers: http.IncomingHttpHeaders
  readonly response: http.ServerResponse
}

/** A backend on this machine that does with connections, frames and requests what a test says. */
export async function scriptedSocket(script: {
  /** Refuses the upgrade with a status, or lets it hang; connects without it. */
  readonly upgrade?: (connection: number) => number | 'hang' | undefined
  readonly frame?: (asked: AskedBySocket) => void
  readonly post?: (asked: AskedByHttp) => void
  /** Answers no ping, like the other end of a connection that is gone. */
  readonly isMute?: boolean
}) {
  const upgrades: http.IncomingHttpHeaders[] = []
  const frames: AskedBySocket[] = []
  const posts: AskedByHttp[] = []
  const sockets = new WebSocketServer({ noServer: true, autoPong: script.isMute !== true })
  const server = http.createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const asked = { body: Buffer.concat(parts), headers: request.headers, response }
      posts.push(asked)
      if (script.post === undefined)
        response
          .writeHead(200, { 'content-type': 'text/event-stream' })
          .end(sse(answer('http', [])))
      else script.post(asked)
    })
  })
  server.on('upgrade', (request, raw, head) => {
    const connection = upgrades.push(request.headers)
    const refusal = script.upgrade?.(connection)
    if (refusal === 'hang') return
    if (refusal !== undefined) {
      raw.end(`HTTP/1.1 ${refusal} Refused\r\ncontent-length: 0\r\n\r\n`)
      return
    }
    sockets.handleUpgrade(request, raw, head, (socket) => {
      socket.on('message', (data: Buffer) => {
        const frame = JSON.parse(data.toString('utf8')) as Record<string, unknown>
        const asked = { connection, frame, socket }
        frames.push(asked)
        if (script.frame === undefined) send(socket, answer(`resp_${frames.length}`, [said('hi')]))
        else script.frame(asked)
      })
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of sockets.clients) socket.terminate()
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}/codex/responses`, upgrades, frames, posts, sockets }
}

/** Node's way to a WebSocket with headers; the host has Bun's, which tells of a pong as of other events. */
export const nodeWebSocket: OpenWebSocket = (url, { headers }) => {
  const socket = new WebSocket(url, { headers })
  const opened = socket as unknown as ReturnType<OpenWebSocket>
  socket.on('pong', () => {
    for (const listener of pongs) listener()
  })
  const pongs: (() => void)[] = []
  const listen = opened.addEventListener.bind(opened) as (type: string, listener: never) => void
  opened.addEventListener = (type: string, listener: never) => {
    if (type === 'pong') pongs.push(listener)
    else listen(type, listener)
  }
  return opened
}

export function said(text: string) {
  return {
    type: 'message',
    id: 'msg_1',
    role: 'assistant',
    content: [{ type: 'output_text', text }],
  }
}

/** The events of an answer. */
export function answer(id: string, items: readonly unknown[]): readonly object[] {
  return [
    { type: 'response.created', response: { id } },
    ...items.flatMap((item, index) => [
      { type: 'response.output_item.added', output_index: index, item },
      { type: 'response.output_item.done', output_index: index, item },
    ]),
    { type: 'response.completed', response: { id, usage: { input_tokens: 1, output_tokens: 1 } } },
  ]
}

export function send(socket: WebSocket, events: readonly object[]): void {
  for (const event of events) socket.send(JSON.stringify(event))
}

/** The same events by HTTP. */
export function sse(events: readonly object[]): string {
  return events
    .map(
      (event) => `event: ${(event as { type: string }).type}\ndata: ${JSON.stringify(event)}\n\n`,
    )
    .join('')
}
