import { abortReason } from '../../kernel/clock.js'
import { createTimers, type Timers } from '../../kernel/timers.js'
import type { Destination } from '../endpoint.js'

/** Thrown when no headers arrived in time; told apart from an abort by the user. */
export class HeaderTimeout extends Error {
  override readonly name = 'HeaderTimeout'
}

/** What to send. */
export interface Outgoing {
  readonly url: Destination
  readonly headers: Record<string, string>
  readonly body: string
  /**
   * Aborts the attempt at any moment, also while the body streams. It has to belong to one request: Node 20 keeps a note
   * of every signal that was ever derived from another, so one that lives longer would gather them (see deadline.ts).
   */
  readonly signal: AbortSignal
  /** Longest wait for the response headers, in ms. */
  readonly headerTimeoutMs: number
  /** Timers of its own when absent. */
  readonly timers?: Timers
}

/**
 * Sends one attempt by HTTP.
 * Redirects are refused: a credential must not follow one to another host.
 * @throws HeaderTimeout, the abort reason of the caller, or what `fetch` throws
 */
export async function send(
  fetch: typeof globalThis.fetch,
  outgoing: Omit<Outgoing, 'body'> & { readonly body: string | Uint8Array<ArrayBuffer> },
): Promise<Response> {
  const { url, headers, body } = outgoing
  outgoing.signal.throwIfAborted()
  // By hand: AbortSignal.any costs Node a tenth of a whole request. Both signals belong to this one request.
  const controller = new AbortController()
  const { signal } = controller
  const onAbort = (): void => controller.abort(outgoing.signal.reason)
  outgoing.signal.addEventListener('abort', onAbort, { once: true })
  const { timers = createTimers(), headerTimeoutMs } = outgoing
  const inTime = timers.after(headerTimeoutMs, () => controller.abort(new HeaderTimeout()))
  try {
    // Bun's own five-minute limit would cut long answers; the host passes the same.
    const own = { redirect: 'error', timeout: false } as RequestInit
    const response = await fetch(url, { method: 'POST', headers, body, signal, ...own })
    // Who reads a refusal ends it by himself (`readErrorBody`): a request that passes many accounts gathers nothing.
    if (!response.ok) outgoing.signal.removeEventListener('abort', onAbort)
    return response
  } catch (error) {
    outgoing.signal.removeEventListener('abort', onAbort)
    throw signal.aborted ? abortReason(signal) : error
  } finally {
    inTime()
  }
}
