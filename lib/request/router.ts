import type { Account, AccountPool } from '../accounts/account.js'
import type { SessionAffinity } from '../accounts/session-affinity.js'
import type { ProjectKeys } from '../accounts/project/project.js'
import { fenceOf, rulesOf, uidsOfKeys } from '../accounts/rules.js'
import { pinInForce } from '../account-view/view.js'
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
  record(uid: string, event: HealthEvent, nowMs: number): void
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
  readonly quota: Pick<QuotaLedger, 'activeBlocks' | 'windowsByLimit' | 'hasCredits'>
  readonly sessions: Pick<SessionAffinity, 'get' | 'set'>
  readonly vitals: HealthTracker
  readonly decisions: DecisionLog
  /** Key of the project this instance serves, if there is one. */
  readonly project?: ProjectKeys | undefined
  readonly processOffset: number
  /** What the user sees an account as. */
  readonly labelOf: (account: Account, position: number) => string
  readonly modelSupport: (uid: string, model: string) => ModelSupport
}

/** What no request changes about an account. */
interface Member {
  readonly account: Account
  readonly position: number
  readonly label: string
}

/** A pool made ready for choosing: built once per version of the pool, not per request. */
interface ReadyPool {
  readonly pool: AccountPool
  readonly members: ReadonlyMap<string, Member>
  readonly activeUid: string | undefined
  readonly rules: ReturnType<typeof rulesOf>
  readonly modelPools: ReadonlyMap<string, ModelPool>
}

/** All that the router remembers. */
interface RouterState {
  readonly deps: RouterDeps
  readonly inFlight: Map<string, number>
  readonly lastUsed: Map<string, number>
  /** Limit families by model. */
  readonly limits: Map<string, string>
  ready?: ReadyPool
}

/** What a candidate is read for. */
type Asked = Pick<DecisionContext, 'model' | 'nowMs'>

/** Creates a router. All of its state is in memory. */
export function createRouter(deps: RouterDeps): Router {
  const { decisions, vitals, sessions } = deps
  const state: RouterState = {
    deps,
    inFlight: new Map(),
    lastUsed: new Map(),
    limits: new Map(),
  }
  const { inFlight, lastUsed, limits } = state
  return {
    choose(pool, request, nowMs) {
      const ready = readied(state, pool)
      const context = contextOf(state, ready, request, nowMs)
      const candidates = (): Candidate[] => candidatesOf(state, ready, context)
      // A session that stays where it is asks for two candidates at most, however large the pool.
      const decision =
        decideEarly(context, (uid) => {
          const member = ready.members.get(uid)
          return member === undefined ? undefined : candidateOf(state, member, context)
        }) ?? decide({ ...context, candidates: candidates() })
      decisions.record({
        atMs: nowMs,
        sessionId: request.sessionId,
        model: request.model,
        decision,
        explain: () => explain({ ...context, candidates: candidates() }).candidates,
      })
      return decision
    },

    account: (pool, uid) => readied(state, pool).members.get(uid)?.account,

    hasAlternative(pool, request, nowMs) {
      const ready = readied(state, pool)
      if (ready.members.size < 2) return false
      const context = contextOf(state, ready, request, nowMs)
      const candidates = candidatesOf(state, ready, context)
      return decide({ ...context, candidates }).uid !== undefined
    },

    meantBy(pool, request, reason, nowMs) {
      const { pin, fence, modelPool } = contextOf(state, readied(state, pool), request, nowMs)
      if (reason === 'pin_blocked') return pin === undefined ? undefined : new Set([pin.uid])
      if (reason === 'fence_blocked') return fence
      return reason === 'pool_blocked' ? modelPool?.uids : undefined
    },

    begin(uid, nowMs) {
      inFlight.set(uid, (inFlight.get(uid) ?? 0) + 1)
      lastUsed.set(uid, nowMs)
      vitals.record(uid, 'sent', nowMs)
      let isRunning = true
      return () => {
        if (isRunning) inFlight.set(uid, Math.max(0, (inFlight.get(uid) ?? 1) - 1))
        isRunning = false
      }
    },

    record: (uid, event, nowMs) => vitals.record(uid, event, nowMs),

    served(sessionId, uid, nowMs) {
      if (sessionId !== undefined) sessions.set(sessionId, uid, nowMs)
    },

    learnLimit: (model, limitId) => void limits.set(model, limitId),
    limitOf: (model) => limits.get(model) ?? DEFAULT_LIMIT_ID,
  }
}

function readied(state: RouterState, pool: AccountPool): ReadyPool {
  if (state.ready?.pool === pool) return state.ready
  const { labelOf, vitals, config } = state.deps
  const members = new Map(
    pool.accounts.map((account, position): [string, Member] => [
      account.uid,
      { account, position, label: labelOf(account, position) },
    ]),
  )
  vitals.retain(new Set(members.keys()))
  const { modelAccountPools, modelAccountPoolModes } = config
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
  const activeUid = pool.accounts[pool.activeIndex]?.uid
  state.ready = { pool, members, activeUid, rules: rulesOf(pool), modelPools }
  return state.ready
}

/** Everything about an account at one moment, as plain data. */
function candidateOf(
  { deps, inFlight, lastUsed }: RouterState,
  { account, position, label }: Member,
  { model, nowMs }: Asked,
): Candidate {
  const { uid } = account
  const { health, tokens } = deps.vitals.read(uid, nowMs)
  return {
    uid,
    position,
    label,
    enabled: account.enabled !== false,
    needsLogin: account.needsLogin !== undefined,
    kind: account.kind ?? 'oauth',
    blocks: deps.quota.activeBlocks(uid, nowMs),
    windows: deps.quota.windowsByLimit(uid, nowMs),
    hasCredits: deps.quota.hasCredits(uid),
    health,
    resting: deps.vitals.isResting(uid, nowMs),
    bucketTokens: tokens,
    inFlight: inFlight.get(uid) ?? 0,
    lastUsedMs: Math.max(account.lastUsed, lastUsed.get(uid) ?? 0),
    modelSupport: deps.modelSupport(uid, model),
  }
}

function candidatesOf(state: RouterState, { members }: ReadyPool, asked: Asked): Candidate[] {
  return Array.from(members.values(), (member) => candidateOf(state, member, asked))
}

function contextOf(
  { deps, limits }: RouterState,
  { rules, modelPools, activeUid }: ReadyPool,
  { sessionId, model, triedUids }: RoutedRequest,
  nowMs: number,
): DecisionContext {
  const { rotationStrategy, creditsPolicy, pidOffsetEnabled } = deps.config
  const fence = fenceOf(rules, deps.project)
  return dropUndefined({
    nowMs,
    model,
    limitId: limits.get(model) ?? DEFAULT_LIMIT_ID,
    strategy: rotationStrategy,
    creditsPolicy,
    processOffset: pidOffsetEnabled ? deps.processOffset : 0,
    triedUids,
    sessionUid: sessionId === undefined ? undefined : deps.sessions.get(sessionId, nowMs),
    activeUid,
    pin: pinInForce(rules, deps.project),
    fence: fence === undefined ? undefined : new Set(fence),
    modelPool: modelPools.get(model),
  })
}
