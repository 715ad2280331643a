import type { Block, QuotaWindow, WindowKind } from './limits.js'

/** How an account is chosen for a new session. */
export type Strategy = 'hybrid' | 'sticky' | 'round-robin' | 'drain-first'

/** Whether an account may serve on paid credits when its window is used up; `ask` means not yet allowed. */
type CreditsPolicy = 'never' | 'ask' | 'allow'

/** Whether the backend's own list for the account names the model; a list that does not is no refusal. */
export type ModelSupport = 'known' | 'unknown'

/** What decides whether an account may serve: plain data, no secret. */
export interface EligibilityFacts {
  /** Stable name of the account; nothing here hangs on its position. */
  readonly uid: string
  readonly enabled: boolean
  readonly needsLogin: boolean
  /** Blocks of every scope; those in the past have no effect. */
  readonly blocks: readonly Block[]
  /** Last readings by limit id; a family that was never read is absent. */
  readonly windows: Readonly<Record<string, readonly QuotaWindow[]>>
  /** True when the last reading said that paid credits are there to be spent. */
  readonly hasCredits: boolean
}

/** One account as the choice sees it. */
export interface Candidate extends EligibilityFacts {
  /** Place in the list as the user sees it, from 0. Breaks ties only. */
  readonly position: number
  /** What the user calls the account. */
  readonly label: string
  readonly kind: 'oauth' | 'api-key'
  /** 0 (failing) to 100 (fine), see health.ts. A preference, never a verdict. */
  readonly health: number
  /** Its last answers all failed, see health.ts: others go first while they can. */
  readonly resting: boolean
  /** Tokens left in the soft bucket, see health.ts. A preference, never a verdict. */
  readonly bucketTokens: number
  /** Requests this process has running on the account. */
  readonly inFlight: number
  /** When the account was last chosen, epoch ms; 0 for never. */
  readonly lastUsedMs: number
  readonly modelSupport: ModelSupport
}

/** The user's explicit choice of one account. */
export interface Pin {
  readonly uid: string
  /** `hard` fails when the account cannot serve; `soft` lets another help out. */
  readonly mode: 'soft' | 'hard'
  readonly scope: 'project' | 'global'
}

/** Accounts set aside for the model of the request. */
export interface ModelPool {
  readonly uids: ReadonlySet<string>
  /** `preferred`: others help out; `strict`: no other account serves the model. */
  readonly mode: 'preferred' | 'strict'
}

/** What of the request and the rules decides whether an account may serve. */
export interface EligibilityContext {
  /** Epoch ms. */
  readonly nowMs: number
  readonly model: string
  /** Limit family of the request, e.g. `codex`. */
  readonly limitId: string
  readonly creditsPolicy: CreditsPolicy
  readonly pin?: Pin
  /** Project fence: no other account may serve here, whatever happens. */
  readonly fence?: ReadonlySet<string>
  readonly modelPool?: ModelPool
  /** Accounts already tried for this request. */
  readonly triedUids?: ReadonlySet<string>
}

/** Everything about the request and the rules, without the accounts. */
export interface DecisionContext extends EligibilityContext {
  readonly strategy: Strategy
  /** Account this session was served by last. */
  readonly sessionUid?: string
  /** The session is being compacted: the cheapest moment to move it. */
  readonly atCompaction?: boolean
  /** Account the user switched to by hand: new sessions go there while it can serve. */
  readonly activeUid?: string
  /** Spreads equally good accounts over several processes (a process id, say); 0 for no spreading. */
  readonly processOffset: number
}

/** All that a decision depends on. */
export interface RoutingSnapshot extends DecisionContext {
  readonly candidates: readonly Candidate[]
}

/** Why this account serves; `compaction`: the session was moved when it was compacted. */
export type ChosenReason =
  | 'pinned'
  | 'session'
  | 'compaction'
  | 'manual_switch'
  | 'best_quota'
  | 'sticky'
  | 'round_robin'
  | 'drain_first'

/** Why no account can serve. */
export type RefusedReason =
  | 'no_accounts'
  | 'pin_blocked'
  | 'fence_blocked'
  | 'pool_blocked'
  | 'login_needed'
  | 'all_disabled'
  | 'all_blocked'
  | 'all_tried'

/** What came out. */
export type Decision =
  | { readonly uid: string; readonly reason: ChosenReason }
  | {
      readonly uid: undefined
      readonly reason: RefusedReason
      /**
       * When the first account that may serve is free of all its blocks: the minimum over accounts of the maximum over
       * that account's blocks. Undefined when time alone frees none.
       */
      readonly nextFreeAtMs: number | undefined
    }

/** Why time alone does not make an account eligible. */
export type Exclusion = 'disabled' | 'needs_login' | 'outside_fence' | 'outside_pool'

/** What keeps an account from serving, with its evidence and, where it has one, its end. */
export type IneligibleReason =
  | { readonly code: Exclusion | 'already_tried' | 'not_pinned' }
  | { readonly code: 'blocked'; readonly block: Block }
  | {
      readonly code: 'window_exhausted'
      readonly kind: WindowKind
      readonly usedPercent: number
      /** Epoch ms. */
      readonly untilMs: number
    }

/** One fact that speaks for or against an account. */
export type CandidateReason =
  | IneligibleReason
  // Facts that move an eligible account up or down.
  | { readonly code: 'pinned'; readonly scope: Pin['scope']; readonly mode: Pin['mode'] }
  | {
      readonly code:
        | 'session'
        | 'manual_switch'
        | 'pool_member'
        | 'uses_credits'
        | 'quota_unknown'
        | 'model_unverified'
    }
  /** `pace` 1: used evenly it lasts exactly until the reset; above 1 some of it would be lost unused. */
  | {
      readonly code: 'headroom'
      readonly kind: WindowKind
      readonly leftPercent: number
      readonly pace: number
    }
  | { readonly code: 'resets_at'; readonly kind: WindowKind; readonly atMs: number }
  | { readonly code: 'in_flight'; readonly count: number }
  | { readonly code: 'bucket_low'; readonly tokens: number }
  | { readonly code: 'health_low'; readonly health: number }
  | { readonly code: 'resting' }

/** One account in the explanation of a decision. */
export interface ExplainedCandidate {
  readonly uid: string
  readonly position: number
  readonly label: string
  readonly eligible: boolean
  /** Higher is better; comparable within one explanation only. Undefined when not eligible. */
  readonly score: number | undefined
  readonly reasons: readonly CandidateReason[]
}
