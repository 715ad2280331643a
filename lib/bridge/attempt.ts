import type { Account } from '../accounts/account.js'
import type { Tokens } from '../auth/tokens.js'
import type { Config } from '../config/settings.js'
import type { Clock } from '../kernel/clock.js'
import type { QuotaLedger } from '../quota/ledger.js'
import { readingOfEvent, readingOfHeaders } from '../quota/readings.js'
import { DEFAULT_LIMIT_ID } from '../routing/limits.js'
import type { Destination } from './endpoint.js'
import { readErrorBody } from './error-body.js'
import { errorOf } from './error-of-failure.js'
import { assertSendable } from './headers.js'
import { inEvents } from './json-answer.js'
import { classifyEvent, classifyResponse, classifyThrown } from './outcome.js'
import type { Failure } from './outcome-types.js'
import type { Router } from './router.js'
import type { SessionMemory } from './session-memory.js'
import { type BreakReason, openStream, type StreamEnd, TOO_LONG } from './stream.js'
import type { AttemptRecord } from './trace.js'
import { type Exchange, send } from './transport.js'
import { wireRequest, type WireStyle } from './wire.js'

/** A header of the backend's that is no sensible turn state is not echoed. */
const MAX_TURN_STATE = 4096

export interface AttemptDeps {
  readonly fetch: typeof globalThis.fetch
  readonly clock: Clock
  readonly config: Config
  readonly tokens: Tokens
  readonly router: Router
  readonly ledger: QuotaLedger
  readonly sessions: SessionMemory
  readonly userAgent: string
  readonly wire: WireStyle
  readonly label: (account: Account) => string
}

/** One try of one account. */
export interface AttemptInput {
  readonly account: Account
  readonly destination: Destination
  readonly body: string
  readonly model: string
  readonly sessionId: string | undefined
  readonly continuesTurn: boolean
  readonly hostHeaders: HeadersInit | undefined
  readonly signal: AbortSignal | undefined
  /** Longest wait for the response headers, ms. */
  readonly headerTimeoutMs: number
  readonly record: AttemptRecord
  /** False while another account could serve in place of waiting for a token that another process renews. */
  mayWait(): boolean
  /** The backend has taken the request and is at work on its answer, or no longer. */
  onAnswering(is: boolean): void
  onFirstOutput(): void
  /** The stream handed out has ended; once, and only after a success. */
  onEnd(end: StreamEnd): void
}

/** What came of it. */
export type AttemptResult =
  | { readonly ok: true; readonly response: Response; readonly body: ReadableStream<Uint8Array> }
  | { readonly ok: false; readonly failure: Failure; readonly token: string }

/**
 * Sends the request as one account and waits for the first output, the first sign of success.
 * @throws CodexError when the account has no usable token; the reason of the signal when aborted
 */
export async function attempt(deps: AttemptDeps, input: AttemptInput): Promise<AttemptResult> {
  const { clock, ledger, router, config } = deps
  const { account, signal, record, model, headerTimeoutMs } = input
  const access = deps.tokens.access(account, signal, () => input.mayWait())
  const grant = access instanceof Promise ? await access : access
  const { token } = grant
  const limitId = router.limitOf(model)
  const fail = (failure: Failure): AttemptResult => {
    record.outcome = failure.kind
    if (failure.status !== undefined) record.status = failure.status
    if (failure.requestId !== undefined) record.requestId = failure.requestId
    return { ok: false, failure, token }
  }

  const sender = {
    token,
    account: grant.account,
    turnState: input.continuesTurn
      ? deps.sessions.turnState(input.sessionId, account.uid)
      : undefined,
    userAgent: deps.userAgent,
  }
  assertSendable(sender, deps.label(account))
  const wire = wireRequest(deps.wire, {
    hostHeaders: input.hostHeaders,
    sender,
    body: input.body,
    model,
    sessionId: input.sessionId,
  })
  let exchange: Exchange
  try {
    exchange = await send(deps.fetch, {
      url: input.destination,
      ...wire,
      signal,
      headerTimeoutMs,
    })
  } catch (error) {
    if (signal?.aborted === true) throw error
    return fail(classifyThrown({ error, nowMs: clock.now(), aborted: false }))
  }

  const { response } = exchange
  const { headers, status } = response
  const nowMs = clock.now()
  record.headersMs = nowMs - record.startedAtMs
  record.status = status
  const requestId = headers.get('x-request-id') ?? headers.get('x-oai-request-id')
  if (requestId !== null) record.requestId = requestId
  learnFromHeaders(headers, nowMs)

  if (!response.ok) {
    const bodyText = await readErrorBody(response, signal).finally(() => exchange.release())
    return fail(classifyResponse({ status, headers, bodyText, model, limitId, nowMs }))
  }

  input.onAnswering(true)
  try {
    return await opened(exchange)
  } catch (error) {
    if (signal?.aborted === true) throw error
    return fail(classifyThrown({ error, nowMs: clock.now(), aborted: false }))
  } finally {
    input.onAnswering(false)
  }

  async function opened(from: Exchange): Promise<AttemptResult> {
    const answer = await inEvents(from)
    if (answer === undefined) return fail({ kind: 'not_sse', status, once: true })
    // A whole answer is there: asking again could be billed again, whatever it says.
    const once = answer.inOnePiece ? { once: true } : {}
    const stream = await openStream(answer.exchange, {
      idleMs: config.streamStallTimeoutMs,
      ...(signal === undefined ? {} : { signal }),
      observer: {
        onRateLimits: (event) => {
          const reading = readingOfEvent(event, clock.now())
          if (reading !== undefined) ledger.observe(account.uid, reading, clock.now())
        },
        onFirstOutput: () => input.onFirstOutput(),
        onEnd: (end) => input.onEnd(end),
      },
      brokenError: (why) =>
        errorOf(failureOfBreak(why), { label: deps.label(account), nowMs: clock.now() }),
      failedError: (event) =>
        errorOf(classifyEvent({ event, model, limitId, nowMs: clock.now(), headers }), {
          label: deps.label(account),
          nowMs: clock.now(),
        }),
    })
    switch (stream.kind) {
      case 'open':
        record.outcome = 'ok'
        return { ok: true, response: answer.exchange.response, body: stream.body }
      case 'failed':
        return fail({
          ...classifyEvent({ event: stream.event, model, limitId, nowMs: clock.now(), headers }),
          ...once,
        })
      case 'empty':
        return fail({ kind: 'empty', status, ...once })
      case 'not_sse':
        return fail({
          kind: 'not_sse',
          status,
          ...(/^[[{]/.test(stream.start) ? { once: true } : {}),
        })
      case 'broken':
        return fail(
          stream.why === 'network'
            ? classifyThrown({ error: stream.error, nowMs: clock.now(), aborted: false })
            : { ...failureOfBreak(stream.why), status, ...once },
        )
    }
  }

  function learnFromHeaders(from: Headers, atMs: number): void {
    const reading = readingOfHeaders(from, atMs)
    if (reading !== undefined) ledger.observe(account.uid, reading, atMs)
    const active = from.get('x-codex-active-limit')
    if (active !== null && /^[\w-]{1,64}$/.test(active))
      router.learnLimit(model, active.replaceAll('-', '_'))
    else if (
      reading !== undefined &&
      reading.limits.length === 1 &&
      reading.limits[0]?.limitId === DEFAULT_LIMIT_ID
    )
      router.learnLimit(model, DEFAULT_LIMIT_ID)
    const turnState = from.get('x-codex-turn-state')
    if (turnState !== null && turnState.length <= MAX_TURN_STATE)
      deps.sessions.setTurnState(input.sessionId, account.uid, turnState)
  }
}

function failureOfBreak(why: BreakReason): Failure {
  if (why === 'network') return { kind: 'network' }
  return { kind: 'stream_broken', ...(why === 'too_long' ? { message: TOO_LONG } : {}) }
}
