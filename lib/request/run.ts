import type { Account, AccountPool } from '../accounts/account.js'
import type { SessionAffinity } from '../accounts/session-affinity.js'
import type { PoolScope } from '../accounts/project/project.js'
import type { AccountStore } from '../accounts/store/store.js'
import type { Config } from '../config/settings.js'
import type { History } from '../history/history.js'
import type { Clock } from '../kernel/clock.js'
import type { CodexError } from '../kernel/errors.js'
import type { Lazy } from '../kernel/lazy.js'
import type { Logger } from '../kernel/logger.js'
import type { Metrics } from '../kernel/metrics.js'
import type { Place } from '../kernel/text/command-words.js'
import type { Timers } from '../kernel/timers.js'
import type { Endpoints } from '../oauth/endpoints.js'
import type { QuotaLedger } from '../quota/ledger.js'
import type { ChosenReason } from '../routing/types.js'
import type { Tokens } from '../tokens/tokens.js'
import type { ObjectText } from './body/json-edit.js'
import type { AccountBody } from './body/reasoning.js'
import type { PreparedRequest } from './body/request.js'
import type { Breaker, Breakers } from './breaker.js'
import type { Deadline } from './deadline.js'
import type { Destination, EndpointForKeys } from './endpoint.js'
import type { AttemptReason, Failure } from './failures/failures.js'
import type { Refusal } from './failures/refusal.js'
import type { RetryBudget } from './failures/retry.js'
import type { HostRequest } from './host-request.js'
import type { WireStyle } from './headers/wire.js'
import type { Passed } from './notice-words.js'
import type { Notices } from './notices.js'
import type { Router } from './router.js'
import type { AttemptRecord, RequestRecord, Trace } from './trace/trace.js'
import type { Exchange, Transport } from './transport/passage.js'

/** What the request path uses of the runtime. */
export interface RequestRuntime {
  readonly fetch: typeof globalThis.fetch
  readonly clock: Clock
  /** 0 up to 1. */
  readonly random: () => number
  readonly config: Config
  readonly endpoints: Endpoints
  readonly userAgent: string
  readonly host: Logger
  readonly store: AccountStore
  readonly tokens: Tokens
  readonly router: Router
  readonly ledger: QuotaLedger
  readonly sessions: SessionAffinity
  readonly history: Pick<History, 'flush' | 'note'>
  readonly trace: Trace
  readonly ahead: WritesAhead
  readonly metrics: Metrics
  /** Where the user reads of a failure. */
  readonly place: () => Place
  readonly scope: Pick<PoolScope, 'project'>
  /** Number and name of an account, as the user knows it. */
  label(account: Account): string
}

/** When a plugin instance has written ahead (`late/write-ahead.ts`), ms of `performance.now`. */
interface WritesAhead {
  sinceMs?: number
  lastMs?: number
  timer?: NodeJS.Timeout
}

/** What every request works with. */
export interface RequestDeps {
  readonly runtime: RequestRuntime
  /** Every limit of time of every request. */
  readonly timers: Timers
  /** Makes the body of the host one the backend takes. */
  readonly prepare: (text: string) => PreparedRequest
  /** Chat completions are rebuilt by `prepare`. */
  readonly takesChat: boolean
  /** When the host has its answer at the latest, ms from its request. */
  readonly deadlineMs: number
  readonly wire: WireStyle
  /** Whether the host compacts this session with its request; known only where the prompt of it is ours. */
  readonly isCompacting?: ((session: string) => boolean) | undefined
  readonly transport: Transport
  readonly endpointForKeys: EndpointForKeys | undefined
  readonly breakers: Breakers
  readonly notices: Notices
  /** What is needed once a request was sent, or cannot be. */
  readonly late: Lazy<Late>
}

/** The second part of the request path, now or as soon as it is loaded. */
export function lateOf({ late }: Pick<RequestDeps, 'late'>): Late | Promise<Late> {
  return late.ready() ?? late()
}

/** An account that is asked, and where: settled once, however often it is asked. */
export interface Target {
  readonly account: Account
  readonly choice: ChosenReason | 'again'
  /** Or why its address may not get a credential. */
  readonly destination: Destination | CodexError
  readonly breaker: Breaker
}

/** How the last try of a request failed. */
export type LastFailure =
  { readonly failure: Failure; readonly account: Account } | { readonly error: CodexError }

/**
 * One request of the host on its way, over all attempts, with what every request works with. Its identity is what the
 * breakers know it by.
 */
export interface RequestRun extends RequestDeps, Omit<HostRequest, 'text'> {
  readonly deadline: Deadline
  /** Aborted by the host or by the deadline. */
  readonly signal: AbortSignal
  readonly record: RequestRecord

  prepared: PreparedRequest
  /** Absent until something has failed. */
  budget: RetryBudget | undefined
  pool: AccountPool
  /** Why the next attempt is made. */
  reason: AttemptReason
  /** To be asked again, without a new choice. */
  again: Target | undefined
  last: LastFailure | undefined

  /** Those that could not serve, for the one message about them; none of them before a wait or another model. */
  readonly passed: Map<string, Passed>
  /** Accounts that were asked and left. */
  readonly tried: Set<string>
  /** Of those, the accounts whose token another process is renewing: they are waited for when no other can serve. */
  readonly busy: Set<string>
  isLastResort: boolean
  /** Models asked for, for the fallback chain. */
  readonly models: Set<string>
  /** The account whose token was refreshed for this request. */
  refreshedUid: string | undefined
  droppedReasoning: boolean
  repairedHistory: boolean
}

/** One try of one account. */
export interface Attempt {
  readonly target: Target
  readonly body: ObjectText
  readonly record: AttemptRecord
  /** False while another account could serve in place of waiting for a token that another process renews. */
  mayWait(): boolean
  /** The stream handed out has ended; once, and only after a success. */
  readonly onEnd: () => void
}

/** What came of it. */
export type AttemptResult =
  | { readonly ok: true; readonly response: Response; readonly body: ReadableStream<Uint8Array> }
  | { readonly ok: false; readonly failure: Failure; readonly token: string }

/** The second part of the request path (`late/late.ts`): what is needed once a request was sent, or cannot be. */
export interface Late {
  readonly answerOf: (
    run: RequestRun,
    one: Attempt,
    sent: { readonly exchange?: Exchange; readonly error?: unknown; readonly token: string },
  ) => Promise<AttemptResult>
  readonly handBack: (
    run: RequestRun,
    target: Target,
    answer: Extract<AttemptResult, { ok: true }> & { readonly account: AccountBody },
  ) => Promise<Response> | Response
  readonly recover: (
    run: RequestRun,
    target: Target,
    result: Extract<AttemptResult, { ok: false }>,
  ) => Promise<void>
  readonly noteSwitch: (run: RequestRun, to: Account) => void
  readonly waitForAnyAccount: (run: RequestRun, refusal: Refusal) => Promise<void>
  readonly settle: (run: RequestRun, tellsLogins?: boolean) => void
  readonly overdue: (deps: RequestDeps, last: LastFailure | undefined) => CodexError
  readonly shownError: (error: unknown, place: Place) => CodexError
  readonly errorResponse: (error: CodexError) => Response
  readonly lateAnswer: (
    answer: Promise<ReadableStream<Uint8Array> | CodexError>,
    giveUp: () => void,
  ) => Response
}

/** An account is left for good; what there is to say of it waits for the one that serves. */
export function pass({ notices, passed }: RequestRun, uid: string, why: Passed): void {
  if (passed.size === 0) notices.moves()
  passed.set(uid, why)
}

/** Closes the account of a request; later calls change nothing but the count. */
export function finish(
  { clock, metrics, trace }: RequestRuntime,
  { deadline, record }: Pick<RequestRun, 'deadline'> & Partial<Pick<RequestRun, 'record'>>,
  outcome: string,
): void {
  deadline.close()
  if (record !== undefined) trace.finish(record, { outcome, nowMs: clock.now() })
  metrics.count(`requests.${outcome.split(':')[0] ?? outcome}`)
}
