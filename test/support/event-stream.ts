import { openStream, type StreamEnd } from '../../lib/request/stream/stream.js'
import { CodexError } from '../../lib/kernel/errors.js'

/** An event as the WHATWG standard dispatches it. */
export interface DispatchedEvent {
  readonly event: string
  readonly data: string
}

/** The standard, word by word and without regard for speed: what a whole stream dispatches. */
export function dispatched(stream: Uint8Array): DispatchedEvent[] {
  const text = new TextDecoder().decode(stream)
  const events: DispatchedEvent[] = []
  let data: string[] = []
  let event = ''
  // What stands behind the last line end is no line.
  for (const line of text.split(/\r\n|\n|\r/).slice(0, -1)) {
    if (line === '') {
      if (data.length > 0) events.push({ event, data: data.join('\n') })
      data = []
      event = ''
      continue
    }
    const colon = line.indexOf(':')
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (field === 'data') data.push(value)
    else if (field === 'event') event = value
  }
  return events
}

/** What came of a stream. */
export interface StreamRun {
  readonly kind: string
  readonly why?: string
  readonly bytes: Uint8Array
  readonly chunks: readonly Uint8Array[]
  readonly events: readonly DispatchedEvent[]
  readonly limits: readonly unknown[]
  readonly ends: readonly StreamEnd[]
  /** Events it failed with, as they are handed on to be judged. */
  readonly failures: readonly unknown[]
  /** It was broken off without a last event. */
  readonly error?: Error
  readonly reads: number
}

/** Sends chunks through `openStream` and reads what comes out to its end. */
export async function runStream(
  chunks: Iterable<Uint8Array>,
  then: 'eof' | 'hang' = 'hang',
): Promise<StreamRun> {
  const iterator = chunks[Symbol.iterator]()
  let reads = 0
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        reads += 1
        const { done, value } = iterator.next()
        if (done !== true) controller.enqueue(value)
        else if (then === 'eof') controller.close()
        else return new Promise<void>(() => undefined)
        return undefined
      },
    },
    { highWaterMark: 0 },
  )
  const limits: unknown[] = []
  const ends: StreamEnd[] = []
  const failures: unknown[] = []
  const opened = await openStream({ body } as Response, {
    idleMs: 2000,
    signal: new AbortController().signal,
    observer: { onRateLimits: (event) => limits.push(event), onEnd: (end) => ends.push(end) },
    brokenError: (why) => new CodexError('stream_broken', `The answer broke off: ${why}.`),
    failedError: (event) => {
      failures.push(event)
      return new CodexError('backend_failed', 'The backend gave up.')
    },
  })
  if (opened.kind === 'failed') failures.push(opened.event)
  const out: Uint8Array[] = []
  let error: Error | undefined
  if (opened.kind === 'open') {
    try {
      for await (const chunk of opened.body) out.push(chunk)
    } catch (thrown) {
      error = thrown as Error
    }
  }
  const bytes = Buffer.concat(out)
  return {
    kind: opened.kind,
    ...('why' in opened ? { why: opened.why } : {}),
    bytes,
    chunks: out,
    events: dispatched(bytes),
    limits,
    ends,
    failures,
    reads,
    ...(error === undefined ? {} : { error }),
  }
}

/** The bytes in pieces of a size. */
export function* piecesOf(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size)
}
