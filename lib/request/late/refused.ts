import type { Account } from '../../accounts/account.js'
import { dropUndefined } from '../../kernel/drop-undefined.js'
import { CodexError } from '../../kernel/errors.js'
import { routed } from '../choose.js'
import { errorOf } from '../failures/failures.js'
import { errorOfRefusal, type Refusal } from '../failures/refusal.js'
import { createRetryBudget, type RetryBudget, retryLimitsOf } from '../failures/retry.js'
import { noticeOfWait, noticesOfLogins } from '../notice-words.js'
import { COUNTDOWN_MS, WAIT_MARGIN_MS } from '../notices.js'
import { type LastFailure, type RequestDeps, type RequestRun } from '../run.js'

export function noteSwitch({ runtime, last, sessionId }: RequestRun, to: Account): void {
  if (last === undefined || !('failure' in last) || last.account.uid === to.uid) return
  const { account: from, failure } = last
  runtime.history.note(
    dropUndefined({
      type: 'switch' as const,
      atMs: runtime.clock.now(),
      fromUid: from.uid,
      toUid: to.uid,
      reason: failure.kind,
      session: sessionId,
    }),
  )
}

/** The accounts that were left are told by something else. @param tellsLogins also who must sign in again */
export function settle({ notices, passed }: RequestRun, tellsLogins = false): void {
  notices.refused(passed, tellsLogins ? [] : noticesOfLogins(passed))
  passed.clear()
}

/** Waits for another process that renews a token, else for a limit that ends soon. @throws CodexError when neither is to be had */
export async function waitForAnyAccount(run: RequestRun, refusal: Refusal): Promise<void> {
  if (run.busy.size > 0) {
    for (const uid of run.busy) run.tried.delete(uid)
    run.busy.clear()
    run.isLastResort = true
    run.refreshedUid = undefined
    run.reason = 'waited_for_another_process'
    return
  }
  if (!(await waitForLimit(run, refusal.nextFreeAtMs))) throw errorOfChoice(run, refusal)
  run.tried.clear()
  run.pool = await run.runtime.store.read()
  run.reason = 'waited_for_a_limit'
}

/**
 * Waits for the first account to come free, if the user allows that long a wait.
 * @param freeAtMs when that is; undefined when it is not known
 * @returns false when it was not waited for
 * @throws the reason of the request's signal
 */
async function waitForLimit(run: RequestRun, freeAtMs: number | undefined): Promise<boolean> {
  const { notices, deadline } = run
  const { clock, config, metrics } = run.runtime
  if (freeAtMs === undefined || !config.retryAllAccountsRateLimited) return false
  const until = freeAtMs + WAIT_MARGIN_MS
  const waitMs = until - clock.now()
  if (
    waitMs > config.retryAllAccountsMaxWaitMs ||
    !deadline.allows(waitMs) ||
    !budgetOf(run).take('rateLimitGlobal')
  )
    return false
  metrics.count('waits')
  settle(run)
  const atMs = clock.now()
  const over = notices.waits(
    noticeOfWait(until, atMs),
    dropUndefined({ kind: 'wait' as const, atMs, session: run.sessionId, untilMs: until }),
  )
  // The clock of the machine may be set meanwhile: the wait is never longer than was decided.
  const endsAt = performance.now() + waitMs
  try {
    for (
      let leftMs = waitMs;
      leftMs > 0;
      leftMs = Math.min(until - clock.now(), endsAt - performance.now())
    ) {
      await clock.sleep(Math.min(COUNTDOWN_MS, leftMs), deadline.signal)
    }
  } finally {
    over()
  }
  return true
}

/** Why no account was chosen: how the last try failed where that says it, else what keeps the accounts out. */
function errorOfChoice(run: RequestRun, refusal: Refusal): CodexError {
  const { clock, config, ledger, router } = run.runtime
  const { accounts } = run.pool
  if (run.last !== undefined && (refusal.reason === 'all_tried' || accounts.length === 1))
    return errorOfLast(run, run.last)
  const request = routed(run)
  const nowMs = clock.now()
  const meant = router.meantBy(run.pool, request, refusal.reason, nowMs)
  const hasCredits = accounts.some(
    ({ uid, enabled }) => enabled !== false && ledger.hasCredits(uid),
  )
  return errorOfRefusal(refusal, {
    accounts: accounts.length,
    concerned: meant === undefined ? accounts : accounts.filter(({ uid }) => meant.has(uid)),
    quota: ledger,
    label: (account) => run.runtime.label(account),
    model: request.model,
    limitId: router.limitOf(request.model),
    hasUnusedCredits: config.creditsPolicy === 'ask' && hasCredits,
    nowMs,
  })
}

/** The error for how the last try failed. */
export function errorOfLast({ runtime }: RequestDeps, last: LastFailure): CodexError {
  if ('error' in last) return last.error
  return errorOf(last.failure, { label: runtime.label(last.account), nowMs: runtime.clock.now() })
}

/** What the user is told when the time of a request is up: what kept it, and why it ends now. */
export function overdue(deps: RequestDeps, last: LastFailure | undefined): CodexError {
  const why =
    'No answer began within the time OpenCode allows, so the request ends here before OpenCode sends it a second time.'
  if (last === undefined) return new CodexError('backend_unreachable', why)
  const known = errorOfLast(deps, last)
  return new CodexError(known.code, `${known.message} ${why}`, { hint: known.hint, cause: known })
}

/** What is left of the tries of a request; nothing is used up before the first failure. */
export function budgetOf(run: RequestRun): RetryBudget {
  run.budget ??= createRetryBudget(retryLimitsOf(run.runtime.config))
  return run.budget
}
