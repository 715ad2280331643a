import { CodexError } from '../kernel/errors.js'
import { attempt, mayWait, noteTokenError } from './attempt.js'
import type { ObjectText } from './body/json-edit.js'
import { bodyFor } from './body/reasoning.js'
import { chooseTarget } from './choose.js'
import { type AttemptResult, lateOf, type RequestRun, type Target } from './run.js'
import { type AttemptRecord, pseudonymOf } from './trace/trace.js'

/**
 * Asks accounts until one answers, the user has to be told, or the time is up. The numbers are the steps of
 * docs/development/ARCHITECTURE.md.
 * @throws CodexError for the user; the reason of the signal when aborted
 */
export async function serve(run: RequestRun): Promise<Response> {
  const { sessionId, signal, deadline } = run
  const { sessions } = run.runtime
  for (;;) {
    if (signal.aborted || (run.last !== undefined && !deadline.allows(0)))
      throw (await lateOf(run)).overdue(run, run.last)
    // Another window may have moved the session: who has it now is asked first, and the body is made by what is known now.
    if (sessionId !== undefined && run.prepared.hasEncryptedReasoning) sessions.refresh()
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
    else {
      const { handBack, recover } = await lateOf(run)
      if (result.ok) return handBack(run, target, { ...result, account: body })
      await recover(run, target, result)
    }
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
      onEnd: done,
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

async function leaveWithoutToken(run: RequestRun, { account }: Target): Promise<void> {
  run.tried.add(account.uid)
  run.reason = 'switched_account_after_token_failure'
  run.pool = await run.runtime.store.read()
}
