import { EventCount } from './event-count.js'
import type { Answer } from './snapshot.js'

/** What is known of an answer so far; its headers are as they came. */
export interface WatchedAnswer extends Pick<
  Answer,
  'status' | 'headersMs' | 'closed' | 'closedMs'
> {
  readonly headers: Headers
  readonly count: EventCount
  bytes: number
  chunks: number
  closed: Answer['closed']
  closedMs: number
  /** Start of a refusal, for the words of the API in it; empty for an answer. */
  refusal: string
}

/** A longer refusal is a page. */
const MAX_REFUSAL = 8 * 1024

/**
 * The answer with somebody who counts beside it: its chunks pass as they are, and nothing of them is kept.
 * @param elapsedMs since the start of the attempt
 * @param onClosed once, when nothing more comes
 */
export function watchAnswer(
  response: Response,
  elapsedMs: () => number,
  onClosed: () => void,
): { readonly response: Response; readonly answer: WatchedAnswer } {
  const { status, statusText, headers } = response
  const answer: WatchedAnswer = {
    status,
    headers,
    headersMs: elapsedMs(),
    count: new EventCount(),
    bytes: 0,
    chunks: 0,
    closed: 'open',
    closedMs: elapsedMs(),
    refusal: '',
  }
  const close = (how: Answer['closed']): void => {
    if (answer.closed !== 'open') return
    answer.closed = how
    answer.closedMs = elapsedMs()
    answer.count.end(answer.closedMs)
    onClosed()
  }
  const reader = response.body?.getReader()
  if (reader === undefined) {
    close('end')
    return { response, answer }
  }
  const isStream = /event-stream/i.test(headers.get('content-type') ?? 'event-stream')
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read()
          if (done) {
            close('end')
            controller.close()
            return
          }
          controller.enqueue(value)
          answer.bytes += value.byteLength
          answer.chunks += 1
          if (isStream) answer.count.take(value, elapsedMs())
          else if (status >= 400 && answer.refusal.length < MAX_REFUSAL)
            answer.refusal += Buffer.from(value).toString('utf8').slice(0, MAX_REFUSAL)
        } catch (error) {
          close('failed')
          controller.error(error)
        }
      },
      cancel(reason) {
        close('cancelled')
        return reader.cancel(reason)
      },
    },
    { highWaterMark: 0 },
  )
  return { response: new Response(body, { status, statusText, headers }), answer }
}
