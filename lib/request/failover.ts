import { dropUndefined } from '../kernel/drop-undefined.js'
import { CodexError } from '../kernel/errors.js'
import { attempt, type AttemptResult } from './attempt.js'
import type { HealthEvent } from '../routing/health.js'
import type { ObjectText } from './body/json-edit.js'
import { type AccountBody, bodyFor } from './body/reasoning.js'
import { chooseTarget, overdue } from './choose.js'
import { endingAfter } from './hand-over.js'
import { passedHeaders } from './headers/headers.js'
import { mayWait, noteTokenError, recover } from './recover.js'
import { finish, type RequestRun, type Target } from './run.js'
import { aggregate } from './stream/aggregate.js'
import type { StreamEnd } from './stream/stream.js'
import { type AttemptRecord, pseudonymOf } from './trace/trace.js'
import { savedBytes } from './transport/passage.js'

/** What the end of an answer says of its account; nothing where the reader stopped, which is the fault of neither. */
const HEALTH_OF_END: Readonly<Record<StreamEnd['kind'], HealthEvent | undefined>> = {
  completed: 'succeeded',
  incomplete: 'succeeded',
  failed: 'failed',
  broken: 'network_failed',
  idle: 'network_failed',
  aborted: undefined,
  cancelled: undefined,
}

type Success = Extract<AttemptResult, { ok: true }>

/**
 * Asks accounts until one answers, the user has to be told, or the time is up. The numbers are the steps of
 * docs/development/ARCHITECTURE.md.
 * @throws CodexError for the user; the reason of the signal when aborted
 */
export async function serve(run: RequestRun): Promise<Response> {
  const { sessionId, signal, deadline } = run
  const { sessions } = run.runtime
  // Another window may have moved the session; the account that has it now is asked first.
  if (sessionId !== undefined && run.prepared.hasEncryptedReasoning) sessions.refresh()
  for (;;) {
    if (signal.aborted || (run.last !== undefined && !deadline.allows(0)))
      throw overdue(run, run.last)
    // 3, 1: who sends it, and where to
    const target = run.again ?? (await chooseTarget(run))
    run.again = undefined
    if (target === undefined) continue
    // 2: what it must say to this account
    const body = bodyFor(run.prepared, sessions, {
      uid: target.account.uid,
      sessionId,
      isAlone: run.pool.accounts.length === 1,
      dropAll: run.droppedReasoning,
    })
    // 4–7: with which token, as whom, send, what happened
    const result = await tryTarget(run, target, body.body)
    // 8, 9: what next, or hand back
    if (result === undefined) await leaveWithoutToken(run, target)
    else if (result.ok) return handBack(run, target, { ...result, account: body })
    else await recover(run, target, result)
  }
}

/** Undefined when the account has no usable token or its host is left alone; why is kept for the final error. */
async function tryTarget(
  run: RequestRun,
  target: Target,
  body: ObjectText,
): Promise<AttemptResult | undefined> {
  const { clock, metrics, router } = run.runtime
  const { account, breaker } = target
  if (breaker.openUntil(clock.now(), run) !== undefined) {
    run.last = {
      error: new CodexError(
        'backend_failed',
        'The backend failed many times in a row, so no request is sent to it for a few seconds.',
      ),
    }
    return undefined
  }
  const record: AttemptRecord = {
    account: pseudonymOf(account.uid),
    reason: run.reason,
    choice: target.choice,
    startedAtMs: clock.now(),
  }
  run.record.attempts.push(record)
  metrics.count('attempts')
  const done = router.begin(account.uid, clock.now())
  let isStreaming = false
  try {
    const result = await attempt(run, {
      target,
      body,
      record,
      mayWait: () => mayWait(run, account.uid),
      onEnd: (end) => {
        done()
        noteEnd(run, account.uid, end)
      },
    })
    isStreaming = result.ok
    return result
  } catch (error) {
    record.outcome = noteTokenError(run, account, error).code
    return undefined
  } finally {
    if (!isStreaming) done()
  }
}

/** What the end of an answer says of the account, for the choice, the history and the trace. */
function noteEnd(run: RequestRun, uid: string, { kind, bytes, usage }: StreamEnd): void {
  const { runtime, record } = run
  const atMs = runtime.clock.now()
  record.responseBytes = bytes
  if (usage !== undefined) {
    record.usage = usage
    runtime.history.note(
      dropUndefined({
        type: 'turn' as const,
        atMs,
        uid,
        model: record.model,
        session: run.sessionId,
        ...usage,
        durationMs: atMs - record.startedAtMs,
        attempts: record.attempts.length,
        savedBytes: savedBytes(record.attempts.at(-1)?.passage),
      }),
    )
  }
  const event = HEALTH_OF_END[kind]
  if (event !== undefined) runtime.router.record(uid, event, atMs)
  finish(runtime, run, kind)
}

async function leaveWithoutToken(run: RequestRun, { account }: Target): Promise<void> {
  run.tried.add(account.uid)
  run.reason = 'switched_account_after_token_failure'
  run.pool = await run.runtime.store.read()
}

function handBack(
  run: RequestRun,
  { account: { uid }, breaker }: Target,
  { response, body, account }: Success & { readonly account: AccountBody },
): Promise<Response> | Response {
  const { runtime } = run
  const nowMs = runtime.clock.now()
  breaker.reached()
  runtime.router.served(run.sessionId, uid, nowMs)
  const known = account.served(nowMs)
  // The account is in use, so its next token may be fetched ahead of time; idle ones are never touched.
  if (runtime.config.proactiveRefresh) runtime.tokens.refreshSoon([uid])
  const answered = known === undefined ? body : endingAfter(body, known)
  return run.prepared.wantsStream
    ? new Response(answered, { status: 200, headers: passedHeaders(response.headers) })
    : aggregate(answered)
}
