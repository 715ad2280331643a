/** Nobody waits longer than this for a file, ms. */
const LONGEST_WAIT_MS = 500

/**
 * The same bytes, with an end that comes once `work` is done, which began with the stream and is nearly always done long
 * before: whoever asks again after the end, in whatever window, finds it done.
 */
export function endingAfter(
  body: ReadableStream<Uint8Array>,
  work: Promise<void>,
): ReadableStream<Uint8Array> {
  const reader = body.getReader()
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await reader.read()
        if (!done) {
          controller.enqueue(value)
          return
        }
        await patiently(work)
        controller.close()
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  )
}

async function patiently(work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, LONGEST_WAIT_MS)
    timer.unref()
  })
  await Promise.race([work.catch(() => undefined), late])
  clearTimeout(timer)
}
