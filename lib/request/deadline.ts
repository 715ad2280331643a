import { abortReason } from '../kernel/clock.js'
import { createTimers } from '../kernel/timers.js'

/**
 * When the host has its answer at the latest, ms from the start of its request. OpenCode waits 300 s for it unless told
 * otherwise, and a request that lets it pass is sent again while the first still runs and is paid for.
 */
export const REQUEST_DEADLINE_MS = 285_000
/** An attempt or a look at the accounts is not begun with less time than this left, ms. */
export const MIN_STEP_MS = 1_000
/** What does not let itself be ended at the deadline is left behind this much later, ms. */
const GRACE_MS = 1_000

/** The reason of the signal when the time is up; told apart from an abort by the user. */
class DeadlinePassed extends Error {
  override readonly name = 'DeadlinePassed'
}

/** The time of one request, over all attempts and waits. Measured by a clock that cannot be set. */
export type Deadline = ReturnType<typeof startDeadline>

/**
 * Starts the time of a request.
 * @param time.ms as `REQUEST_DEADLINE_MS`
 * @param time.startedAt when the host asked, as `performance.now()`: the plugin itself may have been loading since
 * @param acts.handOver the time is up while the backend is answering
 * @param acts.giveUp the time is up and the request did not end by itself although its signal was aborted
 */
export function startDeadline(
  host: AbortSignal | undefined,
  { ms, startedAt }: { readonly ms: number; readonly startedAt: number },
  acts: { handOver(): void; giveUp(): void },
  timers = createTimers(),
) {
  const endsAt = startedAt + ms
  const leftMs = (): number => Math.max(0, endsAt - performance.now())
  // By hand and not with AbortSignal.any: the host's signal may outlive thousands of requests, and Node 20 never forgets
  // a signal derived from it. Everything behind derives from this one, which ends with its request.
  const controller = new AbortController()
  const onAbort = (): void => controller.abort(host === undefined ? undefined : abortReason(host))
  if (host?.aborted === true) onAbort()
  else host?.addEventListener('abort', onAbort, { once: true })

  let isAnswering = false
  let met = timers.after(leftMs(), () => {
    if (isAnswering) {
      acts.handOver()
      return
    }
    // Whoever hears of the end may call `met` at once.
    met = timers.after(GRACE_MS, () => acts.giveUp())
    controller.abort(new DeadlinePassed())
  })
  return {
    /** Ends whatever belongs to the request: the host has aborted it, or its time is up. */
    signal: controller.signal,
    /** Time until the answer has to be there, ms; 0 when it is up. */
    leftMs,
    /** True when something that takes this long, in ms, may be begun. */
    allows: (neededMs: number) => neededMs + MIN_STEP_MS <= leftMs(),
    /** The backend has begun to answer: at the deadline the answer is handed over unfinished instead of being given up. */
    answering(is: boolean): void {
      isAnswering = is
    },
    /** The host has its answer, or an error; nothing ends the request by time any more. */
    met: () => met(),
    /** The request is over: lets go of the host's signal. */
    close(): void {
      met()
      host?.removeEventListener('abort', onAbort)
    },
  }
}

/** True when the request was ended by its time and not by the host. */
export function isOverdue(signal: AbortSignal): boolean {
  return signal.reason instanceof DeadlinePassed
}

/**
 * The time a request has.
 * @param hostHeaderTimeoutMs `provider.openai.options.headerTimeout` of the host, where it is a number
 */
export function deadlineFor(hostHeaderTimeoutMs: number | undefined): number {
  if (hostHeaderTimeoutMs === undefined || hostHeaderTimeoutMs <= 0) return REQUEST_DEADLINE_MS
  return Math.min(REQUEST_DEADLINE_MS, Math.floor(hostHeaderTimeoutMs * 0.95))
}
