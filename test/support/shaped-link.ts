import net from 'node:net'

/** A slow line to a server: what goes through it is delayed and counted. */
export interface ShapedLink {
  readonly port: number
  /** Bytes that came from clients and from the server so far. */
  readonly bytes: { readonly up: number; readonly down: number }
  close(): Promise<void>
}

interface Line {
  readonly bitsPerSecond: number
  /** One way. */
  readonly delayMs: number
}

/** Pieces in which a line sends, so that connections share it fairly. */
const PIECE_BYTES = 1_500
/** What may wait in front of a line before its sender is held back. */
const MAX_WAITING_BYTES = 64 * 1024

/**
 * Puts a line in front of a server on this machine. All connections share its rate in each direction, first come first
 * served; opening a connection takes a round trip more than on loopback.
 */
export async function startShapedLink(options: {
  readonly port: number
  readonly bitsPerSecond: number
  readonly roundTripMs: number
}): Promise<ShapedLink> {
  const line: Line = {
    bitsPerSecond: options.bitsPerSecond,
    delayMs: options.roundTripMs / 2,
  }
  const bytes = { up: 0, down: 0 }
  const up = createLine(line, (count) => (bytes.up += count))
  const down = createLine(line, (count) => (bytes.down += count))
  const sockets = new Set<net.Socket>()
  const server = net.createServer({ allowHalfOpen: true }, (client) => {
    const target = net.connect({ port: options.port, host: '127.0.0.1', allowHalfOpen: true })
    // The client believes itself connected; its first bytes wait for the round trip that this took.
    up.carry(client, target, options.roundTripMs)
    down.carry(target, client, 0)
    for (const [one, other] of [
      [client, target],
      [target, client],
    ] as const) {
      sockets.add(one)
      one.setNoDelay(true)
      one.on('error', () => other.destroy())
      one.once('close', (hadError) => {
        sockets.delete(one)
        if (hadError) other.destroy()
      })
    }
  })
  await new Promise<void>((resolve, reject) =>
    server.once('error', reject).listen(0, '127.0.0.1', resolve),
  )
  return {
    port: (server.address() as net.AddressInfo).port,
    bytes,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

/** One direction. */
function createLine({ bitsPerSecond, delayMs }: Line, count: (bytes: number) => void) {
  /** When the line has sent all that it was given, on `performance.now()`. */
  let freeAt = 0
  return {
    carry(from: net.Socket, to: net.Socket, setUpMs: number): void {
      const openAt = performance.now() + setUpMs
      let waiting = 0
      /** Timers may come out of turn by a millisecond; what they deliver must not. */
      const inOrder: (() => void)[] = []
      const deliver = (at: number, what: () => void): void => {
        inOrder.push(what)
        setTimeout(() => inOrder.shift()?.(), Math.max(0, at - performance.now()))
      }
      let lastAt = openAt
      from.on('data', (chunk: Buffer) => {
        count(chunk.length)
        for (let start = 0; start < chunk.length; start += PIECE_BYTES) {
          const piece = chunk.subarray(start, start + PIECE_BYTES)
          freeAt =
            Math.max(freeAt, openAt, performance.now()) + (piece.length * 8_000) / bitsPerSecond
          lastAt = freeAt + delayMs
          waiting += piece.length
          deliver(lastAt, () => {
            waiting -= piece.length
            if (!to.destroyed) to.write(piece)
            if (waiting < MAX_WAITING_BYTES) from.resume()
          })
        }
        if (waiting >= MAX_WAITING_BYTES) from.pause()
      })
      from.once('end', () => deliver(Math.max(lastAt, performance.now() + delayMs), () => to.end()))
    },
  }
}
