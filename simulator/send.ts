import type http from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

import type { Reply } from './reply.js'
import type { Action } from './scenario.js'
import { shapeBody, shapeStream, type Step } from './codex/stream-faults.js'

/** Events sent together when nothing asks for a pause, in bytes: as a busy server would. */
const BATCH_BYTES = 16 * 1024

/** What keeps an idle stream open over HTTP. */
const PING = Buffer.from(': ping\n\n')

interface SendContext {
  /** Aborted when the client goes away or the simulator closes. */
  readonly gone: AbortSignal
  /** Pause after each delta, ms. */
  readonly deltaMs: number
  /** 0 up to 1. */
  readonly random: () => number
}

/** Sends an answer with everything its actions do to the delivery. */
export async function sendReply(
  response: http.ServerResponse,
  reply: Reply,
  context: SendContext,
): Promise<void> {
  const actions = reply.actions ?? []
  try {
    await beforeHeaders(response, actions, context)
    if (response.destroyed) return
    response.writeHead(reply.status, reply.headers)
    const { body } = reply
    const isStream = typeof body === 'object' && 'frames' in body
    const steps = isStream
      ? shapeStream(body.frames, actions, body.writer)
      : shapeBody(Buffer.from(body), actions)
    if (isStream) response.flushHeaders()
    await run(response, steps, actions, context, isStream)
    response.end()
  } catch {
    response.destroy()
  }
}

async function beforeHeaders(
  response: http.ServerResponse,
  actions: readonly Action[],
  context: SendContext,
): Promise<void> {
  for (const action of actions) {
    if (action.type === 'latency')
      await pause(action.ms + action.jitterMs * context.random(), context)
    if (action.type === 'stall' && action.at === 'connect') await pause(action.ms, context)
    if (action.type === 'cut' && action.at === 'connect') response.destroy()
  }
}

async function run(
  response: http.ServerResponse,
  steps: Iterable<Step>,
  actions: readonly Action[],
  context: SendContext,
  isStream: boolean,
): Promise<void> {
  const slowMs = actions.reduce(
    (most, action) => (action.type === 'slow' ? Math.max(most, action.ms) : most),
    isStream ? context.deltaMs : 0,
  )
  const split = actions.find((action) => action.type === 'split')?.bytes
  let batch: Buffer[] = []
  let batched = 0
  const flush = async (): Promise<void> => {
    if (batched === 0) return
    const bytes = batch.length === 1 ? (batch[0] ?? Buffer.alloc(0)) : Buffer.concat(batch)
    batch = []
    batched = 0
    for (let from = 0; from < bytes.length; from += split ?? bytes.length) {
      const room = response.write(bytes.subarray(from, from + (split ?? bytes.length)))
      if (split !== undefined) await pause(0, context)
      if (!room) await drained(response, context)
    }
  }
  for (const step of steps) {
    if (context.gone.aborted) throw new Error('the client is gone')
    switch (step.do) {
      case 'send': {
        if (step.binary === true) break
        const bytes = Buffer.from(step.text)
        batch.push(bytes)
        batched += bytes.length
        if (batched >= BATCH_BYTES || (slowMs > 0 && step.mark === 'delta')) await flush()
        if (slowMs > 0 && step.mark === 'delta') await pause(slowMs, context)
        break
      }
      case 'pause':
        await flush()
        await pause(step.ms, context)
        break
      case 'ping':
        batch.push(PING)
        batched += PING.length
        break
      case 'freeze':
        break
      case 'close':
        await flush()
        return
      case 'cut':
        await flush()
        // What was written has to be read first, also by a busy client: a reset would take it away.
        await pause(150, context)
        response.destroy()
        throw new Error('cut on purpose')
    }
  }
  await flush()
}

async function pause(ms: number | 'forever', { gone }: SendContext): Promise<void> {
  await sleep(ms === 'forever' ? 2_147_483_647 : ms, undefined, { signal: gone })
}

function drained(response: http.ServerResponse, { gone }: SendContext): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(new Error('the client is gone'))
    response.once('drain', () => {
      gone.removeEventListener('abort', stop)
      resolve()
    })
    gone.addEventListener('abort', stop, { once: true })
  })
}
