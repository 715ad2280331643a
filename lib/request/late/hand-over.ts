import { type CodexError, isCodexError } from '../../kernel/errors.js'
import { errorEventBytes } from '../failures/host-error.js'

/** The host ends a stream that is silent for 300 s; a comment keeps it open, ms. */
const SIGN_OF_LIFE_MS = 60_000
/** A comment of an event stream: every reader skips it. */
const COMMENT = ': waiting for the first output\n\n'
/** The end of a stream waits no longer than this for a file: longer than its writer may wait for the lock, ms. */
const MAX_END_WAIT_MS = 2_500

/**
 * An answer for the host in place of one that the backend is still thinking about: its bytes follow when they come, with
 * a sign of life until then. What fails meanwhile becomes the last event, since the host already has its 200.
 * @param answer the body, or why there is none; rejects when the host has aborted
 * @param giveUp the host does not want it any more
 */
export function lateAnswer(
  answer: Promise<ReadableStream<Uint8Array> | CodexError>,
  giveUp: () => void,
): Response {
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        if (reader === undefined) {
          const found = await within(SIGN_OF_LIFE_MS, answer)
          if (found === undefined) {
            controller.enqueue(new TextEncoder().encode(COMMENT))
            return
          }
          if (isCodexError(found)) {
            controller.enqueue(errorEventBytes(found))
            controller.close()
            return
          }
          reader = found.getReader()
        }
        await passOn(reader, controller)
      },
      async cancel(reason) {
        if (reader === undefined) giveUp()
        else await reader.cancel(reason)
      },
    },
    { highWaterMark: 0 },
  )
  return new Response(body, { status: 200, headers: { 'content-type': 'text/event-stream' } })
}

/**
 * The same bytes, with an end that comes once `work` is done, which began with the stream and is nearly always done long
 * before: a request that follows the end, in whatever window, finds it done.
 */
export function endingAfter(
  body: ReadableStream<Uint8Array>,
  work: Promise<void>,
): ReadableStream<Uint8Array> {
  const reader = body.getReader()
  return new ReadableStream<Uint8Array>(
    {
      pull: (controller) =>
        passOn(reader, controller, () =>
          within(
            MAX_END_WAIT_MS,
            work.catch(() => undefined),
          ),
        ),
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  )
}

/** What comes next, as long as the host has taken it all; then the end, after `beforeEnd`. */
async function passOn(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  controller: ReadableStreamDefaultController<Uint8Array>,
  beforeEnd?: () => Promise<void>,
): Promise<void> {
  // A loop, because another call of `pull` for each chunk costs as much as reading it.
  do {
    const { done, value } = await reader.read()
    if (done) {
      await beforeEnd?.()
      controller.close()
      return
    }
    controller.enqueue(value)
  } while ((controller.desiredSize ?? -1) >= 0)
}

/** The value, or undefined when it is not there within so many ms. */
async function within<T>(ms: number, value: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms)
    timer.unref()
  })
  try {
    return await Promise.race([value, late])
  } finally {
    clearTimeout(timer)
  }
}
