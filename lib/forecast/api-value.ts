import { LONG_FACTORS, LONG_INPUT_TOKENS, priceOf } from './price-table.js'

/** The tokens of one answer. */
export interface TurnTokens {
  readonly model: string
  /** With the cached ones. */
  readonly inputTokens: number
  readonly cachedTokens: number
  /** With those of the reasoning. */
  readonly outputTokens: number
}

/** What turns would have cost on the public API. Not a charge: a subscription pays for them. */
export interface ApiValue {
  readonly usd: number
  readonly turns: number
  readonly inputTokens: number
  readonly cachedTokens: number
  readonly outputTokens: number
  /** Models without a known price, whose turns are not in `usd`. */
  readonly unpricedModels: readonly string[]
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

/** The same for many turns. Pure. */
export function apiValue(turns: readonly TurnTokens[]): ApiValue {
  const sum = (value: (turn: TurnTokens) => number): number =>
    turns.reduce((total, turn) => total + value(turn), 0)
  return {
    usd: sum((turn) => apiValueOf(turn) ?? 0),
    turns: turns.length,
    inputTokens: sum(({ inputTokens }) => inputTokens),
    cachedTokens: sum(({ cachedTokens }) => cachedTokens),
    outputTokens: sum(({ outputTokens }) => outputTokens),
    unpricedModels: [
      ...new Set(turns.filter((turn) => apiValueOf(turn) === undefined).map(({ model }) => model)),
    ].sort(),
  }
}
