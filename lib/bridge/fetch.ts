import type { Account } from '../accounts/account.js'
import type { AccountStore } from '../accounts/store-types.js'
import type { Endpoints } from '../auth/endpoints.js'
import { BusyElsewhere } from '../auth/tokens.js'
import type { SwitchEntry, TurnEntry } from '../history/entries.js'
import { abortReason } from '../kernel/clock.js'
import { CodexError, isCodexError, messageOf } from '../kernel/errors.js'
import type { Logger } from '../kernel/logger.js'
import type { Metrics } from '../kernel/metrics.js'
import { aggregate } from './aggregate.js'
import { attempt, type AttemptDeps, type AttemptResult } from './attempt.js'
import { blockedClause } from './blocked-accounts.js'
import type { Breaker, Breakers } from './breaker.js'
import { budgetOf, createSpending } from './budget.js'
import { assertResponsesRequest, destinationOf, type EndpointForKeys } from './endpoint.js'
import { errorOf } from './error-of-failure.js'
import { fallbackModel } from './fallback-model.js'
import { errorResponse, shownError } from './host-error.js'
import { errorOfRefusal } from './no-account.js'
import type { Notices } from './notices.js'
import type { Failure } from './outcome-types.js'
import { decideNext } from './policy.js'
import type { PreparedRequest } from './request.js'
import { COUNTDOWN_MS } from './notices.js'
import { type AttemptRecord, pseudonymOf, type RequestRecord, type Trace } from './trace.js'

export interface BridgeDeps extends AttemptDeps {
  readonly endpoints: Endpoints
  /** Makes the body of the host one the backend takes. */
  readonly prepare: (text: string) => PreparedRequest
  /** Endpoint of API keys that name none. */
  readonly endpointForKeys?: EndpointForKeys | undefined
  readonly store: AccountStore
  readonly random: () => number
  readonly trace: Trace
  readonly metrics: Metrics
  readonly notices: Notices
  readonly breakers: Breakers
  readonly log: Logger
  /** Takes a line for the history; neither waits nor writes. */
  readonly remember: (entry: TurnEntry | SwitchEntry) => void
  /** Account that holds a session at the moment. */
  readonly holderOf: (sessionId: string, nowMs: number) => string | undefined
}

/** What OpenCode calls in place of `fetch`. */
export type BridgeFetch = (input: RequestInfo | URL, init?: RequestInit) => Promise<Response>

/** An account whose token stays refused is left alone this long, ms. */
export const UNAUTHORIZED_HOLD_MS = 10 * 60_000
/** A block that ends is waited for a little longer: the backend's clock is not ours, ms. */
export const WAIT_MARGIN_MS = 250

/**
 * Creates the request path: the host's request goes out as the best account and its stream comes back untouched. Failures
 * come back as answers the host shows and does not repeat; only an abort is thrown.
 */
export function createBridge(deps: BridgeDeps): BridgeFetch {
  const { clock, router, trace, metrics } = deps
  const budget = budgetOf(deps.config)

  return async (input, init) => {
    const signal = init?.signal ?? (input instanceof Request ? input.signal : undefined)
    let record: RequestRecord | undefined
    /** What the breaker knows this request by. */
    const self = {}
    const finish = (outcome: string): void => {
      if (record !== undefined) trace.finish(record, { outcome, nowMs: clock.now() })
      metrics.count(`requests.${outcome.split(':')[0] ?? outcome}`)
    }
    try {
      assertResponsesRequest(typeof input === 'string' ? input : input instanceof URL ? input.href : input.url)
      const headers = init?.headers ?? (input instanceof Request ? input.headers : undefined)
      const prepared = deps.prepare(await bodyText(input, init))
      const sessionId = headerOf(headers, 'session-id')
      record = trace.begin({ model: prepared.model, session: sessionId, nowMs: clock.now(), requestBytes: prepared.body.length })
      record.changed = prepared.changed
      return await serve(prepared, { sessionId, headers, signal: signal ?? undefined, record, self, finish })
    } catch (error) {
      deps.breakers.abandoned(self)
      if (signal?.aborted === true) {
        finish('aborted')
        throw abortReason(signal)
      }
      const shown = shownError(error)
      if (!isCodexError(error)) deps.log.log('error', 'A request failed inside the plugin.', { reason: messageOf(error) })
      finish(`failed:${shown.code}`)
      return errorResponse(shown)
    }
  }

  interface Call {
    readonly sessionId: string | undefined
    readonly headers: HeadersInit | undefined
    readonly signal: AbortSignal | undefined
    readonly record: RequestRecord
    readonly self: object
    finish(outcome: string): void
  }

  async function serve(first: PreparedRequest, call: Call): Promise<Response> {
    const { sessionId, signal, record } = call
    const spending = createSpending(budget)
    const tried = new Set<string>()
    const models = new Set([first.model])
    const inSession = sessionId === undefined ? {} : { session: sessionId }
    let prepared = first
    let pool = deps.store.peek() ?? (await deps.store.read())
    let last: { failure: Failure; account: Account } | { error: CodexError } | undefined
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
          if (await waitedFor(decision.nextFreeAtMs)) {
            tried.clear()
            pool = await deps.store.read()
            reason = 'waited_for_a_limit'
            continue
          }
          throw finalError(decision)
        }
        account = router.account(pool, decision.uid)
        if (account === undefined) throw new CodexError('internal', 'The chosen account is not in the pool.')
        choice = decision.reason
        if (last !== undefined && 'failure' in last && last.account.uid !== account.uid) {
          deps.notices.switched(deps.label(last.account), deps.label(account), wordFor(last.failure))
          deps.remember({ type: 'switch', atMs: clock.now(), fromUid: last.account.uid, toUid: account.uid, reason: last.failure.kind, ...inSession })
        }
      }

      const body = bodyFor(account)
      const result = await tryOnce(account, choice, body)
      if (result === undefined) {
        tried.add(account.uid)
        reason = 'switched_account_after_token_failure'
        pool = await deps.store.read()
        continue
      }
      if (result.ok) {
        breakerOf(account).reached()
        router.served(sessionId, account.uid, clock.now())
        // The account is in use, so its next token may be fetched ahead of time; idle ones are never touched.
        if (deps.config.proactiveRefresh) deps.tokens.refreshSoon([account.uid])
        return prepared.wantsStream
          ? new Response(result.body, { status: result.response.status, headers: passedHeaders(result.response.headers) })
          : await aggregate(result.body)
      }

      const { failure, token } = result
      const { uid } = account
      last = { failure, account }
      note(account, failure)
      const next = decideNext(failure, {
        spending,
        refreshed: refreshedUid === uid,
        droppedReasoning,
        repairedHistory,
        hasEncryptedReasoning: prepared.hasEncryptedReasoning,
        hasAlternative: router.hasAlternative(pool, { ...request, triedUids: new Set([...tried, uid]) }, clock.now()),
        random: deps.random(),
        emptyRetryDelayMs: deps.config.emptyResponseRetryDelayMs,
      })
      switch (next.do) {
        case 'stop':
          throw errorOf(failure, { label: deps.label(account), nowMs: clock.now() })
        case 'next_account':
          tried.add(uid)
          if (failure.kind === 'unauthorized') holdUnauthorized(uid)
          reason = next.reason
          break
        case 'again':
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
            if (account.kind === 'api-key') holdUnauthorized(uid)
          }
          pool = await deps.store.read()
          reason = again === undefined ? 'switched_account_after_unauthorized' : 'repeated_after_refresh'
          break
        case 'drop_reasoning':
          droppedReasoning = true
          again = account
          reason = 'repeated_without_encrypted_reasoning'
          break
        case 'repair_history': {
          const repaired = prepared.withPairedTools()
          if (repaired === undefined) throw errorOf(failure, { label: deps.label(account), nowMs: clock.now() })
          deps.log.log('info', 'The conversation had tool calls without results; it was repaired for this request.')
          prepared = repaired
          repairedHistory = true
          again = account
          reason = 'repeated_with_repaired_history'
          break
        }
        case 'other_model': {
          const model = deps.config.unsupportedCodexPolicy === 'fallback' ? fallbackModel(prepared.model, deps.config.unsupportedCodexFallbackChain, models) : undefined
          if (model === undefined) throw errorOf(failure, { label: deps.label(account), nowMs: clock.now() })
          deps.log.log('warn', `No account may use ${prepared.model}; going on with ${model}.`)
          models.add(model)
          prepared = prepared.withModel(model)
          record.model = model
          tried.clear()
          reason = 'fell_back_to_another_model'
        }
      }
    }

    /** The body as this account can read it: reasoning that another one produced is left out. */
    function bodyFor(account: Account): string {
      if (!prepared.hasEncryptedReasoning) return prepared.body
      const holder = sessionId === undefined ? undefined : deps.holderOf(sessionId, clock.now())
      const moved = holder !== undefined && holder !== account.uid
      if (moved || droppedReasoning) {
        const bare = prepared.withoutReasoning()
        deps.sessions.setForeignItems(sessionId, bare.items)
        return bare.body
      }
      const foreign = deps.sessions.foreignItems(sessionId)
      if (foreign === 0) return prepared.body
      const partial = prepared.withoutReasoning(foreign)
      // A shorter history is a new one: the host has compacted it.
      if (partial.items < foreign) deps.sessions.setForeignItems(sessionId, 0)
      return partial.items < foreign ? prepared.body : partial.body
    }

    /** Another process is waited for when nobody else can serve. */
    function mayWait(uid: string): boolean {
      return isLastResort || !router.hasAlternative(pool, { model: prepared.model, sessionId, triedUids: new Set([...tried, uid]) }, clock.now())
    }

    /** Undefined when the account has no usable token or its host is left alone; why is kept for the final error. */
    async function tryOnce(account: Account, choice: string, body: string): Promise<AttemptResult | undefined> {
      if (breakerOf(account).openUntil(clock.now(), call.self) !== undefined) {
        last = { error: new CodexError('backend_failed', 'The backend failed many times in a row, so it is left alone for a few seconds.') }
        return undefined
      }
      const entry: AttemptRecord = { account: pseudonymOf(account.uid), reason, choice, startedAtMs: clock.now() }
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
          record: entry,
          mayWait: () => mayWait(account.uid),
          onFirstOutput: () => {
            record.firstOutputMs = clock.now() - record.startedAtMs
          },
          onEnd: (end) => {
            done()
            record.responseBytes = end.bytes
            if (end.usage !== undefined) {
              record.usage = end.usage
              const atMs = clock.now()
              deps.remember({ type: 'turn', atMs, uid: account.uid, model: record.model, ...inSession, ...end.usage, durationMs: atMs - record.startedAtMs, attempts: record.attempts.length })
            }
            router.record(account.uid, end.kind === 'completed' || end.kind === 'incomplete' ? 'succeeded' : end.kind === 'failed' ? 'failed' : 'network_failed', clock.now())
            call.finish(end.kind)
          },
        })
        streaming = result.ok
        return result
      } catch (error) {
        if (signal?.aborted === true || !isCodexError(error)) throw error
        entry.outcome = error.code
        last = { error }
        if (error instanceof BusyElsewhere) busy.add(account.uid)
        if (error.code === 'login_required') deps.notices.loginNeeded(deps.label(account))
        return undefined
      } finally {
        if (!streaming) done()
      }
    }

    async function anotherToken(account: Account, token: string): Promise<Account | undefined> {
      try {
        return (await deps.tokens.afterUnauthorized(account, token, signal, () => mayWait(account.uid))).account
      } catch (error) {
        if (signal?.aborted === true || !isCodexError(error)) throw error
        last = { error }
        if (error instanceof BusyElsewhere) busy.add(account.uid)
        if (error.code === 'login_required') deps.notices.loginNeeded(deps.label(account))
        return undefined
      }
    }

    /** Waits for the first account to come free, if the user allows that long a wait. */
    async function waitedFor(freeAtMs: number | undefined): Promise<boolean> {
      const { config } = deps
      if (freeAtMs === undefined || !config.retryAllAccountsRateLimited) return false
      const until = freeAtMs + WAIT_MARGIN_MS
      if (until - clock.now() > config.retryAllAccountsMaxWaitMs || !spending.take('rateLimitGlobal')) return false
      metrics.count('waits')
      while (clock.now() < until) {
        deps.notices.waiting(until)
        await clock.sleep(Math.min(COUNTDOWN_MS, until - clock.now()), signal)
      }
      return true
    }

    function finalError(refusal: Parameters<typeof errorOfRefusal>[0]): CodexError {
      const nowMs = clock.now()
      const wasTried = refusal.reason === 'all_tried' || pool.accounts.length === 1
      if (last !== undefined && wasTried) return 'error' in last ? last.error : errorOf(last.failure, { label: deps.label(last.account), nowMs })
      const hasCredits = pool.accounts.some(({ uid, enabled }) => enabled !== false && deps.ledger.hasCredits(uid))
      const meant = router.meantBy(pool, { model: prepared.model, sessionId, triedUids: tried }, refusal.reason, nowMs)
      const concerned = meant === undefined ? pool.accounts : pool.accounts.filter((one) => meant.has(one.uid))
      const blocked = blockedClause(concerned, deps.ledger, { label: deps.label, model: prepared.model, limitId: router.limitOf(prepared.model), nowMs })
      return errorOfRefusal(refusal, { accounts: pool.accounts.length, model: prepared.model, nowMs, blocked, hasUnusedCredits: deps.config.creditsPolicy === 'ask' && hasCredits })
    }
  }

  function breakerOf(account: Account): Breaker {
    try {
      return deps.breakers.of(destinationOf(account, deps.endpoints, deps.endpointForKeys))
    } catch {
      // The attempt says what is wrong with the address.
      return deps.breakers.of('')
    }
  }

  /** What a failure says about the account, for other requests and other windows. */
  function note(account: Account, failure: Failure): void {
    const nowMs = clock.now()
    const breaker = breakerOf(account)
    metrics.count(`failures.${failure.kind}`)
    if (failure.block !== undefined) deps.ledger.block(account.uid, failure.block)
    switch (failure.kind) {
      case 'usage_limit':
      case 'quota_exceeded':
      case 'rate_limit':
        router.record(account.uid, 'limited', nowMs)
        breaker.reached()
        break
      case 'network':
      case 'header_timeout':
        router.record(account.uid, 'network_failed', nowMs)
        breaker.failed(nowMs)
        break
      case 'server_error':
      case 'overloaded':
        router.record(account.uid, 'failed', nowMs)
        breaker.failed(nowMs)
        break
      case 'not_sse':
      case 'stream_broken':
      case 'empty':
      case 'aborted':
        break
      default:
        breaker.reached()
    }
  }

  function holdUnauthorized(uid: string): void {
    const nowMs = clock.now()
    deps.ledger.block(uid, { scope: '*', reason: 'unauthorized', source: 'body', sinceMs: nowMs, untilMs: nowMs + UNAUTHORIZED_HOLD_MS })
  }
}

/** Headers of the answer that mean something to the host; lengths and encodings of this hop do not. */
function passedHeaders(headers: Headers): Headers {
  const passed = new Headers()
  for (const name of ['content-type', 'x-request-id', 'openai-model', 'x-models-etag', 'openai-processing-ms']) {
    const value = headers.get(name)
    if (value !== null) passed.set(name, value)
  }
  if (!passed.has('content-type')) passed.set('content-type', 'text/event-stream')
  return passed
}

async function bodyText(input: RequestInfo | URL, init: RequestInit | undefined): Promise<string> {
  const body = init?.body
  if (typeof body === 'string') return body
  if (body != null) return new Response(body).text()
  return input instanceof Request ? input.text() : ''
}

function headerOf(headers: HeadersInit | undefined, name: string): string | undefined {
  if (headers === undefined) return undefined
  const value = headers instanceof Headers || Array.isArray(headers) ? new Headers(headers).get(name) : (headers)[name]
  return value ?? undefined
}

/** Why the account before was left, for a toast. */
function wordFor(failure: Failure): string {
  switch (failure.kind) {
    case 'usage_limit':
    case 'quota_exceeded':
    case 'rate_limit':
      return 'is at its limit'
    case 'unauthorized':
      return 'is not accepted any more'
    case 'workspace_deactivated':
    case 'usage_not_included':
    case 'forbidden':
    case 'model_not_supported':
      return 'may not be used for this'
    default:
      return 'got no answer'
  }
}

