import { randomBytes } from 'node:crypto'
import http from 'node:http'
import net, { type AddressInfo } from 'node:net'
import zlib from 'node:zlib'

import { WebSocketServer } from 'ws'

/**
 * The other side of the transports, in a process of its own: answers each request, by HTTP or WebSocket, with one tool
 * call at once. In front of it stand a plain line and one of 10 Mbit/s with 40 ms for the way there and back, which count what
 * goes up, and behind a slow one a server that refuses every upgrade. Prints the ports: plain, slow, counter, refusing.
 */
const BYTES_PER_MS = 10_000_000 / 8 / 1_000
const ONE_WAY_MS = 20

let calls = 0
interface Event {
  readonly type: string
  readonly [member: string]: unknown
}

/** The events of an answer that asks for a tool. */
function answer(): readonly Event[] {
  calls += 1
  const items = [
    { type: 'reasoning', id: `rs_${calls}`, encrypted_content: sealed(), summary: [] },
    {
      type: 'function_call',
      id: `fc_${calls}`,
      call_id: `call_${calls}`,
      name: 'read',
      arguments: '{"filePath":"a.ts"}',
      status: 'completed',
    },
  ]
  const id = `resp_${calls}`
  const done = items.flatMap((item, output_index) => [
    { type: 'response.output_item.added', output_index, item },
    { type: 'response.output_item.done', output_index, item },
  ])
  const usage = { input_tokens: 1, output_tokens: 1 }
  return [
    { type: 'response.created', response: { id } },
    ...done,
    { type: 'response.completed', response: { id, output: items, usage } },
  ]
}

/** Text that does not compress, as sealed reasoning does not. */
function sealed(): string {
  return randomBytes(420).toString('base64url')
}

const answered: http.RequestListener = (request, response) => {
  const parts: Buffer[] = []
  request.on('data', (part: Buffer) => parts.push(part))
  request.once('end', () => {
    if (request.headers['content-encoding'] !== undefined) unpack(Buffer.concat(parts))
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    for (const event of answer())
      response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
    response.end()
  })
}
const server = http.createServer(answered)
const refusing = http.createServer(answered)
refusing.on('upgrade', (_request, socket) => {
  socket.end('HTTP/1.1 426 Upgrade Required\r\ncontent-length: 0\r\nconnection: close\r\n\r\n')
})
const sockets = new WebSocketServer({ server, perMessageDeflate: true, maxPayload: 64_000_000 })
sockets.on('connection', (socket) => {
  socket.on('message', () => {
    for (const event of answer()) socket.send(JSON.stringify(event))
  })
})

/** A real backend has to unpack too; Node 20 cannot. */
function unpack(bytes: Buffer): void {
  const { zstdDecompressSync } = zlib as { zstdDecompressSync?: (bytes: Buffer) => Buffer }
  zstdDecompressSync?.(bytes)
}

let up = 0

/** A line to the server. @param isShaped slow and far */
function line(port: number, isShaped: boolean): net.Server {
  const ends = { up: 0, down: 0 }
  const carry = (from: net.Socket, to: net.Socket, way: 'up' | 'down'): void => {
    from.on('data', (chunk: Buffer) => {
      if (way === 'up') up += chunk.length
      if (!isShaped) {
        to.write(chunk)
        return
      }
      const now = performance.now()
      ends[way] = Math.max(now, ends[way]) + chunk.length / BYTES_PER_MS
      setTimeout(() => to.write(chunk), ends[way] - now + ONE_WAY_MS)
    })
    from.on('close', () => setTimeout(() => to.destroy(), isShaped ? 2 * ONE_WAY_MS : 0))
    from.on('error', () => undefined)
  }
  return net.createServer((client) => {
    const upstream = net.connect(port, '127.0.0.1')
    client.setNoDelay(true)
    upstream.setNoDelay(true)
    carry(client, upstream, 'up')
    carry(upstream, client, 'down')
  })
}

const portOf = (one: net.Server | http.Server): Promise<number> =>
  new Promise((resolve) => {
    one.listen(0, '127.0.0.1', () => resolve((one.address() as AddressInfo).port))
  })
const port = await portOf(server)
const counter = http.createServer((_request, response) => {
  response.end(String(up))
  up = 0
})
const refusingPort = await portOf(refusing)
const servers = [line(port, false), line(port, true), counter, line(refusingPort, true)]
const ports = await Promise.all(servers.map(portOf))
process.stdout.write(`${JSON.stringify(ports)}\n`)
