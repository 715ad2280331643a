import http from 'node:http'
import type { AddressInfo } from 'node:net'

/**
 * The other side of the measurements, in a process of its own: answers every request with a short event stream, or with
 * as many megabytes of text deltas as the header `x-parent-session-id` says: one of those that the plugin passes on.
 */
const event = (type: string, fields: object): string =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`
const head =
  event('response.created', { response: { id: 'r' } }) +
  event('response.output_item.added', {
    output_index: 0,
    item: { type: 'message', id: 'm', role: 'assistant', content: [] },
  })
const delta = event('response.output_text.delta', {
  item_id: 'm',
  output_index: 0,
  content_index: 0,
  delta: 'a few words of an answer, as they come one after the other ',
})
const block = Buffer.from(delta.repeat(Math.ceil(16_384 / delta.length)))
const tail = event('response.completed', {
  response: { id: 'r', output: [], usage: { input_tokens: 1, output_tokens: 1 } },
})

const server = http.createServer((request, response) => {
  request.resume()
  request.once('end', () => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(head)
    let left = Number(request.headers['x-parent-session-id'] ?? 0) * 1_000_000
    const more = (): void => {
      while (left > 0) {
        left -= block.length
        if (!response.write(block)) {
          response.once('drain', more)
          return
        }
      }
      response.end(delta + tail)
    }
    more()
  })
})
server.listen(0, '127.0.0.1', () =>
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`),
)
