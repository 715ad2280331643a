import { getEventListeners } from 'node:events'

import fc from 'fast-check'
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest'

import { deadlineFor, REQUEST_DEADLINE_MS, startDeadline } from '../../lib/request/deadline.js'
import { isHostSafe } from '../../lib/request/failures/host-text.js'
import { type Core, createCore } from '../../lib/core.js'
import { resolvePaths } from '../../lib/kernel/files/paths.js'
import { firstTurn } from '../support/core-over.js'
import { aHome, homeIn } from '../support/home.js'

/** OpenCode gives up waiting for an answer after this and asks again, ms. */
const HOST_GIVES_UP_MS = 300_000

const encode = (text: string): Uint8Array => new TextEncoder().encode(text)
const CREATED = 'data: {"type":"response.created","response":{}}\n\n'
const ANSWER =
  'data: {"type":"response.output_text.delta","delta":"hi"}\n\ndata: {"type":"response.completed","response":{"usage":{"input_tokens":1,"output_tokens":1}}}\n\n'
const sse = { status: 200, headers: { 'content-type': 'text/event-stream' } }

/** What a backend may do with one attempt; `signal` is that of the attempt. */
type Deed = (signal: AbortSignal) => Promise<Response>
const never = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const status =
  (code: number, headers: Record<string, string> = {}): Deed =>
  async () =>
    new Response('{"error":{"message":"no"}}', { status: code, headers })
const streamOf =
  (start: string, everyMs: number, then?: string): Deed =>
  async (signal) => {
    let count = 0
    return new Response(
      new ReadableStream<Uint8Array>({
        start: (controller) => {
          controller.enqueue(encode(start))
          signal.addEventListener('abort', () => controller.error(signal.reason))
        },
        async pull(controller) {
          await pause(everyMs)
          count += 1
          if (then === undefined || count < 20) controller.enqueue(encode(': alive\n\n'))
          else {
            controller.enqueue(encode(then))
            controller.close()
          }
        },
      }),
      sse,
    )
  }
const DEEDS: Readonly<Record<string, Deed>> = {
  'never answers': never,
  'answers late with a fault': async (signal) => {
    await Promise.race([pause(55_000), never(signal)])
    return new Response('', { status: 503 })
  },
  'is at fault': status(503),
  'asks for a pause': status(503, { 'retry-after': '4' }),
  'asks for a long pause': status(503, { 'retry-after': '250' }),
  'limits requests': status(429, { 'retry-after': '3' }),
  'is at its limit for minutes': async () =>
    new Response('{"error":{"type":"usage_limit_reached","resets_in_seconds":200}}', {
      status: 429,
    }),
  'cuts the line': async () => Promise.reject(new TypeError('fetch failed')),
  'never ends its error': async () =>
    new Response(
      new ReadableStream({ start: (controller) => controller.enqueue(encode('{"err')) }),
      { status: 500 },
    ),
  'thinks for ever': streamOf(CREATED, 20_000),
  'thinks for minutes': streamOf(CREATED, 20_000, ANSWER),
  'is silent after its headers': async () => new Response(new ReadableStream(), sse),
  'answers with nothing': async () =>
    new Response('data: {"type":"response.completed","response":{"output":[]}}\n\n', sse),
  'begins JSON and stops': async () =>
    new Response(
      new ReadableStream({ start: (controller) => controller.enqueue(encode('{"id":')) }),
      { status: 200 },
    ),
}

interface Outcome {
  readonly response: Response
  readonly tookMs: number
}

let core: Core | undefined
afterEach(closed)

/** Closes the core while its time still passes: a file it is just writing has a lock with timers of its own. */
async function closed(): Promise<void> {
  let isClosed = core === undefined
  void core?.close().finally(() => {
    isClosed = true
  })
  core = undefined
  for (let step = 0; step < 2_000 && !isClosed; step += 1) {
    if (vi.isFakeTimers()) await vi.advanceTimersByTimeAsync(50)
    await new Promise((resolve) => setImmediate(resolve))
  }
  vi.useRealTimers()
}

async function coreWith(
  deeds: readonly Deed[],
  accounts: number,
  env: NodeJS.ProcessEnv,
): Promise<Core> {
  const names = Array.from({ length: accounts }, (_, index) => ({
    refreshToken: `rt${index}`,
    accessToken: `at${index}`,
    expiresAt: Date.now() + 86_400_000,
    accountId: `ws${index}`,
    addedAt: 1,
    lastUsed: 0,
  }))
  const home = await aHome(names)
  let next = 0
  const fetch = async (_url: unknown, init?: RequestInit): Promise<Response> => {
    const deed = deeds[Math.min(next, deeds.length - 1)] ?? never
    next += 1
    return deed(init?.signal ?? new AbortController().signal)
  }
  const all = {
    ...homeIn(home),
    OC_CODEX_SIMULATOR_BACKEND: 'http://127.0.0.1:9/backend-api',
    OC_CODEX_SIMULATOR_ISSUER: 'http://127.0.0.1:9',
    ...env,
  }
  core = await createCore({
    host: { log: () => undefined, toast: () => undefined },
    paths: resolvePaths(all),
    env: all,
    directory: home,
    fetch,
  })
  return core
}

/** Sends one request and lets the time pass, far faster than it does, until the answer is there. */
async function answered(over: Core, body: string, arrivedAt?: number): Promise<Outcome> {
  const before = performance.now()
  let outcome: Outcome | undefined
  const done = over
    .fetch(
      'https://api.openai.com/v1/responses',
      { method: 'POST', headers: { 'session-id': 'ses_1' }, body },
      arrivedAt,
    )
    .then((response) => {
      outcome = { response, tookMs: performance.now() - before }
    })
  while (outcome === undefined && performance.now() - before < 2 * HOST_GIVES_UP_MS) {
    await vi.advanceTimersByTimeAsync(500)
    // The account file is read in between, which no fake clock hurries.
    await new Promise((resolve) => setImmediate(resolve))
  }
  if (outcome === undefined) throw new Error('no answer')
  await done
  return outcome
}

const fakeTime = (): void =>
  void vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'],
  })
const PATIENT = {
  CODEX_AUTH_RETRY_PROFILE: 'aggressive',
  CODEX_AUTH_FETCH_TIMEOUT_MS: '290000',
  CODEX_AUTH_RETRY_ALL_MAX_WAIT_MS: '280000',
  CODEX_AUTH_RETRY_ALL_MAX_RETRIES: '10',
  CODEX_AUTH_STREAM_STALL_TIMEOUT_MS: '0',
  CODEX_AUTH_EMPTY_RESPONSE_RETRY_DELAY_MS: '60000',
  CODEX_AUTH_EMPTY_RESPONSE_MAX_RETRIES: '20',
}

/** What a request loads by the way takes real time, which the fake clock would run past. */
beforeAll(() =>
  Promise.all([
    import('../../lib/core-late.js'),
    import('../../lib/request/late/late.js'),
    import('../../lib/tokens/engine.js'),
    import('../../lib/accounts/store/transactions.js'),
    import('../../lib/kernel/files/writing.js'),
  ]),
)

describe('the time of one request', () => {
  it('is up before OpenCode gives up and asks a second time, whatever the backend does and however patient the settings are', async () => {
    const body = await firstTurn()
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...Object.keys(DEEDS)), { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 1, max: 4 }),
        fc.constantFrom({}, PATIENT),
        async (names, accounts, env) => {
          fakeTime()
          try {
            const { response, tookMs } = await answered(
              await coreWith(
                names.map((name) => DEEDS[name] ?? never),
                accounts,
                env,
              ),
              body,
            )
            expect(tookMs).toBeLessThan(HOST_GIVES_UP_MS - 10_000)
            expect([200, 400, 401, 403, 413]).toContain(response.status)
            if (response.status !== 200)
              expect(
                isHostSafe(
                  (JSON.parse(await response.text()) as { error: { message: string } }).error
                    .message,
                ),
              ).toBe(true)
            else void response.body?.cancel().catch(() => undefined)
          } finally {
            await closed()
          }
        },
      ),
      {
        numRuns: 36,
        examples: Object.keys(DEEDS).flatMap((name): [string[], number, object][] => [
          [[name], 1, {}],
          [[name], 3, PATIENT],
        ]),
      },
    )
  }, 120_000)

  it('does not end an answer the model is still thinking about: it is handed over as it comes', async () => {
    fakeTime()
    const { response, tookMs } = await answered(
      await coreWith([streamOf(CREATED, 20_000, ANSWER)], 1, {}),
      await firstTurn(),
    )
    expect(response.status).toBe(200)
    expect(tookMs).toBeLessThan(REQUEST_DEADLINE_MS + 2_000)
    const reading = response.text()
    for (let step = 0; step < 200; step += 1) {
      await vi.advanceTimersByTimeAsync(2_000)
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(await reading).toContain('response.completed')
  })

  it('is not spent on a wait that would go beyond it: the sentence comes at once and says until when', async () => {
    fakeTime()
    const limit: Deed = async () =>
      new Response('{"error":{"type":"usage_limit_reached","resets_in_seconds":200}}', {
        status: 429,
      })
    const slow: Deed = async () => {
      await pause(100_000)
      return new Response('', { status: 503 })
    }
    const { response, tookMs } = await answered(
      await coreWith([slow, limit], 1, PATIENT),
      await firstTurn(),
    )
    expect(tookMs).toBeLessThan(110_000)
    expect(
      (JSON.parse(await response.text()) as { error: { message: string } }).error.message,
    ).toMatch(/used up.*free again/)
  })

  it('is measured by a clock that nobody sets: a machine whose time jumps waits no longer', async () => {
    fakeTime()
    const limit: Deed = async () => {
      vi.setSystemTime(Date.now() - 3_600_000)
      return new Response('{"error":{"type":"usage_limit_reached","resets_in_seconds":20}}', {
        status: 429,
      })
    }
    const over = await coreWith([limit], 1, { CODEX_AUTH_RETRY_ALL_MAX_WAIT_MS: '60000' })
    expect((await answered(over, await firstTurn())).tookMs).toBeLessThan(HOST_GIVES_UP_MS - 10_000)
  })

  it('runs from the call of the host: what the plugin needed to load is not given on top', async () => {
    fakeTime()
    const over = await coreWith([never], 1, PATIENT)
    await vi.advanceTimersByTimeAsync(280_000)
    const { tookMs } = await answered(over, await firstTurn(), performance.now() - 280_000)
    expect(tookMs).toBeLessThan(10_000)
  })

  it('is shorter where the host has been told to wait less, and never longer', () => {
    expect(deadlineFor(60_000)).toBe(57_000)
    expect(deadlineFor(900_000)).toBe(REQUEST_DEADLINE_MS)
    expect(deadlineFor(undefined)).toBe(REQUEST_DEADLINE_MS)
    expect(REQUEST_DEADLINE_MS).toBeLessThan(HOST_GIVES_UP_MS)
  })
})

it('leaves nothing on a signal of the host that outlives its requests (every derived signal would stay on it in Node 20)', () => {
  const host = new AbortController()
  const acts = { handOver: () => undefined, giveUp: () => undefined }
  for (let request = 0; request < 100; request += 1)
    startDeadline(host.signal, { ms: 1_000, startedAt: performance.now() }, acts).close()
  expect(getEventListeners(host.signal, 'abort')).toEqual([])
  const dependants = Object.getOwnPropertySymbols(host.signal).find((symbol) =>
    String(symbol).includes('Dependant'),
  )
  const kept = dependants && (Reflect.get(host.signal, dependants) as Set<unknown> | undefined)
  expect(kept?.size ?? 0).toBe(0)
})
