import { randomBytes } from 'node:crypto'
import http from 'node:http'

import type { AddressInfo, Socket } from 'node:net'
import zlib from 'node:zlib'

import { WebSocketServer } from 'ws'

import { startShapedLink } from '../support/shaped-link.js'

/**
 * The other side of the transports, in a process of its own: answers each request, by HTTP or WebSocket, with one tool
 * call at once. It is there directly and behind a line of 10 Mbit/s with 40 ms for the way there and back; behind another such line
 * stands one that refuses every upgrade. Prints the ports: plain, slow, the counter of what came up, refusing.
 */
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

const connections = new Set<Socket>()
server.on('connection', (socket: Socket) => void connections.add(socket))
/** Bytes that came up over all connections so far. */
const bytesUp = (): number => [...connections].reduce((sum, { bytesRead }) => sum + bytesRead, 0)
let told = 0
const counter = http.createServer((_request, response) => {
  const up = bytesUp()
  response.end(String(up - told))
  told = up
})

const portOf = (one: http.Server): Promise<number> =>
  new Promise((resolve) => {
    one.listen(0, '127.0.0.1', () => resolve((one.address() as AddressInfo).port))
  })
const slow = async (port: number): Promise<number> =>
  (await startShapedLink({ port, bitsPerSecond: 10_000_000, roundTripMs: 40 })).port
const port = await portOf(server)
const ports = [port, await slow(port), await portOf(counter), await slow(await portOf(refusing))]
process.stdout.write(`${JSON.stringify(ports)}\n`)
