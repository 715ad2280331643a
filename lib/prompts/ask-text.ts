import { readBounded } from '../kernel/read-bounded.js'

/** A text that is asked for, and the tag of the copy that is there already. */
interface TextRequest {
  readonly url: string
  readonly userAgent: string
  readonly etag: string | undefined
  /** A longer one is not taken. */
  readonly maxBytes: number
  /** Whether an answer is worth reading, by its headers; each is when absent. */
  readonly isWanted?: (headers: Headers) => boolean
}

/** What came of it. */
interface TextAnswer {
  readonly status: number
  /** Undefined without a good answer that fits. */
  readonly text: string | undefined
  /** Its tag, in the form in which it is kept beside the text. */
  readonly tag: { readonly etag?: string }
}

const ANSWER_TIMEOUT_MS = 15_000
const MAX_ETAG_CHARS = 256

/** Asks for a published text, with nothing of the user. @throws what `fetch` throws, also for a redirect and in time */
export async function askText(
  fetch: typeof globalThis.fetch,
  { url, userAgent, etag, maxBytes, isWanted = () => true }: TextRequest,
  ended: AbortSignal,
): Promise<TextAnswer> {
  const response = await fetch(url, {
    headers: {
      accept: 'text/plain',
      'user-agent': userAgent,
      ...(etag !== undefined && { 'if-none-match': etag }),
    },
    redirect: 'error',
    signal: AbortSignal.any([ended, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]),
  })
  const { status, headers } = response
  const text =
    status === 200 && isWanted(headers) ? await readBounded(response, maxBytes) : undefined
  if (text === undefined) await response.body?.cancel().catch(() => undefined)
  const tag = headers.get('etag')
  return { status, text, tag: tag === null || tag.length > MAX_ETAG_CHARS ? {} : { etag: tag } }
}
