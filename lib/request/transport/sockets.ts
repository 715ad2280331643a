import { type OpenWebSocket, Socket } from './socket.js'

/** Connections of one process at the same time. */
const MAX_SOCKETS = 6
/** An idle connection is closed after this, ms. */
const IDLE_MS = 5 * 60_000
/** The backend ends a connection at 60 minutes; one this old serves no further request, ms. */
const MAX_AGE_MS = 55 * 60_000
/** An open connection is there after one round trip and a half or two; longer than this is a wall, ms. */
const CONNECT_MS = 5_000

/** How often connections are looked at: idle, or of an account that is signed out, ms. */
const SWEEP_MS = 15_000
/** The close code of RFC 6455 §7.4.1 for a message that is too big. */
const TOO_LARGE = 1009
const MAX_REMEMBERED = 200

/** Whose connection it is. A conversation is bound to its connection, and a connection to its account. */
export interface Owner {
  readonly uid: string
  readonly sessionId: string
}

/** Where a connection goes. */
export interface Dial {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly proxy?: string | undefined
}

/** The connections of this process, one for each conversation and account. */
export class Sockets {
  readonly #open: OpenWebSocket
  readonly #now: () => number
  readonly #sockets = new Map<string, Socket>()
  /** Being opened. */
  readonly #coming = new Set<string>()
  /** Conversations whose next request goes another way, since a connection of theirs broke off within an answer. */
  readonly #broken = new Set<string>()
  /** Conversations with a request too large for a connection. */
  readonly #tooLarge = new Set<string>()
  #sweep: NodeJS.Timeout | undefined
  #isClosed = false
  readonly #signedIn: () => Promise<ReadonlySet<string>>

  /** @param signedIn the accounts that may serve; connections of others are closed */
  constructor(
    open: OpenWebSocket,
    now: () => number,
    signedIn: () => Promise<ReadonlySet<string>>,
  ) {
    this.#open = open
    this.#now = now
    this.#signedIn = signedIn
  }

  /** Asked once for a request. */
  isWayOpen(owner: Owner): boolean {
    const key = keyOf(owner)
    return !this.#broken.delete(key) && !this.#tooLarge.has(key)
  }

  /** A connection that is open and free, if there is one. */
  existing(owner: Owner): Socket | undefined {
    const socket = this.#sockets.get(keyOf(owner))
    if (socket === undefined || !socket.isFree) return undefined
    if (this.#now() - socket.openedAtMs < MAX_AGE_MS) return socket
    socket.close()
    return undefined
  }

  /** Whether a new connection may be opened: a conversation has one, and the process a handful. */
  mayConnect(owner: Owner): boolean {
    const key = keyOf(owner)
    if (this.#isClosed || this.#coming.has(key) || this.#sockets.has(key)) return false
    if (this.#sockets.size + this.#coming.size < MAX_SOCKETS) return true
    const idle = [...this.#sockets.values()].filter(({ isFree }) => isFree)
    const [oldest] = idle.sort((left, right) => left.usedAtMs - right.usedAtMs)
    oldest?.close()
    return oldest !== undefined
  }

  /** @throws ConnectionRefused; the reason of the signal */
  async connect(owner: Owner, { url, ...options }: Dial, signal: AbortSignal): Promise<Socket> {
    const key = keyOf(owner)
    this.#coming.add(key)
    try {
      const socket: Socket = await Socket.connect(() => this.#open(url, options), {
        now: this.#now,
        timeoutMs: CONNECT_MS,
        signal,
        onClose: ({ withinAnswer, code }) => {
          if (this.#sockets.get(key) === socket) this.#sockets.delete(key)
          if (withinAnswer) remember(this.#broken, key)
          if (code === TOO_LARGE) remember(this.#tooLarge, key)
        },
      })
      if (this.#isClosed) socket.close()
      else this.#sockets.set(key, socket)
      this.#startSweeping()
      return socket
    } finally {
      this.#coming.delete(key)
    }
  }

  close(): void {
    this.#isClosed = true
    clearInterval(this.#sweep)
    for (const socket of [...this.#sockets.values()]) socket.close()
  }

  #startSweeping(): void {
    if (this.#sweep !== undefined || this.#isClosed) return
    this.#sweep = setInterval(() => void this.#closeUnused().catch(() => undefined), SWEEP_MS)
    this.#sweep.unref()
  }

  async #closeUnused(): Promise<void> {
    const nowMs = this.#now()
    const uids = await this.#signedIn()
    for (const [key, socket] of [...this.#sockets]) {
      const isIdle = socket.isFree && Math.abs(nowMs - socket.usedAtMs) > IDLE_MS
      if (isIdle || !uids.has(key.slice(0, key.indexOf('\n')))) socket.close()
    }
    if (this.#sockets.size > 0) return
    clearInterval(this.#sweep)
    this.#sweep = undefined
  }
}

function keyOf({ uid, sessionId }: Owner): string {
  return `${uid}\n${sessionId}`
}

/** The oldest makes room. */
function remember(keys: Set<string>, key: string): void {
  keys.add(key)
  const [oldest] = keys
  if (keys.size > MAX_REMEMBERED && oldest !== undefined) keys.delete(oldest)
}
