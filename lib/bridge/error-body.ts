/** An error answer longer than this is not read to its end, bytes. */
const MAX_BYTES = 64 * 1024
/** An error answer that does not come to its end in this time is judged by what is there, ms. */
const LONGEST_WAIT_MS = 5_000

/** The start of an error answer; what cannot be read, or does not come, counts as empty: the status says enough. */
export async function readErrorBody(
  response: Response,
  signal: AbortSignal | undefined,
): Promise<string> {
  const reader = response.body?.getReader()
  if (reader === undefined) return ''
  const stop = (): void => void reader.cancel().catch(() => undefined)
  const timer = setTimeout(stop, LONGEST_WAIT_MS)
  timer.unref()
  signal?.addEventListener('abort', stop, { once: true })
  const decoder = new TextDecoder()
  let text = ''
  try {
    for (let bytes = 0; bytes < MAX_BYTES;) {
      const { done, value } = await reader.read()
      if (done) break
      const piece = value.subarray(0, MAX_BYTES - bytes)
      bytes += piece.byteLength
      text += decoder.decode(piece, { stream: true })
    }
  } catch {
    // As if it had ended here.
  }
  clearTimeout(timer)
  signal?.removeEventListener('abort', stop)
  stop()
  return text
}
