import type { Account, AccountPool } from '../accounts/account.js'
import type { AccountStore } from '../accounts/store-types.js'
import { BusyElsewhere } from '../auth/tokens.js'
import type { SwitchEntry, TurnEntry } from '../history/entries.js'
import { abortReason } from '../kernel/clock.js'
import { CodexError, isCodexError, messageOf } from '../kernel/errors.js'
import type { Logger } from '../kernel/logger.js'
import { createVerdicts, type VerdictDeps, vitalOfEnd, wordFor } from './account-verdicts.js'
import { aggregate } from './aggregate.js'
import { attempt, type AttemptDeps, type AttemptResult } from './attempt.js'
import { budgetOf, createSpending } from './budget.js'
import { type Call, createCall, type Last } from './call.js'
import { isOverdue, MIN_STEP_MS, REQUEST_DEADLINE_MS, startDeadline } from './deadline.js'
import { endingAfter } from './ending-after.js'
import { destinationOf } from './endpoint.js'
import { errorOf } from './error-of-failure.js'
import { fallbackModel } from './fallback-model.js'
import { passedHeaders } from './headers.js'
import { errorResponse, shownError } from './host-error.js'
import { readHostRequest, signalOf } from './host-request.js'
import { lateAnswer } from './late-answer.js'
import type { Refusal } from './no-account.js'
import type { Notices } from './notices.js'
import { decideNext } from './policy.js'
import { errorOfPool } from './pool-error.js'
import { type AccountBody, bodyFor, type SessionReasoning } from './reasoning.js'
import type { PreparedRequest } from './request.js'
import type { RoutedRequest } from './router.js'
import { type AttemptRecord, pseudonymOf, type RequestRecord, type Trace } from './trace.js'
import { waitForAccount } from './wait-for-account.js'

export interface BridgeDeps extends AttemptDeps, VerdictDeps {
  /** Makes the body of the host one the backend takes. */
  readonly prepare: (text: string) => PreparedRequest
  /** Chat completions are rebuilt by `prepare`. */
  readonly takesChat?: boolean
  /** When the host has its answer at the latest, ms from its request; `REQUEST_DEADLINE_MS` when absent. */
  readonly deadlineMs?: number
  readonly store: AccountStore
  readonly random: () => number
  readonly trace: Trace
  readonly notices: Notices
  readonly log: Logger
  /** Takes a line for the history; neither waits nor writes. */
  readonly remember: (entry: TurnEntry | SwitchEntry) => void
  /** Who produced the encrypted reasoning of which session. */
  readonly reasoning: SessionReasoning
}

/** What OpenCode calls in place of `fetch`. `arrivedAt`: when it did, as `performance.now()`; this moment when absent. */
export type BridgeFetch = (
  input: RequestInfo | URL,
  init?: RequestInit,
  arrivedAt?: number,
) => Promise<Response>

/**
 * Creates the request path: the host's request goes out as the best account and its stream comes back untouched. Failures
 * come back as answers the host shows and does not repeat; only an abort is thrown.
 */
export function createBridge(deps: BridgeDeps): BridgeFetch {
  const { clock, router, trace, metrics } = deps
  const budget = budgetOf(deps.config)
  const verdicts = createVerdicts(deps)

  return async (input, init, arrivedAt = performance.now()) => {
    const signal = signalOf(input, init)
    if (signal?.aborted === true) throw abortReason(signal)
    return new Promise((resolve, reject) => {
      const deadline = startDeadline(
        signal,
        { ms: deps.deadlineMs ?? REQUEST_DEADLINE_MS, startedAt: arrivedAt },
        {
          handOver: () =>
            resolve(
              lateAnswer(
                outcome.then((it) => (it instanceof Response ? (it.body ?? overdue(call)) : it)),
                () => call.finish('cancelled'),
              ),
            ),
          giveUp: () => resolve(errorResponse(overdue(call))),
        },
      )
      const call = createCall(deps, deadline)
      const outcome = answer(input, init, call)
      outcome.then((it) => {
        deadline.met()
        resolve(it instanceof Response ? it : errorResponse(it))
      }, reject)
    })
  }

  /** The answer, or the error to show. @throws the reason of the host's abort */
  async function answer(
    input: RequestInfo | URL,
    init: RequestInit | undefined,
    call: Call,
  ): Promise<Response | CodexError> {
    try {
      const { text, headers, sessionId } = await readHostRequest(input, init, {
        chat: deps.takesChat === true,
      })
      const prepared = deps.prepare(text)
      const record = trace.begin({
        model: prepared.model,
        session: sessionId,
        nowMs: clock.now(),
        requestBytes: prepared.body.length,
      })
      record.changed = prepared.changed
      return await serve(prepared, Object.assign(call, { sessionId, headers, record }))
    } catch (error) {
      deps.breakers.abandoned(call.self)
      const { signal } = call
      if (signal.aborted && !isOverdue(signal)) {
        call.finish('aborted')
        throw abortReason(signal)
      }
      const shown = signal.aborted ? overdue(call) : shownError(error)
      if (!signal.aborted && !isCodexError(error))
        deps.log.log('error', 'A request failed inside the plugin.', { reason: messageOf(error) })
      call.finish(`failed:${shown.code}`)
      return shown
    }
  }

  /** What the user is told when the time of a request is up: what kept it, and why it ends now. */
  function overdue({ last }: Call): CodexError {
    const why =
      'No answer began within the time that OpenCode waits for one, so this ends here before OpenCode asks a second time.'
    if (last === undefined) return new CodexError('backend_unreachable', why)
    const known = errorOfLast(last)
    return new CodexError(known.code, `${known.message} ${why}`, { hint: known.hint, cause: known })
  }

  function errorOfLast(last: Last): CodexError {
    return 'error' in last
      ? last.error
      : errorOf(last.failure, { label: deps.label(last.account), nowMs: clock.now() })
  }

  /** Why nobody was chosen: how the last try failed where that says it, else what keeps the accounts. */
  function errorOfChoice(
    refusal: Refusal,
    { pool, request, last }: { pool: AccountPool; request: RoutedRequest; last: Last | undefined },
  ): CodexError {
    if (last !== undefined && (refusal.reason === 'all_tried' || pool.accounts.length === 1))
      return errorOfLast(last)
    return errorOfPool(deps, refusal, { pool, request })
  }

  async function serve(
    first: PreparedRequest,
    call: Call & { readonly record: RequestRecord },
  ): Promise<Response> {
    const { sessionId, signal, record, deadline } = call
    const spending = createSpending(budget)
    const tried = new Set<string>()
    const models = new Set([first.model])
    const inSession = sessionId === undefined ? {} : { session: sessionId }
    let prepared = first
    // Another window may have moved the session; who holds it decides who is asked.
    if (sessionId !== undefined && first.hasEncryptedReasoning) deps.reasoning.look()
    let pool = deps.store.peek() ?? (await deps.store.read())
    let reason = 'initial_attempt'
    let droppedReasoning = false
    let repairedHistory = false
    let refreshedUid: string | undefined
    /** Accounts whose token another process is renewing: passed over while somebody else can serve. */
    const busy = new Set<string>()
    let isLastResort = false
    /** Account to be asked again, without a new choice. */
    let again: Account | undefined

    for (;;) {
      if (signal.aborted || (call.last !== undefined && !deadline.allows(0))) throw overdue(call)
      const request = { model: prepared.model, sessionId, triedUids: tried }
      let account = again
      let choice = 'again'
      again = undefined
      if (account === undefined) {
        const decision = router.choose(pool, request, clock.now())
        if (decision.uid === undefined) {
          if (busy.size > 0) {
            for (const uid of busy) tried.delete(uid)
            busy.clear()
            isLastResort = true
            refreshedUid = undefined
            reason = 'waited_for_another_process'
            continue
          }
          if (await waitForAccount(deps, decision.nextFreeAtMs, { spending, deadline })) {
            tried.clear()
            pool = await deps.store.read()
            reason = 'waited_for_a_limit'
            continue
          }
          throw errorOfChoice(decision, { pool, request, last: call.last })
        }
        account = router.account(pool, decision.uid)
        if (account === undefined)
          throw new CodexError('internal', 'The chosen account is not in the pool.')
        choice = decision.reason
        const { last } = call
        if (last !== undefined && 'failure' in last && last.account.uid !== account.uid) {
          deps.notices.switched(
            deps.label(last.account),
            deps.label(account),
            wordFor(last.failure),
          )
          deps.remember({
            type: 'switch',
            atMs: clock.now(),
            fromUid: last.account.uid,
            toUid: account.uid,
            reason: last.failure.kind,
            ...inSession,
          })
        }
      }

      const body = bodyFor(prepared, deps.reasoning, {
        uid: account.uid,
        sessionId,
        isAlone: pool.accounts.length === 1,
        dropAll: droppedReasoning,
      })
      const result = await tryOnce(account, choice, body)
      if (result === undefined) {
        tried.add(account.uid)
        reason = 'switched_account_after_token_failure'
        pool = await deps.store.read()
        continue
      }
      if (result.ok) {
        verdicts.breakerOf(account).reached()
        router.served(sessionId, account.uid, clock.now())
        const known = body.served(clock.now())
        // The account is in use, so its next token may be fetched ahead of time; idle ones are never touched.
        if (deps.config.proactiveRefresh) deps.tokens.refreshSoon([account.uid])
        const answered = known === undefined ? result.body : endingAfter(result.body, known)
        return prepared.wantsStream
          ? new Response(answered, { status: 200, headers: passedHeaders(result.response.headers) })
          : await aggregate(answered)
      }

      const { failure, token } = result
      const { uid } = account
      call.last = { failure, account }
      verdicts.note(account, failure)
      const next = decideNext(failure, {
        spending,
        refreshed: refreshedUid === uid,
        droppedReasoning,
        repairedHistory,
        hasEncryptedReasoning: prepared.hasEncryptedReasoning,
        hasAlternative: router.hasAlternative(
          pool,
          { ...request, triedUids: new Set([...tried, uid]) },
          clock.now(),
        ),
        random: deps.random(),
        emptyRetryDelayMs: deps.config.emptyResponseRetryDelayMs,
      })
      switch (next.do) {
        case 'stop':
          throw errorOf(failure, { label: deps.label(account), nowMs: clock.now() })
        case 'next_account':
          tried.add(uid)
          if (failure.kind === 'unauthorized') verdicts.holdUnauthorized(uid)
          reason = next.reason
          break
        case 'again':
          if (!deadline.allows(next.afterMs)) throw overdue(call)
          await clock.sleep(next.afterMs, signal)
          again = account
          reason = next.reason
          break
        case 'refresh':
          refreshedUid = uid
          again = await anotherToken(account, token)
          if (again === undefined) {
            tried.add(uid)
            // A key that is refused stays refused; nothing but the user can mend it.
            if (account.kind === 'api-key') verdicts.holdUnauthorized(uid)
          }
          pool = await deps.store.read()
          reason =
            again === undefined ? 'switched_account_after_unauthorized' : 'repeated_after_refresh'
          break
        case 'drop_reasoning':
          droppedReasoning = true
          again = account
          reason = 'repeated_without_encrypted_reasoning'
          break
        case 'repair_history': {
          const repaired = prepared.withPairedTools()
          if (repaired === undefined)
            throw errorOf(failure, { label: deps.label(account), nowMs: clock.now() })
          deps.log.log(
            'info',
            'The conversation had tool calls without results; it was repaired for this request.',
          )
          prepared = repaired
          repairedHistory = true
          again = account
          reason = 'repeated_with_repaired_history'
          break
        }
        case 'other_model': {
          const model =
            deps.config.unsupportedCodexPolicy === 'fallback'
              ? fallbackModel(prepared.model, deps.config.unsupportedCodexFallbackChain, models)
              : undefined
          if (model === undefined)
            throw errorOf(failure, { label: deps.label(account), nowMs: clock.now() })
          deps.log.log('warn', `No account may use ${prepared.model}; going on with ${model}.`)
          models.add(model)
          prepared = prepared.withModel(model)
          record.model = model
          tried.clear()
          reason = 'fell_back_to_another_model'
        }
      }
    }

    /** Another process is waited for when nobody else can serve. */
    function mayWait(uid: string): boolean {
      return (
        isLastResort ||
        !router.hasAlternative(
          pool,
          { model: prepared.model, sessionId, triedUids: new Set([...tried, uid]) },
          clock.now(),
        )
      )
    }

    /** Undefined when the account has no usable token or its host is left alone; why is kept for the final error. */
    async function tryOnce(
      account: Account,
      choice: string,
      { body }: AccountBody,
    ): Promise<AttemptResult | undefined> {
      if (verdicts.breakerOf(account).openUntil(clock.now(), call.self) !== undefined) {
        call.last = {
          error: new CodexError(
            'backend_failed',
            'The backend failed many times in a row, so it is left alone for a few seconds.',
          ),
        }
        return undefined
      }
      const entry: AttemptRecord = {
        account: pseudonymOf(account.uid),
        reason,
        choice,
        startedAtMs: clock.now(),
      }
      record.attempts.push(entry)
      metrics.count('attempts')
      const done = router.begin(account.uid, clock.now())
      let streaming = false
      try {
        const result = await attempt(deps, {
          account,
          destination: destinationOf(account, deps.endpoints, deps.endpointForKeys),
          body,
          model: prepared.model,
          sessionId,
          continuesTurn: prepared.continuesTurn,
          hostHeaders: call.headers,
          signal,
          headerTimeoutMs: Math.max(
            MIN_STEP_MS,
            Math.min(deps.config.fetchTimeoutMs, deadline.leftMs() - MIN_STEP_MS),
          ),
          record: entry,
          mayWait: () => mayWait(account.uid),
          // A caller without streaming gets all of it at once, so there is nothing to hand over.
          onAnswering: (is) => deadline.answering(is && prepared.wantsStream),
          onFirstOutput: () => {
            record.firstOutputMs = clock.now() - record.startedAtMs
          },
          onEnd: (end) => {
            done()
            record.responseBytes = end.bytes
            if (end.usage !== undefined) {
              record.usage = end.usage
              const atMs = clock.now()
              deps.remember({
                type: 'turn',
                atMs,
                uid: account.uid,
                model: record.model,
                ...inSession,
                ...end.usage,
                durationMs: atMs - record.startedAtMs,
                attempts: record.attempts.length,
              })
            }
            const vital = vitalOfEnd(end.kind)
            if (vital !== undefined) router.record(account.uid, vital, clock.now())
            call.finish(end.kind)
          },
        })
        streaming = result.ok
        return result
      } catch (error) {
        if (signal.aborted || !isCodexError(error)) throw error
        entry.outcome = error.code
        call.last = { error }
        if (error instanceof BusyElsewhere) busy.add(account.uid)
        if (error.code === 'login_required') deps.notices.loginNeeded(deps.label(account))
        return undefined
      } finally {
        if (!streaming) done()
      }
    }

    async function anotherToken(account: Account, token: string): Promise<Account | undefined> {
      try {
        return (
          await deps.tokens.afterUnauthorized(account, token, signal, () => mayWait(account.uid))
        ).account
      } catch (error) {
        if (signal.aborted || !isCodexError(error)) throw error
        call.last = { error }
        if (error instanceof BusyElsewhere) busy.add(account.uid)
        if (error.code === 'login_required') deps.notices.loginNeeded(deps.label(account))
        return undefined
      }
    }
  }
}
