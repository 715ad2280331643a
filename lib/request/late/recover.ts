import type { Account } from '../../accounts/account.js'
import { mayWait, noteTokenError } from '../attempt.js'
import { routed } from '../choose.js'
import { CONSEQUENCES } from '../failures/failure-row.js'
import { decideNext, type Failure, rowOf, toastOf } from '../failures/failures.js'
import type { Progress } from '../failures/retry.js'
import type { Passed } from '../notice-words.js'
import { fallbackModel } from './fallback-model.js'
import { budgetOf, errorOfLast, overdue, settle } from './refused.js'
import { type AttemptResult, pass, type RequestDeps, type RequestRun, type Target } from '../run.js'

/** Takes down what a failure says, and makes the request ready for its next attempt. @throws CodexError when there is none */
export async function recover(
  run: RequestRun,
  target: Target,
  { failure, token }: Extract<AttemptResult, { ok: false }>,
): Promise<void> {
  const { clock } = run.runtime
  const { account } = target
  run.last = { failure, account }
  noteFailure(run, target, failure)
  const next = decideNext(failure, progressOf(run, account.uid))
  const again = { ...target, choice: 'again' as const }
  switch (next.do) {
    case 'stop':
      // The error tells of it.
      pass(run, account.uid, { label: '', ...passedBy(failure) })
      throw errorOfLast(run, run.last)
    case 'next_account':
      leave(run, account, failure)
      return
    case 'again':
      if (!run.deadline.allows(next.afterMs)) throw overdue(run, run.last)
      await clock.sleep(next.afterMs, run.signal)
      run.again = again
      run.reason =
        failure.kind === 'empty' ? 'repeated_after_empty_answer' : `repeated_after_${failure.kind}`
      return
    case 'refresh':
      await refresh(run, again, token)
      return
    case 'drop_reasoning':
      run.droppedReasoning = true
      run.again = again
      run.reason = 'repeated_without_encrypted_reasoning'
      return
    case 'repair_history':
      if (!repairHistory(run)) throw errorOfLast(run, run.last)
      run.again = again
      run.reason = 'repeated_with_repaired_history'
      return
    case 'other_model':
      if (!fallBack(run)) throw errorOfLast(run, run.last)
      run.reason = 'fell_back_to_another_model'
  }
}

/** For other requests and other windows: who is to blame, and what is blocked until when. */
function noteFailure({ runtime }: RequestDeps, target: Target, failure: Failure): void {
  const { uid } = target.account
  const nowMs = runtime.clock.now()
  const { breaker, health } = CONSEQUENCES[rowOf(failure.kind).blame]
  runtime.metrics.count(`failures.${failure.kind}`)
  if (failure.block !== undefined) runtime.ledger.block(uid, failure.block)
  if (health !== undefined) runtime.router.record(uid, health, nowMs)
  if (breaker === 'failed') target.breaker.failed(nowMs)
  if (breaker === 'reached') target.breaker.reached()
}

function progressOf(run: RequestRun, uid: string): Progress {
  const { router, clock, random, config } = run.runtime
  return {
    budget: budgetOf(run),
    refreshed: run.refreshedUid === uid,
    droppedReasoning: run.droppedReasoning,
    repairedHistory: run.repairedHistory,
    hasEncryptedReasoning: run.prepared.hasEncryptedReasoning,
    hasAlternative: () => router.hasAlternative(run.pool, routed(run, uid), clock.now()),
    random: random(),
    emptyRetryDelayMs: config.emptyResponseRetryDelayMs,
  }
}

function leave(run: RequestRun, account: Account, failure: Failure): void {
  const { runtime } = run
  const { clock, ledger } = runtime
  const { uid } = account
  const { kind } = failure
  const block = rowOf(kind).blockOnLeave?.of({ nowMs: clock.now() })
  if (block !== undefined) ledger.block(uid, block)
  pass(run, uid, { label: runtime.label(account), ...passedBy(failure) })
  run.tried.add(uid)
  run.reason = `switched_account_after_${kind}`
}

/** Why an account is left, for the message about who continues. */
function passedBy({ kind, block }: Failure): Omit<Passed, 'label'> {
  const why = toastOf(kind)
  if (rowOf(kind).blame !== 'limit') return { why, kind: 'other' }
  const detail = block?.detail
  return {
    why: detail === undefined ? why : `is at its ${detail}`,
    kind: 'limit',
    untilMs: block?.untilMs,
  }
}

/** Another token for the same account; the next account where there is none. */
async function refresh(run: RequestRun, target: Target, token: string): Promise<void> {
  const { tokens, store } = run.runtime
  const { uid, kind } = target.account
  run.refreshedUid = uid
  try {
    const { account } = await tokens.afterUnauthorized(target.account, token, run.signal, () =>
      mayWait(run, uid),
    )
    run.again = { ...target, account }
    run.reason = 'repeated_after_refresh'
  } catch (error) {
    noteTokenError(run, target.account, error)
    // A key that is refused stays refused until the user replaces it; a login may be renewed by the next request.
    if (kind === 'api-key') leave(run, target.account, { kind: 'unauthorized' })
    run.tried.add(uid)
    run.reason = 'switched_account_after_unauthorized'
  }
  run.pool = await store.read()
}

/** @returns false when the tool calls are in pairs already */
function repairHistory(run: RequestRun): boolean {
  const repaired = run.prepared.withPairedTools()
  if (repaired === undefined) return false
  run.runtime.host.log(
    'info',
    'The conversation had tool calls without results; it was repaired for this request.',
  )
  run.prepared = repaired
  run.repairedHistory = true
  return true
}

/** @returns false when the user wants no other model, or none is left */
function fallBack(run: RequestRun): boolean {
  const { prepared, models, runtime } = run
  const { config, host } = runtime
  const model =
    config.unsupportedCodexPolicy === 'fallback'
      ? fallbackModel(prepared.model, config.unsupportedCodexFallbackChain, models)
      : undefined
  if (model === undefined) return false
  host.log('warn', `No account may use ${prepared.model}; continuing with ${model}.`)
  models.add(model)
  settle(run)
  run.prepared = prepared.withModel(model)
  run.record.model = model
  run.tried.clear()
  return true
}
