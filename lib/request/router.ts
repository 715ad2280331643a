import type { Account, AccountPool } from '../accounts/account.js'
import type { SessionAffinity } from '../accounts/session-affinity.js'
import type { ProjectKeys } from '../accounts/project/project.js'
import { fenceOf, pinInForce, rulesOf, uidsOfKeys } from '../accounts/rules.js'
import type { Config } from '../config/settings.js'
import { dropUndefined } from '../kernel/drop-undefined.js'
import { entryFor, plainName } from '../models/resolve.js'
import type { QuotaLedger } from '../quota/ledger.js'
import { decide, decideEarly } from '../routing/decide.js'
import type { DecisionLog } from '../routing/decision-log.js'
import { explain } from '../routing/explain.js'
import type { HealthEvent, HealthTracker } from '../routing/health.js'
import { DEFAULT_LIMIT_ID } from '../routing/limits.js'
import type {
  Candidate,
  Decision,
  DecisionContext,
  ModelPool,
  ModelSupport,
  RefusedReason,
} from '../routing/types.js'

/** A request as the choice sees it. */
export interface RoutedRequest {
  readonly model: string
  readonly sessionId?: string | undefined
  /** The host compacts the session with this request. */
  readonly atCompaction?: boolean
  readonly triedUids: ReadonlySet<string>
}

/** What the router works with. */
interface RouterDeps {
  readonly config: Config
  readonly quota: Pick<QuotaLedger, 'activeBlocks' | 'windowsByLimit' | 'hasCredits'>
  readonly sessions: Pick<SessionAffinity, 'get' | 'set'>
  readonly health: HealthTracker
  readonly decisions: DecisionLog
  /** Key of the project this instance serves, if there is one. */
  readonly project?: ProjectKeys | undefined
  readonly processOffset: number
  /** What the user sees an account as. */
  readonly labelOf: (account: Account, position: number) => string
  readonly modelSupport: (uid: string, model: string) => ModelSupport
  /** Hears who answers; called on the request path. */
  readonly onServed?: (uid: string) => void
}

/** What no request changes about an account. */
interface Member {
  readonly account: Account
  readonly position: number
  readonly label: string
}

/** Chooses accounts and keeps, in memory, what the choice depends on. */
export class Router {
  readonly #deps: RouterDeps
  readonly #inFlight = new Map<string, number>()
  readonly #lastUsed = new Map<string, number>()
  /** Limit families by model. */
  readonly #limits = new Map<string, string>()
  #ready: ReturnType<typeof readied> | undefined

  constructor(deps: RouterDeps) {
    this.#deps = deps
  }

  /** The account for a request, with the reason; recorded for `codex-status --why`. */
  choose(pool: AccountPool, request: RoutedRequest, nowMs: number): Decision {
    const { members } = this.#poolReady(pool)
    const context = this.#context(pool, request, nowMs)
    const snapshot = () => ({ ...context, candidates: this.#candidates(pool, context) })
    // A session that stays where it is asks for two candidates at most, however large the pool.
    const decision =
      decideEarly(context, (uid) => {
        const member = members.get(uid)
        return member && this.#candidate(member, context)
      }) ?? decide(snapshot())
    this.#deps.decisions.record({
      atMs: nowMs,
      sessionId: request.sessionId,
      model: request.model,
      decision,
      explain: () => explain(snapshot()).candidates,
    })
    return decision
  }

  /** The record behind a name that `choose` returned. */
  account(pool: AccountPool, uid: string): Account | undefined {
    return this.#poolReady(pool).members.get(uid)?.account
  }

  /** True when another account than those tried could serve the request now. */
  hasAlternative(pool: AccountPool, request: RoutedRequest, nowMs: number): boolean {
    if (this.#poolReady(pool).members.size < 2) return false
    const context = this.#context(pool, request, nowMs)
    return decide({ ...context, candidates: this.#candidates(pool, context) }).uid !== undefined
  }

  /** The accounts a refusal speaks of, where a pin, a fence or a pool keeps all others out; undefined when it is all of them. */
  meantBy(
    pool: AccountPool,
    request: RoutedRequest,
    reason: RefusedReason,
    nowMs: number,
  ): ReadonlySet<string> | undefined {
    const { pin, fence, modelPool } = this.#context(pool, request, nowMs)
    if (reason === 'pin_blocked') return pin === undefined ? undefined : new Set([pin.uid])
    if (reason === 'fence_blocked') return fence
    return reason === 'pool_blocked' ? modelPool?.uids : undefined
  }

  /** A request starts on an account; returns the function that ends it, which may be called more than once. */
  begin(uid: string, nowMs: number): () => void {
    this.#inFlight.set(uid, (this.#inFlight.get(uid) ?? 0) + 1)
    this.#lastUsed.set(uid, nowMs)
    this.record(uid, 'sent', nowMs)
    let isRunning = true
    return () => {
      if (isRunning) this.#inFlight.set(uid, Math.max(0, (this.#inFlight.get(uid) ?? 1) - 1))
      isRunning = false
    }
  }

  /** What became of a request, for the soft preferences. */
  record(uid: string, event: HealthEvent, nowMs: number): void {
    this.#deps.health.record(uid, event, nowMs)
  }

  /** A session was served: it stays there. */
  served(sessionId: string | undefined, uid: string, nowMs: number): void {
    this.#deps.onServed?.(uid)
    if (sessionId !== undefined) this.#deps.sessions.set(sessionId, uid, nowMs)
  }

  /** The backend counted a model's request against this limit family. */
  learnLimit(model: string, limitId: string): void {
    this.#limits.set(model, limitId)
  }

  /** Limit family of a model; the default one until the backend says otherwise. */
  limitOf(model: string): string {
    return this.#limits.get(model) ?? DEFAULT_LIMIT_ID
  }

  #poolReady(pool: AccountPool): ReturnType<typeof readied> {
    if (this.#ready?.pool === pool) return this.#ready
    this.#ready = readied(pool, this.#deps)
    this.#deps.health.retain(new Set(this.#ready.members.keys()))
    return this.#ready
  }

  #candidates(pool: AccountPool, context: DecisionContext): Candidate[] {
    return Array.from(this.#poolReady(pool).members.values(), (member) =>
      this.#candidate(member, context),
    )
  }

  /** Everything about an account at one moment, as plain data. */
  #candidate(
    { account, position, label }: Member,
    { model, nowMs }: Pick<DecisionContext, 'model' | 'nowMs'>,
  ): Candidate {
    const { uid } = account
    const { quota, health, modelSupport } = this.#deps
    const met = health.read(uid, nowMs)
    return {
      uid,
      position,
      label,
      enabled: account.enabled !== false,
      needsLogin: account.needsLogin !== undefined,
      kind: account.kind ?? 'oauth',
      blocks: quota.activeBlocks(uid, nowMs),
      windows: quota.windowsByLimit(uid, nowMs),
      hasCredits: quota.hasCredits(uid),
      health: met.health,
      resting: health.restsUntil(uid, nowMs) !== undefined,
      bucketTokens: met.tokens,
      inFlight: this.#inFlight.get(uid) ?? 0,
      lastUsedMs: Math.max(account.lastUsed, this.#lastUsed.get(uid) ?? 0),
      modelSupport: modelSupport(uid, model),
    }
  }

  #context(
    pool: AccountPool,
    { sessionId, model, triedUids, atCompaction }: RoutedRequest,
    nowMs: number,
  ): DecisionContext {
    const { rules, modelPools, activeUid } = this.#poolReady(pool)
    const { config, project, processOffset, sessions } = this.#deps
    const fence = fenceOf(rules, project)
    return dropUndefined({
      nowMs,
      model,
      limitId: this.limitOf(model),
      strategy: config.rotationStrategy,
      creditsPolicy: config.creditsPolicy,
      processOffset: config.pidOffsetEnabled ? processOffset : 0,
      triedUids,
      sessionUid: sessionId === undefined ? undefined : sessions.get(sessionId, nowMs),
      atCompaction,
      activeUid,
      pin: pinInForce(rules, project),
      fence: fence === undefined ? undefined : new Set(fence),
      modelPool: modelPools.get(model),
    })
  }
}

/** A pool made ready for choosing: once per version of the pool, not per request. */
function readied(pool: AccountPool, { labelOf, config }: RouterDeps) {
  const { accounts } = pool
  const { modelAccountPools, modelAccountPoolModes } = config
  const modelPools = Object.keys(modelAccountPools).map((name): [string, ModelPool] => {
    // Requests arrive under the backend's name of a model; users also write its other names.
    const model = plainName(name)
    const uids = uidsOfKeys(entryFor(modelAccountPools, model) ?? [], accounts)
    return [model, { uids, mode: entryFor(modelAccountPoolModes, model) ?? 'preferred' }]
  })
  return {
    pool,
    members: new Map(
      accounts.map((account, position): [string, Member] => [
        account.uid,
        { account, position, label: labelOf(account, position) },
      ]),
    ),
    activeUid: accounts[pool.activeIndex]?.uid,
    rules: rulesOf(pool),
    modelPools: new Map(modelPools),
  }
}
