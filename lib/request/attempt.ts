import type { Account } from '../accounts/account.js'
import { type CodexError, isCodexError } from '../kernel/errors.js'
import { BusyElsewhere, type Grant } from '../tokens/tokens.js'
import { routed } from './choose.js'
import { MIN_STEP_MS } from './deadline.js'
import { assertSendable } from './headers/headers.js'
import { wireRequest } from './headers/wire.js'
import { type Attempt, type AttemptResult, lateOf, pass, type RequestRun } from './run.js'
import type { Shipment } from './transport/passage.js'

/** A header of the backend's that is no sensible turn state is not echoed. */
const MAX_TURN_STATE = 4096

/**
 * Sends the request as one account and waits for the first output, the first sign of success.
 * @throws CodexError when the account has no usable token; the reason of the signal when aborted
 */
export async function attempt(run: RequestRun, one: Attempt): Promise<AttemptResult> {
  const { tokens } = run.runtime
  const { target } = one
  if (isCodexError(target.destination)) throw target.destination
  const access = tokens.access(target.account, run.signal, () => one.mayWait())
  const grant = access instanceof Promise ? await access : access
  const { account, token } = grant
  const sending = run.transport.send({
    url: target.destination,
    ...outgoingAs(run, one, grant),
    account,
    sessionId: run.sessionId,
    record: run.record,
    timers: run.timers,
    onTurnState: (value) => noteTurnState(run, account.uid, value),
  })
  // What the answer takes is loaded while the backend thinks.
  const late = lateOf(run)
  if (late instanceof Promise) late.catch(() => undefined)
  const sent = await sending.then(
    (exchange) => ({ exchange }),
    (error: unknown) => ({ error }),
  )
  const { answerOf } = await late
  return answerOf(run, one, { ...sent, token })
}

/** The request as an account sends it. @throws CodexError for a login that cannot be sent */
function outgoingAs(
  run: RequestRun,
  { target, body }: Attempt,
  { token, account }: Grant,
): Omit<Shipment, 'url' | 'account' | 'sessionId' | 'record' | 'timers' | 'onTurnState'> {
  const { prepared, sessionId, signal, headers: hostHeaders, runtime, wire } = run
  const sender = {
    token,
    account,
    turnState: prepared.continuesTurn
      ? runtime.sessions.turnState(sessionId, account.uid)
      : undefined,
    userAgent: runtime.userAgent,
  }
  assertSendable(sender, runtime.label(target.account))
  return {
    ...wireRequest(wire, { hostHeaders, sender, body, model: prepared.model, sessionId }),
    signal,
    headerTimeoutMs: Math.max(
      MIN_STEP_MS,
      Math.min(runtime.config.fetchTimeoutMs, run.deadline.leftMs() - MIN_STEP_MS),
    ),
  }
}

export function noteTurnState(
  { runtime, sessionId }: RequestRun,
  uid: string,
  value: string,
): void {
  if (value.length <= MAX_TURN_STATE) runtime.sessions.setTurnState(sessionId, uid, value)
}

/** Another process that renews a token is waited for when no other account can serve. */
export function mayWait(run: RequestRun, uid: string): boolean {
  const { router, clock } = run.runtime
  return run.isLastResort || !router.hasAlternative(run.pool, routed(run, uid), clock.now())
}

/** Why an account has no token. @throws what is no error of ours, the reason of an abort say */
export function noteTokenError(run: RequestRun, account: Account, error: unknown): CodexError {
  if (run.signal.aborted || !isCodexError(error)) throw error
  run.last = { error }
  if (error instanceof BusyElsewhere) run.busy.add(account.uid)
  if (error.code === 'login_required')
    pass(run, account.uid, {
      label: run.runtime.label(account),
      why: 'must sign in again',
      kind: 'login',
    })
  return error
}
