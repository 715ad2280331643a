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
