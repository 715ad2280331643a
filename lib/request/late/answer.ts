import type { Account } from '../../accounts/account.js'
import { dropUndefined } from '../../kernel/drop-undefined.js'
import { errorAt } from '../../kernel/errors.js'
import { readingOfEvent, readingOfHeaders } from '../../quota/readings.js'
import { DEFAULT_LIMIT_ID } from '../../routing/limits.js'
import { noteTurnState } from '../attempt.js'
import { classifyEvent, classifyResponse, classifyThrown } from '../failures/classify.js'
import { readErrorBody } from '../failures/facts.js'
import { errorOf, type Failure } from '../failures/failures.js'
import { noteEnd } from './hand-back.js'
import type { Attempt, AttemptResult, RequestRun } from '../run.js'
import { inEvents } from '../stream/json-answer.js'
import { TOO_LONG } from '../stream/scan.js'
import { openStream } from '../stream/stream.js'
import type { BreakReason } from '../stream/upstream.js'
import type { Exchange } from '../transport/passage.js'

/**
 * What came of an attempt that was sent: an answer with its first output, the first sign of success, or a failure.
 * @throws the reason of the signal when aborted
 */
export async function answerOf(
  run: RequestRun,
  one: Attempt,
  sent: { readonly exchange?: Exchange; readonly error?: unknown; readonly token: string },
): Promise<AttemptResult> {
  const { clock } = run.runtime
  const { record, target } = one
  const { exchange, error, token } = sent
  const failed = (failure: Failure): AttemptResult => {
    const { kind, status, requestId } = failure
    Object.assign(record, { outcome: kind }, dropUndefined({ status, requestId }))
    return { ok: false, failure, token }
  }
  if (exchange === undefined) {
    if (run.signal.aborted) throw error
    return failed(classifyThrown(error))
  }
  record.passage = exchange.passage
  const { response } = exchange
  const { headers, status } = response
  const nowMs = clock.now()
  const requestId = headers.get('x-request-id') ?? headers.get('x-oai-request-id') ?? undefined
  Object.assign(record, dropUndefined({ headersMs: nowMs - record.startedAtMs, status, requestId }))
  learnFromHeaders(run, { account: target.account, headers, nowMs })
  if (!response.ok) {
    const bodyText = await readErrorBody(response, run.signal)
    return failed(classifyResponse({ ...askedOf(run, headers), nowMs, status, bodyText }))
  }

  // A caller without streaming gets all of it at once, so there is nothing to hand over.
  run.deadline.answering(run.prepared.wantsStream)
  try {
    const opened = await openAnswer(run, one, response)
    if (!('body' in opened)) return failed(opened)
    record.outcome = 'ok'
    return { ok: true, ...opened }
  } catch (error) {
    if (run.signal.aborted) throw error
    return failed(classifyThrown(error))
  } finally {
    run.deadline.answering(false)
  }
}

/** What an error is judged by, but for the error. */
function askedOf({ runtime, prepared: { model } }: RequestRun, headers: Headers) {
  return { model, limitId: runtime.router.limitOf(model), nowMs: runtime.clock.now(), headers }
}

/** The answer once its first output is there, or why it has none. */
async function openAnswer(
  run: RequestRun,
  { target: { account }, onEnd }: Attempt,
  response: Response,
): Promise<Failure | { readonly response: Response; readonly body: ReadableStream<Uint8Array> }> {
  const { runtime } = run
  const { clock, ledger, config } = runtime
  const { status } = response
  const answer = await inEvents(response)
  if (answer === undefined) return { kind: 'not_sse', status, once: true }
  // A whole answer is there: asking again could be billed again, whatever it says.
  const once = answer.inOnePiece ? ({ once: true } as const) : {}
  const judged = (event: unknown): Failure =>
    classifyEvent({ ...askedOf(run, response.headers), event })
  const shown = (failure: Failure) =>
    errorAt(
      errorOf(failure, { label: runtime.label(account), nowMs: clock.now() }),
      runtime.place(),
    )
  const stream = await openStream(answer.response, {
    idleMs: config.streamStallTimeoutMs,
    signal: run.signal,
    observer: {
      onRateLimits: (event) => {
        const reading = readingOfEvent(event, clock.now())
        if (reading !== undefined) ledger.observe(account.uid, reading, clock.now())
      },
      onFirstOutput: () => {
        run.record.firstOutputMs = clock.now() - run.record.startedAtMs
      },
      onEnd: (end) => {
        onEnd()
        noteEnd(run, account.uid, end)
      },
    },
    brokenError: (why) => shown(failureOfBreak(why)),
    failedError: (event) => shown(judged(event)),
  })
  switch (stream.kind) {
    case 'open':
      return { response: answer.response, body: stream.body }
    case 'failed':
      return { ...judged(stream.event), ...once }
    case 'empty':
      return { kind: 'empty', status, ...once }
    case 'not_sse':
      return { kind: 'not_sse', status, ...(stream.isJson ? { once: true } : {}) }
    case 'broken':
      return stream.why === 'network'
        ? classifyThrown(stream.error)
        : { ...failureOfBreak(stream.why), status, ...once }
  }
}

/** What the headers say of the account's quota, the limit family of the model and the turn. */
function learnFromHeaders(
  run: RequestRun,
  { account, headers, nowMs }: { account: Account; headers: Headers; nowMs: number },
): void {
  const { ledger, router } = run.runtime
  const { model } = run.prepared
  const reading = readingOfHeaders(headers, nowMs)
  if (reading !== undefined) ledger.observe(account.uid, reading, nowMs)
  const [first, ...others] = reading?.limits ?? []
  const active = headers.get('x-codex-active-limit')
  if (active !== null && /^[\w-]{1,64}$/.test(active))
    router.learnLimit(model, active.replaceAll('-', '_'))
  else if (first?.limitId === DEFAULT_LIMIT_ID && others.length === 0)
    router.learnLimit(model, DEFAULT_LIMIT_ID)
  const turnState = headers.get('x-codex-turn-state')
  if (turnState !== null) noteTurnState(run, account.uid, turnState)
}

function failureOfBreak(why: BreakReason): Failure {
  if (why === 'network') return { kind: 'network' }
  return {
    kind: 'stream_broken',
    ...(why === 'too_long' ? { message: TOO_LONG, once: true as const } : {}),
  }
}
