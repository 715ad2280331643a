import type { FullReason } from './continuation.js'

/** How a request went out. */
export interface Passage {
  readonly transport: 'http' | 'websocket'
  /** Size of the body as the host made it, and as it was sent, in bytes; of text in characters. */
  readonly bodyBytes: number
  readonly sentBytes: number
  /** Why a request over the WebSocket was sent whole; absent for one that was not. */
  readonly full?: FullReason
}

/** What did not have to be sent; undefined where nothing was saved. Pure. */
export function savedBytes(passage: Passage | undefined): number | undefined {
  const saved = passage === undefined ? 0 : passage.bodyBytes - passage.sentBytes
  return saved > 0 ? saved : undefined
}
