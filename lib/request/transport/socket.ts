import { abortReason } from '../../kernel/clock.js'
import { type Anchor, anchorAfter } from './continuation.js'
import type { ObjectText } from '../body/json-edit.js'
import { ENDS, type Frame, readFrame, refusalOf, sseText, turnStateOf } from './frames.js'
import { HeaderTimeout } from './http.js'

/** The part of a WebSocket that is used; Bun's own has it, and the package `ws`. */
export interface WebSocketLike {
  binaryType: string
  send(text: string): void
  close(code?: number): void
  /** Ends the connection without a word. */
  terminate?(): void
  ping?(): void
  addEventListener(type: 'open' | 'error' | 'pong', listener: () => void): void
  addEventListener(type: 'close', listener: (event: { readonly code?: number }) => void): void
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void
}

/** Opens a connection. */
export type OpenWebSocket = (
  url: string,
  options: {
    readonly headers: Readonly<Record<string, string>>
    readonly proxy?: string | undefined
  },
) => WebSocketLike

/** A connection that could not be opened; why is hidden by the runtime. */
class ConnectionRefused extends Error {
  override readonly name = 'ConnectionRefused'
}

/** A connection that ended before the first word of an answer: the request may be sent again in another way. */
class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost'
}

/** How a connection ended. */
export interface ConnectionEnd {
  /** Within an answer that had begun. */
  readonly withinAnswer: boolean
  /** The status of RFC 6455 §7.4, where there was one. */
  readonly code: number | undefined
}

/** A line that is idle is looked at this often; routers forget a silent one, and a sleeping laptop loses it, ms. */
const PING_MS = 30_000
/** Nothing heard for this long although it was looked at: the machine slept, ms. */
const DOUBTFUL_MS = 40_000
/** A connection in doubt answers within this, or is given up, ms. */
const PONG_MS = 2_000
/** After the end of an answer the host has work to do; ours waits that long, ms. */
const SOON_MS = 50

interface Turn {
  readonly body: ObjectText
  readonly output: unknown[]
  readonly controller: ReadableStreamDefaultController<Uint8Array>
  /** The first word of the answer, or that there is none. */
  started: boolean
  readonly onStart: (response: Response) => void
  readonly onLost: (error: Error) => void
  readonly onTurnState: (value: string) => void
}

/** One connection: one request at a time, and what the backend holds of it. */
export class Socket {
  /** Makes what a next request may add to: after the answer, so that its end waits for nothing. */
  #makeAnchor: (() => Anchor | undefined) | undefined
  #anchor: Anchor | undefined
  /** Epoch ms. */
  readonly openedAtMs: number
  usedAtMs: number
  /** Of the last word or sign of life, epoch ms. */
  #heardAtMs: number
  readonly #now: () => number
  readonly #socket: WebSocketLike
  #turn: Turn | undefined
  #stream: ReadableStream<Uint8Array> | undefined
  #served = false
  #isOpen = true
  #pings: NodeJS.Timeout | undefined
  #awaitsPong = false
  #onHeard: (() => void) | undefined
  /** The reader wants no more of the answer. */
  #isStopped = false
  readonly #encoder = new TextEncoder()
  readonly #onClose: (end: ConnectionEnd) => void

  /** @param socket one that is open */
  private constructor(
    socket: WebSocketLike,
    now: () => number,
    onClose: (end: ConnectionEnd) => void,
  ) {
    this.#socket = socket
    this.#now = now
    this.openedAtMs = now()
    this.usedAtMs = this.openedAtMs
    this.#heardAtMs = this.openedAtMs
    this.#onClose = onClose
    socket.addEventListener('message', ({ data }) => this.#take(data))
    socket.addEventListener('close', ({ code }) => this.#ended(code))
    socket.addEventListener('error', () => this.#ended())
    socket.addEventListener('pong', () => this.#heard())
    this.#pings = setInterval(() => this.#ping(), PING_MS)
    this.#pings.unref()
  }

  /** @throws ConnectionRefused; the reason of the signal */
  static async connect(
    open: () => WebSocketLike,
    options: {
      readonly now: () => number
      readonly timeoutMs: number
      readonly signal: AbortSignal
      readonly onClose: (end: ConnectionEnd) => void
    },
  ): Promise<Socket> {
    const { signal, timeoutMs, now, onClose } = options
    signal.throwIfAborted()
    const socket = open()
    socket.binaryType = 'arraybuffer'
    const late = (): Error => new ConnectionRefused('no answer in time')
    const opened = inTime<undefined>({ signal, timeoutMs, late }, (resolve, reject) => {
      socket.addEventListener('open', () => resolve(undefined))
      const refuse = (): void => reject(new ConnectionRefused('refused'))
      socket.addEventListener('close', refuse)
      socket.addEventListener('error', refuse)
    })
    try {
      await opened
    } catch (error) {
      end(socket)
      throw error
    }
    return new Socket(socket, now, onClose)
  }

  /** What a next request may add to; undefined before the first answer, and after one that cannot be continued. */
  get anchor(): Anchor | undefined {
    if (this.#makeAnchor !== undefined) this.#anchor = this.#makeAnchor()
    this.#makeAnchor = undefined
    return this.#anchor
  }

  get isFree(): boolean {
    return this.#isOpen && this.#turn === undefined
  }

  /** Whether the backend holds a conversation on this connection: the same must not be sent into it twice. */
  get hasServed(): boolean {
    return this.#served
  }

  /** False after a pause, of a machine that slept say, when nobody answers at the other end. */
  async isAlive(): Promise<boolean> {
    const isDoubtful = Math.abs(this.#now() - this.#heardAtMs) > DOUBTFUL_MS
    if (!this.#isOpen || !isDoubtful || this.#socket.ping === undefined) return this.#isOpen
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), PONG_MS)
      this.#onHeard = () => {
        clearTimeout(timer)
        resolve(true)
      }
      this.#socket.ping?.()
    })
  }

  /**
   * Sends a frame and waits for the first word of the answer, whose body is the answer's events as HTTP would bring them.
   * @throws ConnectionLost, HeaderTimeout, the reason of the signal
   */
  async ask(
    frame: string,
    body: ObjectText,
    options: {
      readonly signal: AbortSignal
      readonly timeoutMs: number
      readonly onTurnState: (value: string) => void
    },
  ): Promise<Response> {
    const { signal, timeoutMs, onTurnState } = options
    signal.throwIfAborted()
    if (!this.#isOpen) throw new ConnectionLost('the connection was closed')
    this.usedAtMs = this.#now()
    this.#served = true
    this.#anchor = undefined
    this.#makeAnchor = undefined
    const late = (): Error => new HeaderTimeout()
    const begun = inTime<Response>({ signal, timeoutMs, late }, (resolve, reject) => {
      const given = { body, output: [], started: false, onTurnState }
      this.#stream = new ReadableStream<Uint8Array>({
        start: (controller) => {
          this.#turn = { ...given, controller, onStart: resolve, onLost: reject }
        },
        cancel: () => {
          this.#isStopped = true
          this.close()
        },
      })
      this.#socket.send(frame)
    })
    try {
      return await begun
    } catch (error) {
      this.close()
      throw error
    }
  }

  /** Ends the connection; an answer that is under way breaks off. */
  close(): void {
    end(this.#socket)
    this.#ended()
  }

  #heard(): void {
    this.#heardAtMs = this.#now()
    this.#awaitsPong = false
    this.#onHeard?.()
    this.#onHeard = undefined
  }

  #take(data: unknown): void {
    this.#heard()
    const turn = this.#turn
    if (turn === undefined) return
    // The backend speaks in texts; what else comes is no Codex backend's.
    if (typeof data !== 'string') {
      this.close()
      return
    }
    const frame = readFrame(data)
    if (frame === undefined) return
    if (!turn.started && this.#begin(turn, frame)) return
    const turnState = turnStateOf(frame)
    if (turnState !== undefined) turn.onTurnState(turnState)
    turn.controller.enqueue(this.#encoder.encode(sseText(frame)))
    if (frame.type === 'response.output_item.done') turn.output.push(frame.event?.item)
    if (ENDS.has(frame.type)) this.#finish(turn, frame)
  }

  /** @returns true for an error in place of an answer */
  #begin(turn: Turn, frame: Frame): boolean {
    turn.started = true
    const refusal = refusalOf(frame)
    if (refusal !== undefined) {
      this.#turn = undefined
      turn.onStart(refusal)
      this.close()
      return true
    }
    turn.onStart(
      new Response(this.#stream ?? null, { headers: { 'content-type': 'text/event-stream' } }),
    )
    return false
  }

  #finish(turn: Turn, { type, event }: Frame): void {
    this.#turn = undefined
    turn.controller.close()
    const response = event?.response
    const id =
      typeof response === 'object' && response !== null && 'id' in response ? response.id : ''
    // What is known of the conversation after a failure is not certain.
    if ((type !== 'response.completed' && type !== 'response.done') || typeof id !== 'string') {
      this.close()
      return
    }
    if (id === '') return
    this.#makeAnchor = () => anchorAfter(turn.body, id, turn.output)
    // The text of the request is let go of soon.
    setTimeout(() => this.anchor, SOON_MS).unref()
  }

  #ended(code?: number): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    clearInterval(this.#pings)
    const turn = this.#turn
    this.#turn = undefined
    // An answer by HTTP that breaks off just ends, too; without its last event it counts as broken.
    if (turn?.started === true && !this.#isStopped) turn.controller.close()
    else turn?.onLost(new ConnectionLost('the connection ended before an answer'))
    this.#onClose({ withinAnswer: turn?.started === true && !this.#isStopped, code })
  }

  #ping(): void {
    if (this.#socket.ping === undefined || this.#turn !== undefined) return
    if (this.#awaitsPong) {
      this.close()
      return
    }
    this.#awaitsPong = true
    this.#socket.ping()
  }
}

/** What `begin` brings, unless the signal aborts or the time is up. @throws the reason of the signal, or `late` */
async function inTime<T>(
  limits: { readonly signal: AbortSignal; readonly timeoutMs: number; readonly late: () => Error },
  begin: (resolve: (value: T) => void, reject: (error: Error) => void) => void,
): Promise<T> {
  const { signal, timeoutMs, late } = limits
  let timer: NodeJS.Timeout | undefined
  let onAbort = (): void => undefined
  try {
    return await new Promise<T>((resolve, reject) => {
      onAbort = () => reject(abortReason(signal))
      signal.addEventListener('abort', onAbort, { once: true })
      timer = setTimeout(() => reject(late()), timeoutMs)
      begin(resolve, reject)
    })
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
  }
}

function end(socket: WebSocketLike): void {
  try {
    if (socket.terminate === undefined) socket.close()
    else socket.terminate()
  } catch {
    // It was never open.
  }
}
