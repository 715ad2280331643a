import { abortable, abortReason } from '../kernel/clock.js'
import { type CodexError, isCodexError, messageOf } from '../kernel/errors.js'
import { lazily } from '../kernel/lazy.js'
import { createBreakers } from './breaker.js'
import { type Deadline, isOverdue, startDeadline } from './deadline.js'
import { serve } from './failover.js'
import { readHostRequest, signalOf } from './host-request.js'
import { finish, type Late, lateOf, type RequestDeps, type RequestRun } from './run.js'
import type { RequestRecord } from './trace/trace.js'

/** What OpenCode calls in place of `fetch`. `arrivedAt`: when it did, as `performance.now()`; this moment when absent. */
export type CodexFetch = (
  input: RequestInfo | URL,
  init?: RequestInit,
  arrivedAt?: number,
) => Promise<Response>

/** A request from its arrival on, before all of a `RequestRun` is known. */
interface Arrival {
  readonly deadline: Deadline
  record?: RequestRecord
  run?: RequestRun
}

/**
 * Creates the request path: the host's request goes out as the best account and its stream comes back untouched. Failures
 * come back as answers the host shows and does not repeat; only an abort is thrown.
 */
export function createCodexFetch(options: Omit<RequestDeps, 'breakers' | 'late'>): CodexFetch {
  const late = lazily(() => import('./late/late.js'))
  const deps: RequestDeps = { ...options, breakers: createBreakers(), late }
  const { place } = options.runtime
  return async (input, init, arrivedAt = performance.now()) => {
    const signal = signalOf(input, init)
    if (signal?.aborted === true) throw abortReason(signal)
    return new Promise((resolve, reject) => {
      const inTime = (make: (late: Late) => Response): void =>
        void Promise.resolve(lateOf(deps)).then((it) => resolve(make(it)), reject)
      const deadline = startDeadline(
        signal,
        { ms: deps.deadlineMs, startedAt: arrivedAt },
        {
          handOver: () =>
            inTime(({ lateAnswer, overdue, shownError }) =>
              lateAnswer(
                outcome.then((it) =>
                  it instanceof Response
                    ? (it.body ?? shownError(overdue(deps, arrival.run?.last), place()))
                    : it,
                ),
                () => finish(deps.runtime, arrival, 'cancelled'),
              ),
            ),
          giveUp: () =>
            inTime(({ errorResponse, overdue, shownError }) =>
              errorResponse(shownError(overdue(deps, arrival.run?.last), place())),
            ),
        },
        deps.timers,
      )
      const arrival: Arrival = { deadline }
      const outcome = answer(deps, arrival, { input, init })
      outcome.then((it) => {
        deadline.met()
        if (it instanceof Response) resolve(it)
        else inTime(({ errorResponse }) => errorResponse(it))
      }, reject)
    })
  }
}

/** The answer, or the error to show. @throws the reason of the host's abort */
async function answer(
  deps: RequestDeps,
  arrival: Arrival,
  given: { readonly input: RequestInfo | URL; readonly init: RequestInit | undefined },
): Promise<Response | CodexError> {
  const { signal } = arrival.deadline
  try {
    const run = await begin(deps, arrival, given)
    return await serve(run)
  } catch (error) {
    if (arrival.run !== undefined) deps.breakers.abandoned(arrival.run)
    if (signal.aborted && !isOverdue(signal)) {
      if ((arrival.run?.passed.size ?? 0) > 0)
        (await lateOf(deps)).settle(arrival.run as RequestRun)
      finish(deps.runtime, arrival, 'aborted')
      throw abortReason(signal)
    }
    const { overdue, settle, shownError } = await lateOf(deps)
    const why = signal.aborted ? overdue(deps, arrival.run?.last) : error
    const shown = shownError(why, deps.runtime.place())
    if (!signal.aborted && !isCodexError(error))
      deps.runtime.host.log('error', 'A request failed inside the plugin.', {
        reason: messageOf(error),
      })
    if (arrival.run !== undefined) settle(arrival.run, shown.code === 'login_required')
    finish(deps.runtime, arrival, `failed:${shown.code}`)
    return shown
  }
}

/** Reads the request and makes it one the backend takes. @throws CodexError for what cannot be served */
async function begin(
  deps: RequestDeps,
  arrival: Arrival,
  { input, init }: { readonly input: RequestInfo | URL; readonly init: RequestInit | undefined },
): Promise<RequestRun> {
  const { runtime, takesChat, prepare } = deps
  const { text, headers, sessionId } = await readHostRequest(input, init, { chat: takesChat })
  const prepared = prepare(text)
  const record = runtime.trace.begin({
    model: prepared.model,
    session: sessionId,
    nowMs: runtime.clock.now(),
    requestBytes: prepared.body.text.length,
    changed: prepared.changed,
  })
  arrival.record = record
  const { deadline } = arrival
  arrival.run = {
    ...deps,
    deadline,
    signal: deadline.signal,
    sessionId,
    headers,
    record,
    budget: undefined,
    prepared,
    // A sealed account file waits for the keychain, and that for its owner.
    pool: runtime.store.peek() ?? (await abortable(runtime.store.read(), deadline.signal)),
    reason: 'initial_attempt',
    again: undefined,
    last: undefined,
    passed: new Map(),
    tried: new Set(),
    busy: new Set(),
    isLastResort: false,
    models: new Set([prepared.model]),
    refreshedUid: undefined,
    droppedReasoning: false,
    repairedHistory: false,
  }
  return arrival.run
}
