import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import {
  learnPrices,
  type PricedTurn,
  shareOf,
  switchCost,
  weightedTokens,
} from '../../lib/forecast/price.js'
import type { Sample } from '../../lib/forecast/types.js'
import { createPrng } from '../../simulator/prng.js'
import { MINUTE, MONDAY } from './histories.js'

/** Turns at a known price and the whole, late percentages they leave behind; a reading is kept when it changes. */
function courseOf(
  seed: number,
  percentPerThousand: Readonly<Record<string, number>>,
  count: number,
): { samples: Sample[]; turns: PricedTurn[] } {
  const random = createPrng(seed)
  const models = Object.keys(percentPerThousand)
  const samples: Sample[] = [{ atMs: MONDAY, usedPercent: 0 }]
  const turns: PricedTurn[] = []
  let used = 0
  for (let index = 0; index < count; index += 1) {
    const atMs = MONDAY + (index + 1) * 3 * MINUTE
    const inputTokens = random.int(20_000, 200_000)
    // Long runs with one model, as people work.
    const model = models[Math.floor(index / 40) % models.length]!
    const turn = {
      atMs,
      model,
      inputTokens,
      cachedTokens: Math.floor(inputTokens * 0.9 * random.next()),
      outputTokens: random.int(200, 4_000),
    }
    turns.push(turn)
    used += (weightedTokens(turn) / 1000) * (percentPerThousand[model] ?? 0)
    const usedPercent = Math.floor(used)
    if (usedPercent !== samples.at(-1)!.usedPercent)
      samples.push({ atMs: atMs + MINUTE, usedPercent })
  }
  return { samples, turns }
}

describe('the learned price of a model', () => {
  it('is near the truth, with the truth inside its interval most of the time', () => {
    const errors: number[] = []
    let inside = 0
    for (let seed = 1; seed <= 30; seed += 1) {
      const truth = { 'gpt-5.5': 0.004, 'gpt-6-sol': 0.001 }
      const { samples, turns } = courseOf(seed, truth, 240)
      const learned = learnPrices(samples, turns)
      for (const [model, price] of Object.entries(truth)) {
        const { low = NaN, mid = NaN, high = NaN } = learned.get(model)?.percentPerThousand ?? {}
        errors.push(Math.abs(mid / price - 1))
        if (low <= price && price <= high) inside += 1
      }
    }
    errors.sort((left, right) => left - right)
    const median = errors[Math.floor(errors.length / 2)] ?? NaN
    process.stdout.write(
      `price of a turn: error median ${(median * 100).toFixed(1)} %, worst ${((errors.at(-1) ?? NaN) * 100).toFixed(1)} %; truth inside the 80 % interval ${((inside / errors.length) * 100).toFixed(0)} % of ${errors.length}\n`,
    )
    // Some ten to forty percent were counted, each rounded to a whole one.
    expect(median).toBeLessThan(0.1)
    expect(inside / errors.length).toBeGreaterThanOrEqual(0.7)
  })

  it('is not claimed from too little', () => {
    expect(learnPrices([], []).size).toBe(0)
    const { samples, turns } = courseOf(1, { 'gpt-5.5': 0.0001 }, 40)
    expect(learnPrices(samples, turns).size).toBe(0)
  })

  it('does not count what was used elsewhere, or across a reset', () => {
    const turn = (atMs: number): PricedTurn => ({
      atMs,
      model: 'gpt-5.5',
      inputTokens: 1_000,
      cachedTokens: 0,
      outputTokens: 0,
    })
    const samples = [0, 2, 40, 42, 3, 5].map((usedPercent, index) => ({
      atMs: MONDAY + index * MINUTE,
      usedPercent,
      ...(index < 4 ? { resetsAtMs: MONDAY + 4 * MINUTE } : {}),
    }))
    const turns = [1, 3, 4, 5].map((index) => turn(MONDAY + index * MINUTE - 1))
    expect(learnPrices(samples, turns).get('gpt-5.5')).toMatchObject({
      percentPerThousand: { mid: 2 },
      basis: { stretches: 3, percent: 6 },
    })
  })

  it('is never NaN or negative', () => {
    const number = fc.oneof(
      fc.integer({ min: 0, max: 1e6 }),
      fc.double({ noNaN: true, min: 0, max: 1e6 }),
    )
    const turn = fc.record({
      atMs: number,
      model: fc.constantFrom('gpt-5.5', 'other'),
      inputTokens: number,
      cachedTokens: number,
      outputTokens: number,
    })
    fc.assert(
      fc.property(
        fc.array(fc.record({ atMs: number, usedPercent: number })),
        fc.array(turn),
        (samples, turns) => {
          for (const {
            percentPerThousand: { low, mid, high },
          } of learnPrices(samples, turns).values()) {
            expect(low >= 0 && low <= mid && mid <= high && Number.isFinite(high)).toBe(true)
          }
        },
      ),
    )
  })
})

describe('the cost of moving a session', () => {
  const last = { model: 'gpt-5.5', inputTokens: 150_000, cachedTokens: 140_000, outputTokens: 900 }

  it('is the whole input once more, less what it would have cost from the cache', () => {
    const price = {
      percentPerThousand: { low: 0.01, mid: 0.02, high: 0.04 },
      basis: { stretches: 5, percent: 9 },
    }
    const cost = switchCost(last, price)
    expect(cost.tokens).toBe(150_000)
    expect(cost.share?.mid).toBeCloseTo(150 * 0.9 * 0.02, 9)
    expect(shareOf({ ...last, cachedTokens: 0, outputTokens: 0 }, price).mid).toBeCloseTo(3, 9)
  })

  it('is known in tokens alone where no price was learned', () => {
    expect(switchCost(last, undefined)).toEqual({ tokens: 150_000 })
  })
})
