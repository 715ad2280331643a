import http from 'node:http'
import type { AddressInfo } from 'node:net'

import { DELTA, HEAD, tailOf } from './answers.js'

/**
 * The other side of the measurements, in a process of its own: answers every request with a short event stream, or with
 * as many megabytes of text deltas as the header `x-parent-session-id` says: one of those that the plugin passes on.
 */
const block = Buffer.from(DELTA.repeat(Math.ceil(16_384 / DELTA.length)))

const server = http.createServer((request, response) => {
  request.resume()
  request.once('end', () => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(HEAD)
    let left = Number(request.headers['x-parent-session-id'] ?? 0) * 1_000_000
    const more = (): void => {
      while (left > 0) {
        left -= block.length
        if (!response.write(block)) {
          response.once('drain', more)
          return
        }
      }
      response.end(DELTA + tailOf())
    }
    more()
  })
})
server.listen(0, '127.0.0.1', () =>
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`),
)
