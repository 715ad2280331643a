import { sum } from './statistics.js'

/** USD per million tokens at the standard rate of the public API. */
interface Price {
  readonly input: number
  readonly cachedInput: number
  readonly output: number
  /** Costs more above `LONG_INPUT_TOKENS` (see `LONG_FACTORS`). Absent: the price of long requests is not known. */
  readonly isLongKnown?: true
}

/** When the prices were looked up. */
export const PRICES_DATE = '2026-11-21'

/** A request with more input than this costs more as a whole, tokens. */
const LONG_INPUT_TOKENS = 272_000
const LONG_FACTORS = { input: 2, output: 1.5 } as const

/**
 * Public API prices by model, from the model pages under developers.openai.com/api/docs/models as they were quoted in
 * public documents on `PRICES_DATE`. A model that was not found there is left out: unknown is unknown. Writes to the
 * cache and faster service tiers cost extra and are not in it.
 */
const PRICES: Readonly<Record<string, Price>> = {
  'gpt-6.1-sol': { input: 2, cachedInput: 0.1, output: 10, isLongKnown: true },
  'gpt-6.1-terra': { input: 1, cachedInput: 0.05, output: 5, isLongKnown: true },
  'gpt-6-astra': { input: 10, cachedInput: 1, output: 50, isLongKnown: true },
  'gpt-6-sol': { input: 2, cachedInput: 0.2, output: 10, isLongKnown: true },
  'gpt-6-luna': { input: 0.1, cachedInput: 0.01, output: 0.5, isLongKnown: true },
  'gpt-5.6-sol': { input: 4, cachedInput: 0.4, output: 20, isLongKnown: true },
  'gpt-5.6-terra': { input: 2, cachedInput: 0.2, output: 12, isLongKnown: true },
  'gpt-5.6-luna': { input: 0.2, cachedInput: 0.02, output: 1.2, isLongKnown: true },
  'gpt-5.5': { input: 5, cachedInput: 0.5, output: 30 },
  'gpt-5.4': { input: 2.5, cachedInput: 0.25, output: 15 },
  'gpt-5.4-mini': { input: 0.75, cachedInput: 0.075, output: 4.5 },
  'gpt-5.3-codex': { input: 1.75, cachedInput: 0.175, output: 14 },
}

/** The price of a model; undefined when it is not known. Names come from outside: `constructor` is none. */
export function priceOf(model: string): Price | undefined {
  return Object.hasOwn(PRICES, model) ? PRICES[model] : undefined
}

/** The tokens of one answer. */
export interface TurnTokens {
  readonly model: string
  /** With the cached ones. */
  readonly inputTokens: number
  readonly cachedTokens: number
  /** With those of the reasoning. */
  readonly outputTokens: number
}

/** What a turn would have cost on the public API, USD; undefined when its price is not known. Pure. */
export function apiValueOf(turn: TurnTokens): number | undefined {
  const price = priceOf(turn.model)
  const isLong = turn.inputTokens > LONG_INPUT_TOKENS
  if (price === undefined || (isLong && price.isLongKnown !== true)) return undefined
  const cached = Math.min(turn.cachedTokens, turn.inputTokens)
  const input = (turn.inputTokens - cached) * price.input + cached * price.cachedInput
  const factors = isLong ? LONG_FACTORS : { input: 1, output: 1 }
  return (input * factors.input + turn.outputTokens * price.output * factors.output) / 1e6
}

export type ApiValue = ReturnType<typeof apiValue>

/** What turns would have cost on the public API. Not a charge: a subscription pays for them. Pure. */
export function apiValue(turns: readonly TurnTokens[]) {
  const unpriced = turns.filter((turn) => apiValueOf(turn) === undefined)
  return {
    usd: sum(turns, (turn) => apiValueOf(turn) ?? 0),
    turns: turns.length,
    inputTokens: sum(turns, (turn) => turn.inputTokens),
    cachedTokens: sum(turns, (turn) => turn.cachedTokens),
    outputTokens: sum(turns, (turn) => turn.outputTokens),
    /** Models without a known price, whose turns are not in `usd`. */
    unpricedModels: [...new Set(unpriced.map(({ model }) => model))].sort(),
  }
}
