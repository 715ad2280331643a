import { once } from 'node:events'
import type http from 'node:http'

import { onTestFinished } from 'vitest'
import { WebSocket } from 'ws'

import type { Simulator } from '../../simulator/index.js'

/** An event as it came; a message that is no JSON is its text. */
export type Received = Readonly<Record<string, unknown>> | string

/** A WebSocket to the simulator. */
export interface Client {
  readonly socket: WebSocket
  /** Sends a frame and waits for the end of its answer, or of the connection. */
  turn(frame: object | string): Promise<Received[]>
  /** Code and reason, once it is closed. */
  readonly closed: Promise<{ code: number; reason: string }>
}

/** How the simulator refused to open one. */
export interface Refused {
  readonly status: number | undefined
  readonly headers: http.IncomingHttpHeaders
  readonly body: string
}

interface ConnectOptions {
  readonly headers?: Readonly<Record<string, string>>
  readonly deflate?: boolean
}

const ENDS = /^(?:response\.(?:completed|failed|incomplete|done)|error)$/

function dial(
  simulator: Simulator,
  account: string,
  { headers, deflate }: ConnectOptions,
): WebSocket {
  return new WebSocket(`${simulator.backend.replace(/^http/, 'ws')}/codex/responses`, {
    headers: { ...headers, authorization: `Bearer ${simulator.login(account).access_token}` },
    perMessageDeflate: deflate ?? false,
  })
}

/** Opens one, signed in as the account. */
export async function connect(
  simulator: Simulator,
  account = 'one',
  options: ConnectOptions = {},
): Promise<Client> {
  const socket = dial(simulator, account, options)
  socket.on('error', () => undefined)
  onTestFinished(() => socket.terminate())
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.once('close', (code, reason) => resolve({ code, reason: reason.toString() }))
  })
  await once(socket, 'open')
  return {
    socket,
    closed,
    async turn(frame) {
      const received: Received[] = []
      const ended = new Promise<void>((resolve) => {
        socket.on('message', function onMessage(data: Buffer, isBinary) {
          const text = isBinary ? `binary ${data.toString('hex')}` : data.toString('utf8')
          const event = parsed(text)
          received.push(event)
          if (typeof event === 'string' || !ENDS.test(String(event.type))) return
          socket.off('message', onMessage)
          resolve()
        })
      })
      socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame))
      await Promise.race([ended, closed])
      return received
    },
  }
}

/** Tries to open one that is refused. */
export async function refused(
  simulator: Simulator,
  account = 'one',
  options: ConnectOptions = {},
): Promise<Refused> {
  const socket = dial(simulator, account, options)
  socket.on('error', () => undefined)
  const [, response] = (await once(socket, 'unexpected-response')) as [
    unknown,
    http.IncomingMessage,
  ]
  const parts: Buffer[] = []
  for await (const part of response) parts.push(part as Buffer)
  socket.terminate()
  return {
    status: response.statusCode,
    headers: response.headers,
    body: Buffer.concat(parts).toString('utf8'),
  }
}

/** The types of events; a message that is none by its text. */
export function typesOf(events: readonly Received[]): string[] {
  return events.map((event) => (typeof event === 'string' ? event : String(event.type)))
}

function parsed(text: string): Received {
  try {
    return JSON.parse(text) as Received
  } catch {
    return text
  }
}
