import type { Account, AccountPool } from '../accounts/account.js'
import type { ProjectKeys } from '../accounts/project.js'
import { fenceOf, projectPinOf, rulesOf, uidsOfKeys } from '../accounts/rules.js'
import type { Config } from '../config/settings.js'
import { entryFor, plainName } from '../models/resolve.js'
import { decide, decideEarly } from '../routing/decide.js'
import type { DecisionLog } from '../routing/decision-log.js'
import { explain } from '../routing/explain.js'
import type { VitalEvent, VitalsBook } from '../routing/health.js'
import { type Block, DEFAULT_LIMIT_ID, type QuotaWindow } from '../routing/limits.js'
import type {
  Candidate,
  Decision,
  DecisionContext,
  ModelPool,
  ModelSupport,
  Pin,
  RefusedReason,
} from '../routing/types.js'

/** What the choice needs to know of quota; answered from memory. */
export interface QuotaView {
  activeBlocks(uid: string, nowMs: number): readonly Block[]
  windowsByLimit(uid: string, nowMs: number): Readonly<Record<string, readonly QuotaWindow[]>>
  hasCredits(uid: string): boolean
}

/** Which account holds a session. */
export interface SessionHolds {
  holderOf(sessionId: string, nowMs: number): string | undefined
  hold(sessionId: string, uid: string, nowMs: number): void
}

/** A request as the choice sees it. */
export interface RoutedRequest {
  readonly model: string
  readonly sessionId?: string | undefined
  readonly triedUids: ReadonlySet<string>
}

/** Chooses accounts and keeps what the choice depends on. */
export interface Router {
  /** The account for a request, with the reason; recorded for `codex-status --why`. */
  choose(pool: AccountPool, request: RoutedRequest, nowMs: number): Decision
  /** The record behind a name that `choose` returned. */
  account(pool: AccountPool, uid: string): Account | undefined
  /** True when another account than those tried could serve the request now. */
  hasAlternative(pool: AccountPool, request: RoutedRequest, nowMs: number): boolean
  /** The accounts a refusal speaks of, where a pin, a fence or a pool keeps all others out; undefined when it is all of them. */
  meantBy(
    pool: AccountPool,
    request: RoutedRequest,
    reason: RefusedReason,
    nowMs: number,
  ): ReadonlySet<string> | undefined
  /** A request starts on an account; returns the function that ends it, which may be called more than once. */
  begin(uid: string, nowMs: number): () => void
  /** What became of a request, for the soft preferences. */
  record(uid: string, event: VitalEvent, nowMs: number): void
  /** A session was served: it stays there. */
  served(sessionId: string | undefined, uid: string, nowMs: number): void
  /** The backend counted a model's request against this limit family. */
  learnLimit(model: string, limitId: string): void
  /** Limit family of a model; the default one until the backend says otherwise. */
  limitOf(model: string): string
}

/** What the router works with. */
export interface RouterDeps {
  readonly config: Config
  readonly quota: QuotaView
  readonly sessions: SessionHolds
  readonly vitals: VitalsBook
  readonly decisions: DecisionLog
  /** Key of the project this instance serves, if there is one. */
  readonly project?: ProjectKeys | undefined
  readonly processOffset: number
  /** What the user sees an account as. */
  readonly labelOf: (account: Account, position: number) => string
  readonly modelSupport: (uid: string, model: string) => ModelSupport
}

/** A pool made ready for choosing: built once per version of the pool, not per request. */
interface Prepared {
  readonly pool: AccountPool
  readonly candidates: readonly Candidate[]
  readonly byUid: ReadonlyMap<string, Candidate>
  readonly accounts: ReadonlyMap<string, Account>
  readonly activeUid: string | undefined
  readonly rules: ReturnType<typeof rulesOf>
  readonly modelPools: ReadonlyMap<string, ModelPool>
}

/** Creates a router. All of its state is in memory. */
export function createRouter(deps: RouterDeps): Router {
  const inFlight = new Map<string, number>()
  const lastUsed = new Map<string, number>()
  const limits = new Map<string, string>()
  /** The request being decided, seen by the candidates' getters. */
  const current = { model: '', nowMs: 0 }
  let prepared: Prepared | undefined

  const candidateOf = (account: Account, position: number): Candidate => ({
    uid: account.uid,
    position,
    label: deps.labelOf(account, position),
    enabled: account.enabled !== false,
    needsLogin: account.needsLogin !== undefined,
    kind: account.kind ?? 'oauth',
    ...(account.planType === undefined ? {} : { plan: account.planType }),
    // Read when looked at: most candidates of a decision never are.
    get blocks() {
      return deps.quota.activeBlocks(account.uid, current.nowMs)
    },
    get windows() {
      return deps.quota.windowsByLimit(account.uid, current.nowMs)
    },
    get hasCredits() {
      return deps.quota.hasCredits(account.uid)
    },
    get health() {
      return deps.vitals.read(account.uid, current.nowMs).health
    },
    get resting() {
      return deps.vitals.isResting(account.uid, current.nowMs)
    },
    get bucketTokens() {
      return deps.vitals.read(account.uid, current.nowMs).tokens
    },
    get inFlight() {
      return inFlight.get(account.uid) ?? 0
    },
    get lastUsedMs() {
      return Math.max(account.lastUsed, lastUsed.get(account.uid) ?? 0)
    },
    get modelSupport() {
      return deps.modelSupport(account.uid, current.model)
    },
  })

  const prepare = (pool: AccountPool): Prepared => {
    if (prepared?.pool === pool) return prepared
    const candidates = pool.accounts.map(candidateOf)
    const byUid = new Map(candidates.map((candidate) => [candidate.uid, candidate]))
    deps.vitals.retain(new Set(byUid.keys()))
    const { modelAccountPools, modelAccountPoolModes } = deps.config
    const modelPools = new Map(
      Object.keys(modelAccountPools).map((name): [string, ModelPool] => {
        // Requests arrive under the backend's name of a model; users also write its other names.
        const model = plainName(name)
        return [
          model,
          {
            uids: uidsOfKeys(entryFor(modelAccountPools, model) ?? [], pool.accounts),
            mode: entryFor(modelAccountPoolModes, model) ?? 'preferred',
          },
        ]
      }),
    )
    const accounts = new Map(pool.accounts.map((account) => [account.uid, account]))
    prepared = {
      pool,
      candidates,
      byUid,
      accounts,
      activeUid: pool.accounts[pool.activeIndex]?.uid,
      rules: rulesOf(pool),
      modelPools,
    }
    return prepared
  }

  const contextOf = (ready: Prepared, request: RoutedRequest, nowMs: number): DecisionContext => {
    const { sessionId, model } = request
    const pin = pinFor(ready, sessionId)
    const fence = fenceOf(ready.rules, deps.project)
    const modelPool = ready.modelPools.get(model)
    const sessionUid =
      sessionId === undefined ? undefined : deps.sessions.holderOf(sessionId, nowMs)
    return {
      nowMs,
      model,
      limitId: limits.get(model) ?? DEFAULT_LIMIT_ID,
      strategy: deps.config.rotationStrategy,
      creditsPolicy: deps.config.creditsPolicy,
      processOffset: deps.config.pidOffsetEnabled ? deps.processOffset : 0,
      triedUids: request.triedUids,
      ...(sessionUid === undefined ? {} : { sessionUid }),
      ...(ready.activeUid === undefined ? {} : { activeUid: ready.activeUid }),
      ...(pin === undefined ? {} : { pin }),
      ...(fence === undefined ? {} : { fence: new Set(fence) }),
      ...(modelPool === undefined ? {} : { modelPool }),
    }
  }

  const pinFor = (ready: Prepared, sessionId: string | undefined): Pin | undefined => {
    const { rules } = ready
    const session = sessionId === undefined ? undefined : rules.sessionPins?.[sessionId]
    if (session) return { ...session, scope: 'session' }
    const project = projectPinOf(rules, deps.project)
    if (project) return { ...project, scope: 'project' }
    return rules.pin ? { ...rules.pin, scope: 'global' } : undefined
  }

  return {
    choose(pool, request, nowMs) {
      const ready = prepare(pool)
      current.model = request.model
      current.nowMs = nowMs
      const context = contextOf(ready, request, nowMs)
      const { candidates } = ready
      const decision =
        decideEarly(context, (uid) => ready.byUid.get(uid)) ?? decide({ ...context, candidates })
      deps.decisions.record({
        atMs: nowMs,
        sessionId: request.sessionId,
        model: request.model,
        decision,
        explain: () => {
          current.model = request.model
          current.nowMs = nowMs
          return explain({ ...context, candidates }).candidates
        },
      })
      return decision
    },

    account: (pool, uid) => prepare(pool).accounts.get(uid),

    hasAlternative(pool, request, nowMs) {
      const ready = prepare(pool)
      if (ready.candidates.length < 2) return false
      current.model = request.model
      current.nowMs = nowMs
      return (
        decide({ ...contextOf(ready, request, nowMs), candidates: ready.candidates }).uid !==
        undefined
      )
    },

    meantBy(pool, request, reason, nowMs) {
      const { pin, fence, modelPool } = contextOf(prepare(pool), request, nowMs)
      if (reason === 'pin_blocked') return pin === undefined ? undefined : new Set([pin.uid])
      if (reason === 'fence_blocked') return fence
      return reason === 'pool_blocked' ? modelPool?.uids : undefined
    },

    begin(uid, nowMs) {
      inFlight.set(uid, (inFlight.get(uid) ?? 0) + 1)
      lastUsed.set(uid, nowMs)
      deps.vitals.record(uid, 'sent', nowMs)
      let running = true
      return () => {
        if (!running) return
        running = false
        inFlight.set(uid, Math.max(0, (inFlight.get(uid) ?? 1) - 1))
      }
    },

    record: (uid, event, nowMs) => deps.vitals.record(uid, event, nowMs),

    served(sessionId, uid, nowMs) {
      if (sessionId !== undefined) deps.sessions.hold(sessionId, uid, nowMs)
    },

    learnLimit: (model, limitId) => void limits.set(model, limitId),
    limitOf: (model) => limits.get(model) ?? DEFAULT_LIMIT_ID,
  }
}
