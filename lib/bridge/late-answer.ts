import { type CodexError, isCodexError } from '../kernel/errors.js'
import { errorEventBytes } from './host-error.js'

/** The host ends a stream that is silent for 300 s; a comment says that somebody is there, ms. */
const SIGN_OF_LIFE_MS = 60_000
/** A comment of an event stream: every reader skips it. */
const COMMENT = ': waiting for the first output\n\n'

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
          const found = await firstOf(answer, SIGN_OF_LIFE_MS)
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
        const { done, value } = await reader.read()
        if (done) controller.close()
        else controller.enqueue(value)
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

/** The value, or undefined when it is not there within so many ms. */
async function firstOf<T>(value: Promise<T>, ms: number): Promise<T | undefined> {
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
