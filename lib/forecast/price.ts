import { dropUndefined } from '../kernel/drop-undefined.js'
import { priceOf, type TurnTokens } from './api-value.js'
import { sum, Z80 } from './statistics.js'
import type { Interval, Sample } from './types.js'

/** A finished turn of one account. */
export interface PricedTurn extends TurnTokens {
  /** When it ended, epoch ms. */
  readonly atMs: number
}

/** Percent of a window that a thousand weighted tokens of a model take on an account: an estimate and its 80% interval. */
export interface LearnedPrice {
  readonly percentPerThousand: Interval
  /** Stretches between readings, and percent, it stands on. */
  readonly basis: { readonly stretches: number; readonly percent: number }
}

/** Fewer percent or stretches than this teach nothing: the backend counts whole percent. */
const LEAST = { percent: 3, stretches: 2 }
/** Weights of models without a known price, in tokens of fresh input. */
const USUAL = { cached: 0.1, output: 6 }
/** Standard error of a difference of two whole percentages. */
const ROUNDING = 0.41

/**
 * Tokens of a turn as tokens of fresh input, by what the public API asks for each kind. That the plan weighs them alike is
 * an assumption; the learned percentage takes up a common factor, not another ratio. Pure.
 */
export function weightedTokens({
  model,
  inputTokens,
  cachedTokens,
  outputTokens,
}: TurnTokens): number {
  const price = priceOf(model)
  const weights =
    price === undefined
      ? USUAL
      : { cached: price.cachedInput / price.input, output: price.output / price.input }
  const cached = Math.min(cachedTokens, inputTokens)
  return inputTokens - cached + cached * weights.cached + outputTokens * weights.output
}

interface Stretch {
  readonly model: string
  readonly percent: number
  readonly weight: number
}

/**
 * The price of each model, learned from one window of one account: turns are matched to the readings between which they
 * ended. Stretches with two models teach nothing, nor do those across a reset or without a turn: that was used elsewhere.
 * Pure.
 * @param samples readings of the window, any order
 * @param turns turns of the account, any order
 */
export function learnPrices(
  samples: readonly Sample[],
  turns: readonly PricedTurn[],
): ReadonlyMap<string, LearnedPrice> {
  const found = stretchesOf(samples, turns)
  const learned = new Map<string, LearnedPrice>()
  for (const model of new Set(found.map((stretch) => stretch.model))) {
    const stretches = found.filter((stretch) => stretch.model === model)
    const percent = sum(stretches, (one) => one.percent)
    const weight = sum(stretches, (one) => one.weight)
    if (stretches.length < LEAST.stretches || percent < LEAST.percent || !(weight > 0)) continue
    const each = percent / weight
    const scatter = Math.sqrt(sum(stretches, (one) => (one.percent - each * one.weight) ** 2))
    const error = Math.max(scatter, ROUNDING) / percent
    learned.set(model, {
      percentPerThousand: spread(each * 1000, error),
      basis: { stretches: stretches.length, percent },
    })
  }
  return learned
}

/** What a turn takes of the window a price was learned from, percent. Pure. */
export function shareOf(turn: TurnTokens, price: LearnedPrice): Interval {
  return scaled(price.percentPerThousand, weightedTokens(turn) / 1000)
}

/** What it costs to continue a session on another account, which has nothing of the conversation in its cache. */
export interface SwitchCost {
  /** Input that is billed in full again, tokens. */
  readonly tokens: number
  /** Percent of the other account's window; absent where its price is not known. */
  readonly share?: Interval
}

/**
 * The cost of moving a session after a turn, beyond what the next turn costs where it is. Pure.
 * @param price learned for the model of the turn on the account it would move to
 */
export function switchCost(last: TurnTokens, price: LearnedPrice | undefined): SwitchCost {
  const prefix = { ...last, cachedTokens: 0, outputTokens: 0 }
  const extra =
    weightedTokens(prefix) - weightedTokens({ ...prefix, cachedTokens: last.inputTokens })
  return dropUndefined({
    tokens: last.inputTokens,
    share: price && scaled(price.percentPerThousand, extra / 1000),
  })
}

function stretchesOf(samples: readonly Sample[], turns: readonly PricedTurn[]): Stretch[] {
  const readings = [...samples].sort((left, right) => left.atMs - right.atMs)
  const ended = [...turns].sort((left, right) => left.atMs - right.atMs)
  const stretches: Stretch[] = []
  let next = 0
  readings.forEach((reading, index) => {
    const within: PricedTurn[] = []
    for (
      let turn = ended[next];
      turn !== undefined && turn.atMs <= reading.atMs;
      turn = ended[next]
    ) {
      within.push(turn)
      next += 1
    }
    const before = readings[index - 1]
    const percent = reading.usedPercent - (before?.usedPercent ?? NaN)
    if (before === undefined || !(percent >= 0) || (before.resetsAtMs ?? Infinity) <= reading.atMs)
      return
    const model = within[0]?.model
    if (model === undefined || within.some((turn) => turn.model !== model)) return
    stretches.push({ model, percent, weight: sum(within, weightedTokens) })
  })
  return stretches
}

function spread(mid: number, error: number): Interval {
  return { low: mid * Math.max(0, 1 - Z80 * error), mid, high: mid * (1 + Z80 * error) }
}

function scaled({ low, mid, high }: Interval, factor: number): Interval {
  return { low: low * factor, mid: mid * factor, high: high * factor }
}
