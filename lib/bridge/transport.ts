import { abortReason } from '../kernel/clock.js'
import type { Destination } from './endpoint.js'

/** Thrown when no headers arrived in time; told apart from an abort by the user. */
export class HeaderTimeout extends Error {
  override readonly name = 'HeaderTimeout'
}

/** One attempt on the wire. */
export interface Exchange {
  readonly response: Response
  /** Unhooks the caller's signal; call it when the body has ended or is no longer wanted. */
  release(): void
}

/** What to send. */
export interface Outgoing {
  readonly url: Destination
  readonly headers: Record<string, string>
  readonly body: string
  /** The caller's signal: aborts the attempt at any moment, also while the body streams. */
  readonly signal?: AbortSignal | undefined
  /** Longest wait for the response headers, in ms. */
  readonly headerTimeoutMs: number
}

/**
 * Sends one attempt. The only place of the request path that touches the network.
 * Redirects are refused: a credential must not follow one to another host.
 * @throws HeaderTimeout, the abort reason of the caller, or what `fetch` throws
 */
export async function send(fetch: typeof globalThis.fetch, outgoing: Outgoing): Promise<Exchange> {
  const { signal } = outgoing
  if (signal?.aborted) throw abortReason(signal)
  const controller = new AbortController()
  const onAbort = (): void => {
    if (signal) controller.abort(abortReason(signal))
  }
  signal?.addEventListener('abort', onAbort, { once: true })
  const release = (): void => signal?.removeEventListener('abort', onAbort)
  const timer = setTimeout(() => controller.abort(new HeaderTimeout()), outgoing.headerTimeoutMs)
  try {
    const response = await fetch(outgoing.url, {
      method: 'POST',
      headers: outgoing.headers,
      body: outgoing.body,
      signal: controller.signal,
      redirect: 'error',
      // Bun's own five-minute limit would cut long answers; the host passes the same.
      timeout: false,
    } as RequestInit)
    return { response, release }
  } catch (error) {
    release()
    throw controller.signal.aborted ? abortReason(controller.signal) : error
  } finally {
    clearTimeout(timer)
  }
}
