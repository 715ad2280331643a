import { setTimeout as sleep } from 'node:timers/promises'

import type { WebSocket } from 'ws'

import type { Step } from '../codex/stream-faults.js'
import type { Action } from '../scenario.js'

/** Bytes on their way from which the sender waits for the client. */
const MAX_BUFFERED_BYTES = 1024 * 1024

interface FramesContext {
  /** Aborted when the client goes away or the simulator closes. */
  readonly gone: AbortSignal
  /** Pause after each delta, ms. */
  readonly deltaMs: number
  /** 0 up to 1. */
  readonly random: () => number
  /** Called with the text of each event that was sent. */
  readonly onEvent: (text: string) => void
}

/** Sends an answer as messages, one for each event, with everything its actions do to the delivery. */
export async function sendFrames(
  socket: WebSocket,
  steps: Iterable<Step>,
  actions: readonly Action[],
  context: FramesContext,
): Promise<void> {
  const slowMs = actions.reduce(
    (most, action) => (action.type === 'slow' ? Math.max(most, action.ms) : most),
    context.deltaMs,
  )
  const split = actions.find((action) => action.type === 'split')
  for (const action of actions)
    if (action.type === 'latency')
      await pause(action.ms + action.jitterMs * context.random(), context)
  let isEnded = false
  for (const step of steps) {
    if (context.gone.aborted) throw new Error('the client is gone')
    switch (step.do) {
      case 'send': {
        if (step.binary === true) {
          await sent(socket, step.text, { binary: true })
          break
        }
        for (const message of messagesOf(step.text.toString())) {
          await (split === undefined
            ? sent(socket, message, {})
            : sendInPieces(socket, Buffer.from(message), split))
          context.onEvent(message)
        }
        isEnded ||= step.mark === 'tail'
        if (slowMs > 0 && step.mark === 'delta') await pause(slowMs, context)
        break
      }
      case 'ping':
        socket.ping('simulator')
        break
      case 'freeze':
        socket.pause()
        break
      case 'pause':
        await pause(step.ms, context)
        break
      case 'close':
        if (step.code === 1006) await lose(socket, context)
        else socket.close(step.code, step.reason)
        return
      case 'cut':
        await lose(socket, context)
        return
    }
  }
  if (!isEnded) socket.close(1000)
}

/** What was sent has to leave the machine first. */
async function lose(socket: WebSocket, context: FramesContext): Promise<void> {
  await pause(20, context)
  socket.terminate()
}

/** The data of the server-sent events in a text; what is none goes as it is. */
function messagesOf(text: string): string[] {
  return text
    .split('\n\n')
    .filter((event) => event !== '')
    .map((event) => {
      const data = event
        .split('\n')
        .filter((line) => line.startsWith('data: '))
        .map((line) => line.slice('data: '.length))
      return data.length > 0 ? data.join('\n') : event
    })
}

async function sendInPieces(
  socket: WebSocket,
  bytes: Buffer,
  split: Extract<Action, { type: 'split' }>,
): Promise<void> {
  for (let from = 0; from < bytes.length; from += split.bytes) {
    const isLast = from + split.bytes >= bytes.length
    await sent(socket, bytes.subarray(from, from + split.bytes), { binary: false, fin: isLast })
    if (split.ping && !isLast) socket.ping('between')
  }
}

/** Waits only where the client does not keep up. */
async function sent(
  socket: WebSocket,
  data: string | Buffer,
  options: { readonly binary?: boolean; readonly fin?: boolean },
): Promise<void> {
  const written = new Promise<void>((resolve, reject) => {
    socket.send(data, options, (error) => {
      if (error) reject(error)
      else resolve()
    })
  })
  if (socket.bufferedAmount > MAX_BUFFERED_BYTES) await written
  else written.catch(() => undefined)
}

async function pause(ms: number | 'forever', { gone }: FramesContext): Promise<void> {
  await sleep(ms === 'forever' ? 2_147_483_647 : ms, undefined, { signal: gone })
}
