/** Far more than any answer of a login server; a page in its place is not read to its end, bytes. */
const MAX_ANSWER_BYTES = 1024 * 1024

/**
 * The text of an answer of the login server, cut off where no answer of it reaches.
 * @throws what the connection throws when it breaks off
 */
export async function answerText(response: Response): Promise<string> {
  const reader = response.body?.getReader()
  if (reader === undefined) return ''
  const decoder = new TextDecoder()
  let text = ''
  for (let bytes = 0; bytes < MAX_ANSWER_BYTES;) {
    const { done, value } = await reader.read()
    if (done) return text + decoder.decode()
    bytes += value.byteLength
    text += decoder.decode(value, { stream: true })
  }
  void reader.cancel().catch(() => undefined)
  return text
}
