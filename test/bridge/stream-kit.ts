import { CodexError } from '../../lib/kernel/errors.js'
import { openStream, type StreamEnd } from '../../lib/bridge/stream.js'
import type { Exchange } from '../../lib/bridge/transport.js'

/** One SSE event in the form of the backend. */
export function event(data: object & { type: string }, newline = '\n'): string {
  return `event: ${data.type}${newline}data: ${JSON.stringify(data)}${newline}${newline}`
}

export const created = event({ type: 'response.created' })
export const added = event({ type: 'response.output_item.added' })
export const delta = (text: string): string => event({ type: 'response.output_text.delta', ...{ delta: text } })
export const usage = { input_tokens: 7, input_tokens_details: { cached_tokens: 3 }, output_tokens: 5, output_tokens_details: { reasoning_tokens: 2 }, total_tokens: 12 }
export const completed = event({ type: 'response.completed', ...{ response: { id: 'r', output: [], usage } } })
export const failed = event({ type: 'response.failed', ...{ response: { error: { code: 'server_is_overloaded', message: 'busy' } } } })
export const healthy = `${created}: keepalive\n\n${added}${delta('Grüße 🌍 "type":"response.completed"\n')}${completed}`

const encoder = new TextEncoder()
export const bytesOf = (text: string): Uint8Array => encoder.encode(text)

export interface Script {
  readonly chunks: readonly (Uint8Array | string)[]
  /** What follows the chunks; the default is the end. */
  readonly then?: 'eof' | 'hang' | 'error'
}

/** A backend that hands out the given chunks one per read, and notes what reached it. */
export function backend({ chunks, then = 'eof' }: Script) {
  const state = { cancelled: 0, released: 0, reads: 0 }
  const waiting = chunks.map((chunk) => (typeof chunk === 'string' ? bytesOf(chunk) : chunk))
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        state.reads += 1
        const chunk = waiting.shift()
        if (chunk !== undefined) controller.enqueue(chunk)
        else if (then === 'eof') controller.close()
        else if (then === 'error') controller.error(new TypeError('socket hang up'))
        else return new Promise<void>(() => undefined)
        return undefined
      },
      cancel() {
        state.cancelled += 1
      },
    },
    { highWaterMark: 0 },
  )
  // A Response would copy the chunks in some runtimes; the bridge reads `body` only.
  const exchange: Exchange = { response: { body } as Response, release: () => (state.released += 1) }
  return { exchange, state }
}

/** Opens a stream and notes everything an observer hears. */
export async function open(exchange: Exchange, extra: { idleMs?: number; signal?: AbortSignal } = {}) {
  const ends: StreamEnd[] = []
  const heard: unknown[] = []
  const count = { firstOutput: 0 }
  const opened = await openStream(exchange, {
    idleMs: 0,
    ...extra,
    observer: {
      onRateLimits: (limits) => heard.push(limits),
      onFirstOutput: () => (count.firstOutput += 1),
      onEnd: (end) => ends.push(end),
    },
    brokenError: (why) => new CodexError('stream_broken', `The answer broke off: ${why}.`),
    failedError: () => new CodexError('backend_failed', 'The backend gave up.'),
  })
  return { opened, ends, heard, count }
}

/** Opens a stream that has to open. */
export async function opened(exchange: Exchange, extra: { idleMs?: number; signal?: AbortSignal } = {}) {
  const result = await open(exchange, extra)
  if (result.opened.kind !== 'open') throw new Error(`not open: ${JSON.stringify(result.opened)}`)
  return { ...result, body: result.opened.body }
}

/** Reads to the end: the chunks, and the error it ended with. */
export async function drain(body: ReadableStream<Uint8Array>) {
  const reader = body.getReader()
  const chunks: Uint8Array[] = []
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return { chunks, text: Buffer.concat(chunks).toString(), error: undefined }
      chunks.push(value)
    }
  } catch (error) {
    return { chunks, text: Buffer.concat(chunks).toString(), error: error as Error }
  }
}
