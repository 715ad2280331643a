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
/** What kinds of tokens cost for each other where the price is not known. */
const USUAL = { input: 1, cachedInput: 0.1, output: 6 }
/** Standard error of a difference of two whole percentages. */
const ROUNDING = 0.41

/**
 * Tokens of a turn as tokens of fresh input, by what the public API asks for each kind. That the plan weighs them alike is
 * an assumption; the learned percentage takes up a common factor, not another ratio. Pure.
 */
export function weightedTokens(turn: TurnTokens): number {
  const { input, cachedInput, output } = priceOf(turn.model) ?? USUAL
  const cached = Math.min(turn.cachedTokens, turn.inputTokens)
  return (
    turn.inputTokens -
    cached +
    cached * (cachedInput / input) +
    turn.outputTokens * (output / input)
  )
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

/**
 * The cost of moving a session after a turn, beyond what the next turn costs where it is: another account has nothing of
 * the conversation in its cache. Pure.
 * @param price learned for the model of the turn on the account it would move to
 */
export function switchCost(last: TurnTokens, price: LearnedPrice | undefined) {
  const prefix = { ...last, cachedTokens: 0, outputTokens: 0 }
  const extra =
    weightedTokens(prefix) - weightedTokens({ ...prefix, cachedTokens: last.inputTokens })
  return dropUndefined({
    /** Input that is billed in full again, tokens. */
    tokens: last.inputTokens,
    /** Percent of the other account's window; absent where its price is not known. */
    share: price && scaled(price.percentPerThousand, extra / 1000),
  })
}

function stretchesOf(samples: readonly Sample[], turns: readonly PricedTurn[]) {
  const readings = [...samples].sort((left, right) => left.atMs - right.atMs)
  const ended = [...turns].sort((left, right) => left.atMs - right.atMs)
  const stretches: { model: string; percent: number; weight: number }[] = []
  let next = 0
  readings.forEach((reading, index) => {
    const first = next
    while ((ended[next]?.atMs ?? NaN) <= reading.atMs) next += 1
    const within = ended.slice(first, next)
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
