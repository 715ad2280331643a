/** Where a reading or a block comes from, most trusted first. */
export const EVIDENCE_SOURCES = ['headers', 'event', 'body', 'usage'] as const
export type EvidenceSource = (typeof EVIDENCE_SOURCES)[number]

/** Windows are told apart by their length, never by their position in the answer. */
export const WINDOW_KINDS = ['five_hour', 'weekly', 'monthly', 'unknown'] as const
export type WindowKind = (typeof WINDOW_KINDS)[number]

/** One quota window of one limit family, as last read. */
export interface QuotaWindow {
  readonly kind: WindowKind
  /** May exceed 100; 100 and more is exhausted. */
  readonly usedPercent: number
  readonly windowMinutes?: number
  /** Epoch ms. */
  readonly resetsAtMs?: number
  readonly observedAtMs: number
  readonly source: EvidenceSource
}

/** Why an account cannot serve for a while. */
export const BLOCK_REASONS = [
  'usage_limit',
  'rate_limit',
  'usage_not_included',
  'unauthorized',
  'forbidden',
  'workspace_deactivated',
  'model_not_supported',
] as const
export type BlockReason = (typeof BLOCK_REASONS)[number]

/** A block always says what was seen, by which source, and when it ends. */
export interface Block {
  /**
   * What is blocked: `*` the whole account, `limit:<limit id>` a limit family (`limit:codex`), `model:<slug>` one model.
   */
  readonly scope: string
  readonly reason: BlockReason
  readonly source: EvidenceSource
  readonly sinceMs: number
  /** Epoch ms; a block in the past has no effect. */
  readonly untilMs: number
  /** One short fact for the user ("weekly limit"); never a secret. */
  readonly detail?: string
}

/** The limit family that the plain `x-codex-*` headers speak of. */
export const DEFAULT_LIMIT_ID = 'codex'

/** Names of windows where there is little room. */
export const WINDOW_NAMES: Readonly<Record<WindowKind, string>> = {
  five_hour: '5h',
  weekly: '7d',
  monthly: '30d',
  unknown: 'quota',
}
/** Names of windows in sentences. */
export const LIMIT_NAMES: Readonly<Record<WindowKind, string>> = {
  five_hour: '5-hour limit',
  weekly: 'weekly limit',
  monthly: 'monthly limit',
  unknown: 'limit',
}
