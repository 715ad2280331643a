import { createParser } from 'eventsource-parser'
import * as z from 'zod'

import type { Ended, Running } from './child-process.js'
import { endOf } from './child-process.js'
import { DEFAULT_MODEL, type Host, type RunOptions } from './host.js'

const Part = z.looseObject({ type: z.string(), text: z.string().optional() })
const Message = z.looseObject({
  info: z.looseObject({
    error: z
      .looseObject({ name: z.string(), data: z.looseObject({ message: z.string().optional() }) })
      .optional(),
  }),
  parts: z.array(Part),
})
const Event = z.looseObject({ type: z.string(), properties: z.looseObject({}) })

/** Something OpenCode tells its user interfaces: `message.part.delta`, `session.status`, `session.idle`, … */
type HostEvent = z.infer<typeof Event>

/** What a prompt led to. */
interface Answer {
  /** The text of the last assistant message. */
  readonly text: string
  /** What the user is told when the turn failed. */
  readonly error: string | undefined
  readonly parts: readonly z.infer<typeof Part>[]
}

/** How a prompt is sent. */
interface SendOptions {
  /** `openai/<model>`. */
  readonly model?: string
  readonly variant?: string
  /** The host's usual one when absent. */
  readonly agent?: string
  readonly timeoutMs?: number
}

/** `opencode serve`: one process that answers many prompts, in the same way as the terminal interface. */
export interface HostServer {
  readonly url: string
  readonly process: Running
  /** Events since the start, in order. */
  readonly events: readonly HostEvent[]
  /** Starts a session. A session with a title asks the backend for none. */
  newSession(title?: string): Promise<string>
  /** Sends a prompt and waits for the end of the turn. */
  send(session: string, text: string, options?: SendOptions): Promise<Answer>
  /** What Esc does in the terminal interface. */
  abort(session: string): Promise<void>
  /** Summarises the session, as `/compact` does. */
  compact(session: string): Promise<void>
  /** Any route of OpenCode's own interface; rejects on a status that is not 2xx. */
  request(
    method: 'GET' | 'POST',
    route: string,
    body?: unknown,
    timeoutMs?: number,
  ): Promise<unknown>
  /** Calls the listener for every event from now on. */
  onEvent(listener: (event: HostEvent) => void): void
  stop(signal?: NodeJS.Signals): Promise<Ended>
}

const START_TIMEOUT_MS = 60_000
const TURN_TIMEOUT_MS = 60_000
const STOP_TIMEOUT_MS = 15_000

/** Starts the server and waits until it has built its instance, so that later timings show the prompt alone. */
export async function startHostServer(host: Host, options: RunOptions = {}): Promise<HostServer> {
  const process = host.start(['serve', '--port', '0'], options)
  const announced = await process.waitFor(/listening on (http:\/\/\S+)/, START_TIMEOUT_MS)
  const url = /listening on (http:\/\/\S+)/.exec(announced)?.[1] ?? ''
  const events: HostEvent[] = []
  const listeners = new Set<(event: HostEvent) => void>()
  const closing = new AbortController()

  const address = (route: string): string => {
    const target = new URL(route, url)
    target.searchParams.set('directory', host.project)
    return target.href
  }
  const request: HostServer['request'] = async (
    method,
    route,
    body,
    timeoutMs = TURN_TIMEOUT_MS,
  ) => {
    const response = await fetch(address(route), {
      method,
      signal: AbortSignal.timeout(timeoutMs),
      headers: { 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${route} answered ${response.status}: ${text}`)
    return text === '' ? undefined : (JSON.parse(text) as unknown)
  }
  // A server that ended before may have left a dead connection to the same port behind.
  await request('GET', '/provider', undefined, START_TIMEOUT_MS).catch(() =>
    request('GET', '/provider', undefined, START_TIMEOUT_MS),
  )
  const feed = await fetch(address('/event'), { signal: closing.signal })
  void readEvents(feed, (event) => {
    events.push(event)
    for (const listener of listeners) listener(event)
  }).catch(() => undefined)

  return {
    url,
    process,
    events,
    request,
    async newSession(title) {
      const created = z
        .looseObject({ id: z.string() })
        .parse(await request('POST', '/session', title === undefined ? {} : { title }))
      return created.id
    },
    async send(session, text, { model = DEFAULT_MODEL, variant, agent, timeoutMs } = {}) {
      const [providerID = '', modelID = ''] = model.split('/')
      const body = {
        model: { providerID, modelID },
        ...(variant !== undefined && { variant }),
        ...(agent !== undefined && { agent }),
        parts: [{ type: 'text', text }],
      }
      const { info, parts } = Message.parse(
        await request('POST', `/session/${session}/message`, body, timeoutMs),
      )
      const texts = parts.filter((part) => part.type === 'text').map((part) => part.text ?? '')
      return {
        text: texts.join(''),
        error: info.error && (info.error.data.message ?? info.error.name),
        parts,
      }
    },
    async abort(session) {
      await request('POST', `/session/${session}/abort`)
    },
    async compact(session) {
      const [providerID, modelID] = DEFAULT_MODEL.split('/')
      await request('POST', `/session/${session}/summarize`, { providerID, modelID })
    },
    onEvent: (listener) => void listeners.add(listener),
    stop(signal = 'SIGTERM') {
      closing.abort()
      process.signal(signal)
      return endOf(process, STOP_TIMEOUT_MS)
    },
  }
}

async function readEvents(feed: Response, listener: (event: HostEvent) => void): Promise<void> {
  const parser = createParser({ onEvent: ({ data }) => listener(Event.parse(JSON.parse(data))) })
  const decoder = new TextDecoder()
  for await (const chunk of feed.body ?? []) parser.feed(decoder.decode(chunk, { stream: true }))
}
