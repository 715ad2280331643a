const LOW_TO_XHIGH = ['low', 'medium', 'high', 'xhigh'] as const
const LOW_TO_MAX = [...LOW_TO_XHIGH, 'max'] as const
const LOW_TO_ULTRA = [...LOW_TO_MAX, 'ultra'] as const
const NONE_TO_XHIGH = ['none', ...LOW_TO_XHIGH] as const

/**
 * Reasoning efforts, weakest first. `ultra` is a selection of the Codex CLI, never sent as such
 * (docs/development/facts/codex-backend.md#reasoning-efforts).
 */
export const EFFORTS = ['none', 'minimal', ...LOW_TO_ULTRA] as const
export type Effort = (typeof EFFORTS)[number]

/** The Codex CLI whose catalogue and requests are known here. */
export const CODEX_CLI_VERSION = '0.169.0'

/** What is known of a model without asking the backend. */
export interface ModelFact {
  readonly id: string
  /** Longest input the backend grants by default, tokens; the catalogue calls it `context_window`. */
  readonly input: number
  /** Longest input the backend grants on request, tokens. */
  readonly maxInput: number
  /** Longest answer, tokens. */
  readonly output: number
  readonly efforts: readonly Effort[]
  readonly defaultEffort: Effort
  /** What `ultra` is sent as. */
  readonly ultraAs?: Effort
  /** `text.verbosity` the Codex CLI sends when the user names none; it sends none to models it does not know. */
  readonly verbosity?: 'low' | 'high'
  /** Takes the Responses Lite shape from the Codex CLI. */
  readonly lite: boolean
  /** Offers `service_tier: "priority"`. */
  readonly fast: boolean
  /** Shown in the Codex CLI's own picker. */
  readonly listed: boolean
}

const OUTPUT = 128_000
const catalogue = (
  id: string,
  fact: Partial<ModelFact> & Pick<ModelFact, 'efforts' | 'defaultEffort'>,
): ModelFact => ({
  id,
  input: 272_000,
  maxInput: 872_000,
  output: OUTPUT,
  verbosity: 'low',
  lite: true,
  fast: true,
  listed: true,
  ...fact,
})
const snapshot = (id: string, fact: Partial<ModelFact>): ModelFact => ({
  id,
  input: 272_000,
  maxInput: 272_000,
  output: OUTPUT,
  efforts: NONE_TO_XHIGH,
  defaultEffort: 'medium',
  lite: false,
  fast: true,
  listed: false,
  ...fact,
})

/**
 * The bundled Codex catalogue of CLI 0.169.0 (docs/development/facts/codex-backend.md#models), in its order of
 * priority, then the models that only the host's snapshot lists (docs/development/facts/opencode-host.md#models).
 */
export const MODEL_FACTS: readonly ModelFact[] = [
  catalogue('gpt-6.1-sol', { efforts: LOW_TO_ULTRA, defaultEffort: 'low', ultraAs: 'xhigh' }),
  catalogue('gpt-6-astra', { efforts: LOW_TO_ULTRA, defaultEffort: 'low', ultraAs: 'xhigh' }),
  catalogue('gpt-6-sol', { efforts: LOW_TO_ULTRA, defaultEffort: 'medium', ultraAs: 'max' }),
  catalogue('gpt-6-luna', { efforts: LOW_TO_MAX, defaultEffort: 'medium' }),
  catalogue('gpt-5.6-sol', { efforts: LOW_TO_ULTRA, defaultEffort: 'low', ultraAs: 'max' }),
  catalogue('gpt-6.1-terra', {
    efforts: LOW_TO_ULTRA,
    defaultEffort: 'low',
    ultraAs: 'xhigh',
    input: 500_000,
  }),
  catalogue('gpt-5.6-terra', { efforts: LOW_TO_ULTRA, defaultEffort: 'medium', ultraAs: 'max' }),
  catalogue('gpt-5.6-luna', { efforts: LOW_TO_MAX, defaultEffort: 'medium' }),
  catalogue('gpt-daybreak-blue-latest', {
    efforts: LOW_TO_ULTRA,
    defaultEffort: 'low',
    ultraAs: 'max',
    fast: false,
    listed: false,
  }),
  catalogue('gpt-daybreak-red-latest', {
    efforts: LOW_TO_ULTRA,
    defaultEffort: 'medium',
    ultraAs: 'max',
    input: 372_000,
    maxInput: 372_000,
    verbosity: 'high',
    fast: false,
    listed: false,
  }),
  catalogue('gpt-5.5', {
    efforts: LOW_TO_XHIGH,
    defaultEffort: 'medium',
    maxInput: 272_000,
    lite: false,
  }),
  catalogue('codex-auto-review', { efforts: LOW_TO_MAX, defaultEffort: 'medium', listed: false }),
  snapshot('gpt-5.4', { input: 922_000, maxInput: 922_000 }),
  snapshot('gpt-5.4-mini', {}),
  snapshot('gpt-5.3-codex', {}),
  snapshot('gpt-5.3-codex-spark', {
    input: 100_000,
    maxInput: 100_000,
    output: 32_000,
    fast: false,
  }),
]

const BY_ID = new Map(MODEL_FACTS.map((fact) => [fact.id, fact]))

/** The facts of a model, if it is a known one. */
export function modelFact(id: string): ModelFact | undefined {
  return BY_ID.get(id)
}
